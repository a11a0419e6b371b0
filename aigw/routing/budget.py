"""
The budget of repeats: what a gateway may add to the load of providers in trouble.

Stepping to another instance costs nobody more than the request itself would have;
asking the same one again does, and does it when it hurts most.
"""

from __future__ import annotations

from typing import Final

#: The part of a route's requests that may be repeats.
SHARE: Final = 0.2
#: Repeats that are always allowed in a window.
LEAST: Final = 10
#: The window, seconds.
WINDOW: Final = 10.0


class Budget:
    """
    One route's repeats and hedges. Windows do not slide: the figures of the last full
    window count for the one under way as long as they are larger.
    """

    def __init__(self) -> None:
        self._began = float("-inf")
        self._requests = 0
        self._before = 0
        self._spent = 0

    def request(self, now: float) -> None:
        """A request came."""
        self._turn(now)
        self._requests += 1

    def take(self, now: float) -> bool:
        """Whether one more repeat is allowed; it is counted."""
        self._turn(now)
        most = max(LEAST, SHARE * max(self._requests, self._before))
        if self._spent + 1 > most:
            return False
        self._spent += 1
        return True

    def _turn(self, now: float) -> None:
        if now - self._began < WINDOW:
            return
        self._before = self._requests if now - self._began < 2 * WINDOW else 0
        self._began = now
        self._requests = self._spent = 0
