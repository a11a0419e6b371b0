"""One deadline of a connection, moved far more often than it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aigw.interfaces.wheel import IAlarm, IWheel

_NEVER: Final = float("inf")


def _nothing() -> None:
    """What is called when all is over."""


class Deadline:
    """
    Calls ``call`` at the time it was last set to. Setting it to a later time, and
    clearing it, are attribute stores; the alarm below rings in vain then, and is set
    again. ``call`` is kept (a cycle, if it is a method of the owner) until ``cancel``.

    :ivar seconds: the clock's ``seconds``.
    """

    __slots__ = ("_alarm", "_call", "_wheel", "_when", "seconds")

    def __init__(self, wheel: IWheel, call: Callable[[], None]) -> None:
        self.seconds = wheel.seconds
        self._wheel = wheel
        self._call = call
        self._alarm: IAlarm | None = None
        self._when = _NEVER

    def set(self, delay: float) -> None:
        """Be due in ``delay`` seconds."""
        self.at(self.seconds() + delay)

    def at(self, when: float) -> None:
        """Be due at the clock's ``when``."""
        self._when = when
        alarm = self._alarm
        if alarm is None:
            self._arm()
        elif when >= alarm.when:
            alarm.when = when
        else:
            alarm.cancel()
            self._arm()

    def clear(self) -> None:
        """Not be due."""
        self._when = _NEVER

    def cancel(self) -> None:
        """Never be due again, and let go of the wheel and of ``call``. Idempotent."""
        self._when = _NEVER
        self._call = _nothing
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.cancel()

    def _arm(self) -> None:
        delay = self._when - self.seconds()
        self._alarm = self._wheel.after(max(0.0, delay), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._when == _NEVER:
            return
        if self._when > self.seconds():
            self._arm()
            return
        self._when = _NEVER
        self._call()
