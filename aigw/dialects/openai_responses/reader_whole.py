"""A whole response in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aigw.model.answer import Answer, Choice
from aigw.model.part import (
    Citation,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)

from . import usage as usages
from .words import NAME, finish_of, signed


def text(value: object) -> str:
    """``value`` where it is a string, else ``""``."""
    return value if isinstance(value, str) else ""


def dicts(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, dict)]


def seconds(value: object) -> int:
    """A date, 0 where it is none."""
    if isinstance(value, int | float) and 0 < value < 2**40:
        return int(value)
    return 0


def citation_of(told: dict[str, Any]) -> Citation:
    raw = msgspec.json.encode(told)
    if told.get("type") != "url_citation":
        return Citation(dialect=NAME, raw=raw)
    start, end = told.get("start_index"), told.get("end_index")
    return Citation(
        url=text(told.get("url")),
        title=text(told.get("title")),
        start=start if type(start) is int else None,
        end=end if type(end) is int else None,
        dialect=NAME,
        raw=raw,
    )


def answer_of(told: dict[str, Any], names: Mapping[str, str]) -> Answer:
    """
    :param names: tool names as sent to those the client knows.
    """
    parts: list[Part] = []
    logprobs: list[Any] = []
    for item in dicts(told["output"]):
        parts += _parts(item, names, logprobs)
    details = told.get("incomplete_details")
    why = text(details.get("reason")) if isinstance(details, dict) else ""
    status = text(told.get("status")) or "completed"
    called = any(isinstance(part, ToolCall) for part in parts)
    raw = None
    if logprobs:
        raw = msgspec.json.encode({"content": logprobs, "refusal": None})
    used = told.get("usage")
    return Answer(
        origin=NAME,
        choices=(
            Choice(
                index=0,
                parts=tuple(parts),
                finish=finish_of(status, why, called),
                native=why or status,
                logprobs=raw,
            ),
        ),
        id=text(told.get("id")),
        model=text(told.get("model")),
        created=seconds(told.get("created_at")),
        tier=text(told.get("service_tier")),
        usage=usages.usage_of(used) if isinstance(used, dict) else None,
    )


def _parts(
    item: dict[str, Any], names: Mapping[str, str], logprobs: list[Any]
) -> list[Part]:
    kind = item.get("type")
    if kind == "message":
        parts: list[Part] = []
        for part in dicts(item.get("content")):
            if part.get("type") == "output_text":
                cited = tuple(map(citation_of, dicts(part.get("annotations"))))
                parts.append(Text(text(part.get("text")), cited))
                logprobs += dicts(part.get("logprobs"))
            elif part.get("type") == "refusal":
                parts.append(Refusal(text(part.get("refusal"))))
        return parts
    if kind == "function_call" or kind == "custom_tool_call":
        custom = kind == "custom_tool_call"
        name = text(item.get("name"))
        return [
            ToolCall(
                id=text(item.get("call_id")),
                name=names.get(name, name),
                arguments=text(item.get("input" if custom else "arguments")),
                kind="custom" if custom else "function",
            )
        ]
    if kind == "reasoning":
        return [_reasoning(item)]
    return [Opaque(NAME, text(kind), msgspec.json.encode(item))]


def reasoned(item: dict[str, Any]) -> str:
    """The text of a reasoning item: its summary's paragraphs, or what is open of it."""
    summary = [text(part.get("text")) for part in dicts(item.get("summary"))]
    inner = [text(part.get("text")) for part in dicts(item.get("content"))]
    return "\n\n".join(summary) if summary else "".join(inner)


def _reasoning(item: dict[str, Any]) -> Part:
    said = reasoned(item)
    value = text(item.get("encrypted_content"))
    if not value:
        return Thinking(said)
    signature, redacted = signed(text(item.get("id")), value)
    return Redacted(signature) if redacted else Thinking(said, signature)
