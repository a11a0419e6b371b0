"""A deadline that is put off by progress and stands still while nobody may progress."""

from __future__ import annotations

from collections.abc import Callable

from aigw.interfaces import IAlarm, IWheel


class Countdown:
    """
    Calls ``call`` once, ``seconds`` after the last :meth:`touch` (or the start),
    not counting the time between :meth:`pause` and :meth:`resume`.
    """

    __slots__ = ("_alarm", "_call", "_left", "_over", "_seconds", "_wheel")

    def __init__(self, wheel: IWheel, seconds: float, call: Callable[[], None]) -> None:
        self._wheel = wheel
        self._seconds = seconds
        self._call: Callable[[], None] | None = call
        self._left = seconds
        self._over = False
        self._alarm: IAlarm | None = wheel.after(seconds, self._ring)

    def touch(self, now: float) -> None:
        """Progress was made at ``now`` (clock seconds)."""
        if self._alarm is not None:
            self._alarm.when = now + self._seconds
        else:
            self._left = self._seconds

    def pause(self) -> None:
        """Stand still. Idempotent."""
        if self._alarm is not None:
            self._left = max(0.0, self._alarm.when - self._wheel.seconds())
            self._alarm.cancel()
            self._alarm = None

    def resume(self) -> None:
        """Go on. Idempotent."""
        if self._alarm is None and not self._over:
            self._alarm = self._wheel.after(self._left, self._ring)

    def cancel(self) -> None:
        """Never call. Idempotent."""
        self._over = True
        self._call = None  # what it called usually holds it
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._over = True
        self._alarm = None
        call, self._call = self._call, None
        if call is not None:
            call()
