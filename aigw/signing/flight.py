"""One call under way, however many wait for what it brings."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """
    Makes one call at a time. Who stops waiting (is cancelled) leaves; the call goes on
    for the others, and for those to come.
    """

    def __init__(
        self, call: Callable[[], Coroutine[Deferred[Any], Any, Result]]
    ) -> None:
        self._call = call
        self._waiting: list[Deferred[Result]] = []
        self._under_way: Deferred[Result] | None = None

    @property
    def under_way(self) -> bool:
        return self._under_way is not None

    def join(self) -> Deferred[Result]:
        """What the call under way brings, one begun now where there is none."""
        waiter: Deferred[Result] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        if self._under_way is None:
            self._under_way = Deferred.fromCoroutine(self._call())
            self._under_way.addBoth(self._landed)
        return waiter

    def stop(self) -> None:
        """Cancel the call; who waits gets what it makes of that. Idempotent."""
        if self._under_way is not None:
            self._under_way.cancel()

    def _landed(self, result: Result | Failure) -> None:
        self._under_way = None
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if isinstance(result, Failure):
                waiter.errback(result)
            else:
                waiter.callback(result)
