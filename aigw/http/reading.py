"""Whether a connection is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aigw.interfaces.wheel import IAlarm, IWheel

from .kernel import has_left

#: How often a connection that is not read is asked whether its peer has left, seconds.
_WATCH: Final = 1.0


def _nothing() -> None:
    """What is called when all is over."""


class Reading:
    """
    Stops and goes on reading a transport. While it is not read, the kernel is asked
    every second whether the peer has left.

    :param left: called once if it has; reading has not gone on then.
    """

    def __init__(self, transport: Any, wheel: IWheel, left: Callable[[], None]) -> None:
        self._transport = transport
        self._wheel = wheel
        self._left = left
        self._held = False
        self._alarm: IAlarm | None = None

    def hold(self) -> None:
        """Read no more for now. Idempotent."""
        if not self._held:
            self._held = True
            self._transport.pauseProducing()
            self._alarm = self._wheel.after(_WATCH, self._look)

    def release(self) -> None:
        """Read on. Idempotent."""
        if self._alarm is not None:
            self._held = False
            self._stop_looking()
            self._transport.resumeProducing()

    def end(self) -> None:
        """The connection is lost: nothing is read, and ``left`` let go."""
        self._stop_looking()
        self._held = True
        self._left = _nothing

    def _stop_looking(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _look(self) -> None:
        if has_left(self._transport):
            self._left()
        else:
            self._alarm = self._wheel.after(_WATCH, self._look)
