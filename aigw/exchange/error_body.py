"""The body of an error answer that the client will not see, because another follows."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred

from aigw.errors import UNREADABLE, GatewayError, UpstreamError
from aigw.interfaces import IUpstreamCall, IWheel

#: The most bytes that are read of it.
LIMIT: Final = 64 * 1024
#: How long it is waited for, seconds.
PATIENCE: Final = 1.0
#: The longest text taken from it, characters.
_LONGEST: Final = 2000


class ErrorBody:
    """
    Takes an answer's body up to ``LIMIT`` bytes; a sink of an attempt.

    :ivar done: fires with what came, complete or not; with a GatewayError where the
        exchange is ended meanwhile. Cancelling it lets go of the provider.
    """

    def __init__(self, call: IUpstreamCall, wheel: IWheel) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self.close())
        self.received = 0
        self.first_byte_at: float | None = None
        self.first_content_at: float | None = None
        self._call = call
        self._seconds = wheel.seconds
        self._pieces: list[bytes] = []
        self._late = wheel.after(PATIENCE, self._enough)

    def body(self, data: bytes) -> None:
        if self.first_byte_at is None:
            self.first_byte_at = self._seconds()
        self._pieces.append(data[: LIMIT - self.received])
        self.received += len(data)
        if self.received >= LIMIT:
            self._enough()

    def ended(self) -> None:
        self._late.cancel()
        if not self.done.called:
            self.done.callback(b"".join(self._pieces))

    def failed(self, error: UpstreamError) -> None:
        self.ended()

    def expire(self, error: GatewayError) -> None:
        if isinstance(error, UpstreamError):
            # The attempt's own deadline: it has failed before, as its head tells.
            self._enough()
            return
        self.close()
        if not self.done.called:
            self.done.errback(error)

    def close(self) -> None:
        """No more is wanted of it; a body that is complete is not disturbed."""
        self._late.cancel()
        self._call.stop()

    def _enough(self) -> None:
        self._call.stop()
        self.ended()


def text_of(status: int, body: bytes) -> str:
    """What an error's body tells people: its message, else its text."""
    try:
        told: Any = msgspec.json.decode(body)
    except UNREADABLE:
        text = body.decode("utf-8", "replace").strip()
        return text[:_LONGEST] or f"the provider answered with status {status}"
    if isinstance(told, list) and told:
        told = told[0]  # Gemini's streams answer with a list
    for _ in range(2):
        if isinstance(told, dict):
            for key in ("error", "message", "Message", "error_msg", "detail"):
                if told.get(key):
                    told = told[key]
                    break
    if isinstance(told, str):
        return told[:_LONGEST]
    return f"the provider answered with status {status}"
