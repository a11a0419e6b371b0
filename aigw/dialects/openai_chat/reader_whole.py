"""A whole chat completion in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from aigw.dialects import openai_usage
from aigw.dialects.tokens import Counts
from aigw.model.answer import Answer, Choice
from aigw.model.finish import Finish
from aigw.model.part import (
    Citation,
    Media,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from aigw.model.usage import Usage

from . import chunk as chunks
from .chunk import Chunk, Delta
from .citation import citation_of
from .details import extra_signature
from .images import images_of
from .words import NAME, finish_of, vendor_of


def answer_of(chunk: Chunk, names: Mapping[str, str]) -> Answer:
    """
    :param names: tool names as sent to those the client knows.
    """
    usage: Usage | None = None
    if isinstance(chunk.usage, dict):
        counts = Counts()
        counts.merge(chunk.usage, openai_usage.PATHS)
        usage = openai_usage.usage_of(counts)
    return Answer(
        origin=NAME,
        choices=tuple(
            _choice(place, choice, names)
            for place, choice in enumerate(chunk.choices or ())
        ),
        id=chunks.text(chunk.id),
        model=chunks.text(chunk.model),
        created=chunks.seconds(chunk.created),
        tier=chunks.text(chunk.service_tier),
        usage=usage,
    )


def _choice(place: int, choice: chunks.Choice, names: Mapping[str, str]) -> Choice:
    message = choice.message or Delta()
    calls = _calls(message, names)
    word = chunks.finish_word_of(choice.finish_reason)
    logprobs = choice.logprobs
    return Choice(
        index=choice.index if type(choice.index) is int else place,
        parts=(*_reasoned(message, calls), *_said(message), *calls.values()),
        finish=finish_of(word, bool(calls)) if word else Finish.OTHER,
        native=word,
        logprobs=msgspec.json.encode(logprobs) if isinstance(logprobs, dict) else None,
    )


def _said(message: Delta) -> list[Part]:
    parts: list[Part] = []
    text = chunks.spoken(message.content)
    citations: list[Citation] = []
    for annotation in chunks.dicts(message.annotations):
        citation = citation_of(annotation)
        if citation is not None:
            citations.append(citation)
    if text or citations:
        parts.append(Text(text, citations=tuple(citations)))
    if message.refusal and isinstance(message.refusal, str):
        parts.append(Refusal(message.refusal))
    data = chunks.text(chunks.member(message.audio, "data"))
    if data:
        transcript = chunks.text(chunks.member(message.audio, "transcript"))
        id = chunks.text(chunks.member(message.audio, "id"))
        parts.append(Media("audio", "base64", data, name=id, transcript=transcript))
    parts += [
        Media("image", "base64", data, type=type)
        for type, data in images_of(message.images)
    ]
    return parts


def _calls(message: Delta, names: Mapping[str, str]) -> dict[Any, ToolCall]:
    calls: dict[Any, ToolCall] = {}
    for place, call in enumerate(chunks.dicts(message.tool_calls)):
        custom = "custom" in call
        given = call.get("custom" if custom else "function")
        name = chunks.text(chunks.member(given, "name"))
        text = chunks.text(chunks.member(given, "input" if custom else "arguments"))
        id = chunks.text(call.get("id"))
        calls[id or place] = ToolCall(
            id=id,
            name=names.get(name, name),
            arguments=text,
            kind="custom" if custom else "function",
            signature=extra_signature(call),
        )
    return calls


def _reasoned(message: Delta, calls: dict[Any, ToolCall]) -> list[Part]:
    """Reasoning, by its details where there are some; signs ``calls`` by the way."""
    parts: list[Part] = []
    for entry in chunks.dicts(message.reasoning_details):
        vendor = vendor_of(entry.get("format"))
        if entry.get("type") == "reasoning.encrypted":
            signature = Signature(vendor, chunks.text(entry.get("data")))
            call = calls.get(chunks.text(entry.get("id")))
            if vendor == "gemini" and call is not None:
                calls[call.id] = replace(call, signature=signature)
            else:
                parts.append(Redacted(signature))
            continue
        text = chunks.text(entry.get("text")) or chunks.text(entry.get("summary"))
        value = chunks.text(entry.get("signature"))
        if text or value:
            parts.append(Thinking(text, Signature(vendor, value) if value else None))
    plain = message.reasoning_content or message.reasoning
    if plain and isinstance(plain, str) and not parts:
        parts.append(Thinking(plain))
    return parts
