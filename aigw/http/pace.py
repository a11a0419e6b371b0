"""How slowly a request body may come."""

from __future__ import annotations

from .deadline import Deadline
from .limits import Limits


class Pace:
    """
    Times a body: the next piece must come in time, and all of it at a fair rate, so
    that a body cannot drip in for ever. Stands still while we do not read it.

    :param deadline: the connection's.
    """

    __slots__ = ("_began", "_deadline", "_limits")

    def __init__(self, deadline: Deadline, limits: Limits) -> None:
        self._deadline = deadline
        self._limits = limits
        self._began = 0.0

    def start(self, received: int) -> None:
        """
        Begin, or go on after a pause, which was not the client's doing.

        :param received: bytes of the body received so far.
        """
        self._began = self._deadline.seconds() - received / self._limits.body_rate
        self.progress(received)

    def progress(self, received: int) -> None:
        """Something arrived: ``received`` bytes now."""
        limits = self._limits
        fair = self._began + limits.body_timeout + received / limits.body_rate
        soon = self._deadline.seconds() + limits.body_timeout
        self._deadline.at(min(soon, fair))

    def stop(self) -> None:
        """Nothing is awaited for now."""
        self._deadline.clear()

    def wait(self) -> None:
        """It waits for memory now, as long as it might wait for a piece."""
        self._deadline.set(self._limits.body_timeout)
