"""What the mock provider saw and did: one :class:`Seen` for each request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from .request import Request

_BODY_SHOWN: Final = 4096

#: Not answered yet; body under way; ended as HTTP ends; broken off, or silent, because
#: a knob said so; the peer was gone first.
STATES: Final = ("waiting", "sending", "complete", "cut", "silent", "left")


@dataclass(slots=True, eq=False)
class Seen:
    """
    One request and its answer. Times are the clock's, in seconds.

    :ivar number: from 1, in the order of their completion on all connections.
    :ivar connection: which connection it came on, from 1.
    :ivar state: one of :data:`STATES`.
    :ivar status: what it was answered with, None before the head.
    :ivar events: how many events were handed to the transport.
    :ivar sent_bytes: bytes of the answer's body handed to the transport, before any
        chunked coding.
    :ivar sent: the first of those bytes.
    :ivar paused: how often the transport was full.
    :ivar received_at: when the request was complete.
    :ivar head_at: when the head was handed over; ``first_at`` the first body bytes,
        ``last_at`` the last ones so far.
    :ivar ended_at: when we ended or broke it off.
    :ivar left_at: when the peer had gone while the answer was not complete.
    """

    number: int
    connection: int
    request: Request
    received_at: float
    state: str = "waiting"
    status: int | None = None
    events: int = 0
    sent_bytes: int = 0
    sent: bytearray = field(default_factory=bytearray)
    paused: int = 0
    head_at: float | None = None
    first_at: float | None = None
    last_at: float | None = None
    ended_at: float | None = None
    left_at: float | None = None

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.request.line

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The request's fields as sent, in order."""
        return self.request.headers

    @property
    def body(self) -> bytes:
        """The request's body."""
        return self.request.body

    @property
    def left(self) -> bool:
        """Whether the peer went before the answer was complete."""
        return self.left_at is not None

    def json(self) -> dict[str, Any]:
        """As ``GET /stats`` tells it."""
        return {
            "number": self.number,
            "connection": self.connection,
            "line": self.line.decode("latin-1"),
            "headers": pairs(self.headers),
            "body": self.body[:_BODY_SHOWN].decode("utf-8", "replace"),
            "body_bytes": len(self.body),
            "state": self.state,
            "status": self.status,
            "events": self.events,
            "sent_bytes": self.sent_bytes,
            "paused": self.paused,
            "received_at": self.received_at,
            "head_at": self.head_at,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "ended_at": self.ended_at,
            "left_at": self.left_at,
        }


def pairs(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    """Fields as JSON can hold them."""
    return [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in headers
    ]
