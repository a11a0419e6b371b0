"""An event of a Responses stream, decoded as far as its reader looks."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from aigw.dialects.unread import mended
from aigw.errors import UNREADABLE


class Told(msgspec.Struct):
    """An event; leaves of any type, for it may come from anybody's server."""

    type: Any = None
    response: Any = None
    item: Any = None
    part: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    annotation: Any = None
    logprobs: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_told = msgspec.json.Decoder(Told)

#: Events that only repeat, or announce, what others tell.
SILENT: Final = frozenset(
    {
        "response.created",
        "response.in_progress",
        "response.queued",
        "response.output_text.done",
        "response.refusal.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
    }
)
FAILURES: Final = frozenset({"error", "response.failed"})


def decode(data: bytes) -> Told | None:
    """None where it is no event, whatever it is."""
    try:
        return _told.decode(data)
    except UNREADABLE:
        return mended(_told, data)


def index(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def place(told: Told) -> tuple[int, int]:
    """Where a part of a message stands."""
    return index(told.output_index), index(told.content_index)


def alone(told: Told) -> tuple[int, int]:
    """Where an item without parts stands."""
    return index(told.output_index), -1


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
