"""A whole answer in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aigw.dialects.tokens import Counts
from aigw.model import event as events
from aigw.model.answer import Answer, Choice
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.part import (
    Citation,
    Media,
    Opaque,
    Part,
    Redacted,
    Text,
    Thinking,
    ToolCall,
)
from aigw.model.usage import Usage

from . import chunk as chunks
from . import logprobs
from . import usage as usages
from .blocks import Blocks
from .chunk import Candidate, Chunk
from .words import NAME, finish_of, finish_word_of


def answer_of(chunk: Chunk, names: Mapping[str, str]) -> Answer:
    """
    :param names: tool names as sent to those the client knows.
    """
    usage: Usage | None = None
    if isinstance(chunk.usageMetadata, dict):
        counts = Counts()
        counts.merge(chunk.usageMetadata, usages.PATHS)
        usage = usages.usage_of(counts)
    id = chunks.text(chunk.responseId)
    choices = [_choice(one, id, names) for one in chunk.candidates or ()]
    if not choices:  # the prompt itself was refused
        choices = [Choice(0, (), Finish.FILTERED, chunk.block_reason)]
    return Answer(
        origin=NAME,
        choices=tuple(choices),
        id=id,
        model=chunks.text(chunk.modelVersion),
        usage=usage,
    )


def _choice(candidate: Candidate, id: str, names: Mapping[str, str]) -> Choice:
    index = candidate.place
    blocks = Blocks(index, names)
    told: list[Event] = []
    if candidate.content is not None:
        for raw in candidate.content.parts or ():
            blocks.part(raw, id, told)
    if candidate.citationMetadata is not None:
        blocks.cite(candidate.citationMetadata, told)
    word = finish_word_of(candidate.finishReason)
    return Choice(
        index=index,
        parts=_parts(told),
        finish=finish_of(word, blocks.called) if word else Finish.OTHER,
        native=word,
        logprobs=logprobs.read(candidate.logprobsResult),
    )


def _parts(told: list[Event]) -> tuple[Part, ...]:
    """The parts whose events are ``told``: they read alike, streamed or whole."""
    parts: list[Part] = []
    for event in told:
        if isinstance(event, events.BlockOpened):
            parts.append(_opened(event))
            continue
        if not parts:
            continue
        last = parts[-1]
        if isinstance(event, events.Text) and isinstance(last, Text):
            parts[-1] = replace(last, text=last.text + event.text)
        elif isinstance(event, events.Thinking) and isinstance(last, Thinking):
            parts[-1] = replace(last, text=last.text + event.text)
        elif isinstance(event, events.Arguments) and isinstance(last, ToolCall):
            parts[-1] = replace(last, arguments=event.json)
        elif isinstance(event, events.Media) and isinstance(last, Media):
            parts[-1] = replace(last, value=event.data, type=event.type)
        elif isinstance(event, events.Citation) and isinstance(last, Text):
            citations: tuple[Citation, ...] = (*last.citations, event.citation)
            parts[-1] = replace(last, citations=citations)
        elif isinstance(event, events.Redacted):
            parts[-1] = Redacted(event.signature)
        elif isinstance(event, events.Signature) and isinstance(
            last, Text | Thinking | ToolCall
        ):
            parts[-1] = replace(last, signature=event.signature)
    return tuple(parts)


def _opened(event: events.BlockOpened) -> Part:
    if event.kind == "thinking":
        return Thinking("")
    if event.kind == "tool":
        return ToolCall(event.id, event.name, "")
    if event.kind == "image" or event.kind == "audio":
        return Media(event.kind, "base64", "")
    if event.kind == "opaque":
        return Opaque(event.dialect, event.name, event.raw)
    return Text("")
