"""The heartbeat of a stream that is silent."""

from __future__ import annotations

from aigw.interfaces import IAlarm, IWheel

from .outlet import Outlet
from .voice import Voice
from .way import Way


class Heartbeat:
    """
    Writes what means nothing into ``outlet`` whenever it has written nothing for
    ``interval`` seconds and a frame may stand there.
    """

    def __init__(
        self, wheel: IWheel, interval: float, outlet: Outlet, way: Way, voice: Voice
    ) -> None:
        self._wheel = wheel
        self._interval = interval
        self._outlet = outlet
        self._way = way
        self._voice = voice
        self._alarm: IAlarm | None = wheel.after(interval, self._beat)

    def cancel(self) -> None:
        """Be silent for ever. Idempotent."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _beat(self) -> None:
        now, outlet = self._wheel.seconds(), self._outlet
        due = outlet.written_at + self._interval
        if now >= due:
            ping = self._voice.ping()
            if ping and self._way.boundary and outlet.empty and not outlet.paused:
                outlet.write(ping, now)
            due = now + self._interval
        if self._alarm is not None:  # the write may have ended it all
            self._alarm = self._wheel.after(due - now, self._beat)
