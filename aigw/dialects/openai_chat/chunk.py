"""
Chunks and whole answers of chat completions, as a reader decodes them: what it asks
for and no more, and every leaf of any type, for servers that imitate the API send
``null`` and numbers in any place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.unread import mended
from aigw.errors import UNREADABLE


class Delta(msgspec.Struct):
    """A delta, or the message of a whole answer."""

    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None
    annotations: Any = None
    audio: Any = None
    images: Any = None


class Choice(msgspec.Struct):
    index: Any = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    logprobs: Any = None


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    id: Any = None
    model: Any = None
    created: Any = None
    service_tier: Any = None
    usage: Any = None
    error: Any = None
    object: Any = None
    message: Any = None


_chunks = msgspec.json.Decoder(Chunk)


def decode(data: bytes) -> Chunk | None:
    """None where it is no such object."""
    try:
        return _chunks.decode(data)
    except UNREADABLE:
        return mended(_chunks, data)


def text(value: object) -> str:
    """``value`` where it is a string, else ``""``."""
    return value if isinstance(value, str) else ""


def spoken(value: object) -> str:
    """Content: a string, or the texts of an array of parts, as some servers answer."""
    if isinstance(value, str):
        return value
    return "".join([text(part.get("text")) for part in dicts(value)])


def dicts(value: object) -> list[dict[str, Any]]:
    """The objects among the items of an array; nothing where it is none."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def member(value: object, name: str) -> Any:
    """The member of an object; None where it is none."""
    return value.get(name) if isinstance(value, dict) else None


def finish_word_of(value: object) -> str:
    """A finish reason that counts; some servers send ``""`` or ``"null"`` for none."""
    word = text(value).strip()
    return "" if word == "null" else word


def seconds(value: object) -> int:
    """A date, 0 where it is none."""
    if isinstance(value, int | float) and 0 < value < 2**40:
        return int(value)
    return 0
