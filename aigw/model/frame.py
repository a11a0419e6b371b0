"""
Frames: what a framing cuts a byte stream into, before anyone asks what they mean.

They are msgspec structs and not frozen dataclasses: one is made for each event of each
stream, and making one costs 0.04 µs so, 0.36 µs as a frozen dataclass.
"""

from __future__ import annotations

from typing import Any

import msgspec


class SSEFrame(msgspec.Struct, frozen=True, gc=False):
    """
    One block of an event stream (WHATWG HTML, section 9.2).

    :ivar type: the event's type, ``"message"`` where the block names none.
    :ivar data: the block's data, lines joined by LF; None when it had no data line.
    :ivar id: the block's own ``id`` field, or None.
    :ivar retry: the block's ``retry`` field in ms, or None.
    """

    type: str = "message"
    data: bytes | None = None
    id: str | None = None
    retry: int | None = None


class EventStreamFrame(msgspec.Struct, frozen=True):
    """
    One message of ``application/vnd.amazon.eventstream``.

    :ivar headers: name to value, in wire order.
    :ivar payload: the message's payload, at most 24 MiB.
    """

    headers: dict[str, Any] = msgspec.field(default_factory=dict)
    payload: bytes = b""


Frame = SSEFrame | EventStreamFrame
