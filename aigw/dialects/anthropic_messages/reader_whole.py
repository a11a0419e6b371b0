"""A whole message in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aigw.dialects import foreign
from aigw.dialects.tokens import Counts
from aigw.model.answer import Answer, Choice
from aigw.model.finish import Finish
from aigw.model.part import (
    Opaque,
    Part,
    Redacted,
    Text,
    Thinking,
    ToolCall,
)
from aigw.model.usage import Usage

from . import usage as usages
from .citation import citation_of
from .words import NAME, VENDOR, finish_of


def text(value: object) -> str:
    """``value`` where it is a string, else ``""``."""
    return value if isinstance(value, str) else ""


def answer_of(told: dict[str, Any], names: Mapping[str, str]) -> Answer:
    """
    :param names: tool names as sent to those the client knows.
    """
    usage: Usage | None = None
    tier = ""
    used = told.get("usage")
    if isinstance(used, dict):
        counts = Counts()
        counts.merge(used, usages.PATHS)
        usage = usages.usage_of(counts)
        tier = text(used.get("service_tier"))
    word = text(told.get("stop_reason"))
    choice = Choice(
        index=0,
        parts=tuple(
            _part(block, names) for block in told["content"] if isinstance(block, dict)
        ),
        finish=finish_of(word) if word else Finish.OTHER,
        native=word,
        sequence=text(told.get("stop_sequence")) or None,
    )
    return Answer(
        origin=NAME,
        choices=(choice,),
        id=text(told.get("id")),
        model=text(told.get("model")),
        tier=tier,
        usage=usage,
    )


def _part(block: dict[str, Any], names: Mapping[str, str]) -> Part:
    form = block.get("type")
    if form == "text":
        cited = block.get("citations")
        citations = cited if isinstance(cited, list) else []
        return Text(
            text(block.get("text")),
            citations=tuple(citation_of(c) for c in citations if isinstance(c, dict)),
        )
    if form == "thinking":
        value = text(block.get("signature"))
        signature = foreign.unpack(value, VENDOR) if value else None
        return Thinking(text(block.get("thinking")), signature)
    if form == "redacted_thinking":
        return Redacted(foreign.unpack(text(block.get("data")), VENDOR))
    if form == "tool_use":
        name = text(block.get("name"))
        given = block.get("input")
        return ToolCall(
            id=text(block.get("id")),
            name=names.get(name, name),
            arguments=msgspec.json.encode(given or {}).decode(),
        )
    return Opaque(NAME, text(form), msgspec.json.encode(block))
