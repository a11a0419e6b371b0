"""
Answers and their chunks, which have one shape, as a reader decodes them: what it asks
for and no more, every leaf of any type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.unread import mended
from aigw.errors import UNREADABLE

_ABSENT = msgspec.Raw(b"")


class Content(msgspec.Struct):
    parts: list[msgspec.Raw] | None = None


class Candidate(msgspec.Struct):
    content: Content | None = None
    index: Any = None
    finishReason: Any = None
    citationMetadata: Any = None
    groundingMetadata: msgspec.Raw = _ABSENT
    logprobsResult: Any = None

    @property
    def place(self) -> int:
        """0 is left out on the wire."""
        return self.index if type(self.index) is int else 0


class Chunk(msgspec.Struct):
    candidates: list[Candidate] | None = None
    promptFeedback: Any = None
    usageMetadata: Any = None
    modelVersion: Any = None
    responseId: Any = None
    error: Any = None

    @property
    def block_reason(self) -> str:
        """Why the prompt was refused, ``""`` where it was not."""
        told = self.promptFeedback
        return text(told.get("blockReason")) if isinstance(told, dict) else ""


class Part(msgspec.Struct):
    text: Any = None
    thought: Any = None
    thoughtSignature: Any = None
    functionCall: msgspec.Raw = _ABSENT
    inlineData: Any = None


class Call(msgspec.Struct):
    name: Any = None
    id: Any = None
    args: msgspec.Raw = _ABSENT
    partialArgs: msgspec.Raw = _ABSENT

    @property
    def arguments(self) -> str:
        raw = compact(self.args)
        return raw.decode() if raw[:1] == b"{" else "{}"


_chunks = msgspec.json.Decoder(Chunk)
_parts = msgspec.json.Decoder(Part)
_calls = msgspec.json.Decoder(Call)


def decode(data: bytes) -> Chunk | None:
    """None where it is no such object."""
    try:
        return _chunks.decode(data)
    except UNREADABLE:
        return mended(_chunks, data)


def part_of(raw: msgspec.Raw) -> Part | None:
    """None where it is no such object."""
    try:
        return _parts.decode(raw)
    except UNREADABLE:
        return mended(_parts, bytes(raw))


def call_of(raw: msgspec.Raw) -> Call | None:
    """None where it is no such object, or no whole call."""
    try:
        call = _calls.decode(raw)
    except UNREADABLE:
        return None
    return call if isinstance(call.name, str) and not call.partialArgs else None


def kind_of(raw: msgspec.Raw) -> str:
    """The name of what a part holds that :class:`Part` does not know, or ``""``."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return ""
    known = Part.__struct_fields__
    return next((name for name in fields if name not in known), "")


def compact(raw: msgspec.Raw) -> bytes:
    """``raw`` on one line; whole answers come indented."""
    whole = bytes(raw)
    try:
        return msgspec.json.format(whole, indent=-1) if whole else b""
    except UNREADABLE:
        return whole


def text(value: object) -> str:
    """``value`` where it is a string, else ``""``."""
    return value if isinstance(value, str) else ""
