"""Strategies: answers made of what a dialect says it can express, told in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import msgspec.structs
from hypothesis import strategies as st

from aigw.dialects import foreign
from aigw.interfaces import IChatDialect
from aigw.model import event as events
from aigw.model import feature
from aigw.model.answer import Answer, Choice
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.part import (
    Citation,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from aigw.model.usage import Usage
from aigw.streaming.gather import events_of

from .streams import chat

texts = st.text(
    st.characters(exclude_categories=("Cs",)) | st.sampled_from('\0\n"\\\u2028é'),
    min_size=1,
    max_size=8,
)
words = st.from_regex(re.compile(r"[A-Za-z0-9+/]{1,12}={0,2}"), fullmatch=True)
#: OpenAI's are an item's id and its content.
signatures = st.builds(
    Signature, st.sampled_from(["anthropic", "gemini", "xai"]), words
) | st.builds(Signature, st.just("openai"), words.map("rs_1:{}".format))
counts = st.integers(0, 2**40)

_leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts
_json = st.recursive(
    _leaves | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
arguments = st.dictionaries(texts, _json, max_size=3).map(
    lambda value: msgspec.json.encode(value).decode()
)

_FINISHES = (Finish.STOP, Finish.LENGTH, Finish.FILTERED)
#: Messages has no word for what was filtered.
_OTHER_FINISHES = {
    "anthropic-messages": (Finish.STOP, Finish.LENGTH, Finish.REFUSAL, Finish.PAUSE)
}


def parts_of(dialect: IChatDialect) -> st.SearchStrategy[Part]:
    """A part of an answer, of a kind that the dialect has."""
    can = dialect.can
    said: list[Any] = [st.builds(Text, texts)]
    if feature.CITATIONS in can:
        urls = st.sampled_from(["https://example.com/a", "https://example.com/b?c=d"])
        cited = st.builds(Citation, url=urls, title=texts)
        said.append(st.builds(Text, texts, st.tuples(cited)))
    if feature.REFUSALS in can:
        said.append(st.builds(Refusal, texts))
    if feature.THINKING in can:
        said.append(st.builds(Thinking, texts))
    if feature.SIGNATURES in can:
        said.append(st.builds(Thinking, texts, signatures))
    if feature.REDACTED in can:
        said.append(
            st.builds(Redacted, st.builds(Signature, st.just("anthropic"), words))
        )
    return st.one_of(said)


def calls_of(dialect: IChatDialect) -> st.SearchStrategy[list[ToolCall]]:
    """Calls, each of an id of its own; some signed, as Gemini's are."""
    ids = st.from_regex(re.compile(r"call_[a-z0-9]{1,6}"), fullmatch=True)
    signed = st.none() | st.builds(Signature, st.just("gemini"), words)
    one = st.builds(
        ToolCall,
        ids,
        st.sampled_from(["get_weather", "search"]),
        arguments,
        signature=signed,
    )
    return st.lists(one, max_size=3, unique_by=lambda call: call.id)


@st.composite
def answers(draw: st.DrawFn, name: str) -> Answer:
    """An answer that a provider of the dialect could give."""
    dialect = chat(name)
    several = feature.CHOICES in dialect.can
    reasons = _OTHER_FINISHES.get(name, _FINISHES)
    choices: list[Choice] = []
    for index in range(draw(st.integers(1, 2 if several else 1))):
        parts = _told_apart(draw(st.lists(parts_of(dialect), max_size=4)))
        calls = draw(calls_of(dialect))
        finish = Finish.TOOL_CALLS if calls else draw(st.sampled_from(reasons))
        choices.append(Choice(index, (*parts, *calls), finish))
    usage = Usage(input=draw(counts), cache_read=draw(counts), output=draw(counts))
    return Answer(name, tuple(choices), id="resp_1", model="m", created=7, usage=usage)


def _told_apart(parts: list[Part]) -> list[Part]:
    """
    Without reasoning that runs into other, signed reasoning: where a dialect knows no
    blocks, nobody could tell what is signed.
    """
    return [
        part
        for part, behind in pairwise([*parts, None])
        if not isinstance(part, Thinking)
        or part.signature is not None
        or not isinstance(behind, Thinking)
    ]


@st.composite
def told(draw: st.DrawFn, answer: Answer) -> list[Event]:
    """The events of an answer, its texts and arguments cut anywhere."""
    out: list[Event] = []
    for event in events_of(answer):
        if isinstance(event, events.Text | events.Thinking | events.Refusal):
            for piece in _cut(draw, event.text):
                out.append(type(event)(event.choice, event.block, piece))
        elif isinstance(event, events.Arguments):
            for piece in _cut(draw, event.json):
                out.append(events.Arguments(event.choice, event.block, piece))
        else:
            out.append(event)
    return out


def _cut(draw: st.DrawFn, text: str) -> list[str]:
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=3)))
    bounds = [0, *places, len(text)]
    return [text[a:b] for a, b in pairwise(bounds) if a < b]


def said(answer: Answer) -> list[Any]:
    """All that an answer says, however it is cut into blocks."""
    used = answer.usage and msgspec.structs.replace(answer.usage, total=None)
    return [*map(_said, answer.choices), used]


def _said(choice: Choice) -> dict[str, Any]:
    parts = foreign.bound(choice.parts)  # signatures of calls may stand on their own

    def every(kind: type[Any], take: Callable[[Any], Any]) -> list[Any]:
        return [take(part) for part in parts if isinstance(part, kind)]

    return {
        "text": "".join(every(Text, lambda part: part.text)),
        "refusal": "".join(every(Refusal, lambda part: part.text)),
        "thinking": "".join(every(Thinking, lambda part: part.text)),
        "signed": [
            (part.text, part.signature)
            for part in parts
            if isinstance(part, Thinking) and part.signature is not None
        ],
        "redacted": every(Redacted, lambda part: part.signature),
        "cited": [
            (one.url, one.title)
            for part in parts
            if isinstance(part, Text)
            for one in part.citations
        ],
        "calls": every(
            ToolCall,
            lambda call: (
                call.id,
                call.name,
                msgspec.json.decode(call.arguments),
                call.signature,
            ),
        ),
        "finish": choice.finish,
    }
