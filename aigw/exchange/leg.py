"""What one attempt gives to an answer that several of them make up."""

from __future__ import annotations

from collections.abc import Callable

from aigw.errors import GatewayError, UpstreamError
from aigw.model import sight as sights
from aigw.streaming.relay import Relay


class Leg:
    """
    An attempt's sink before a relay that had others before it: what it received, and
    when, is its own.

    :param first: called once with the clock seconds of its first content.
    """

    def __init__(
        self,
        relay: Relay,
        seconds: Callable[[], float],
        first: Callable[[float], None],
    ) -> None:
        self.received = 0
        self.first_byte_at: float | None = None
        self.first_content_at: float | None = None
        self._relay = relay
        self._seconds = seconds
        self._first = first

    def body(self, data: bytes) -> None:
        self.received += len(data)
        if self.first_byte_at is None:
            self.first_byte_at = self._seconds()
        self._relay.body(data)
        if self.first_content_at is None and self._relay.way.sight & sights.CONTENT:
            self.first_content_at = self._seconds()
            self._first(self.first_content_at)

    def ended(self) -> None:
        self._relay.ended()

    def failed(self, error: UpstreamError) -> None:
        self._relay.failed(error)

    def expire(self, error: GatewayError) -> None:
        self._relay.expire(error)
