"""
The asynchronous flush: bytes that arrive faster than the interval leave together.

One ``LoopingCall`` per interval value serves all streams of the process, because a loop
each would cost 9 µs a tick and stream. It runs only while a stream has something to
flush. That the *first* bytes after a silence leave at once is the stream's own business
(see relay.py): a stream comes here only with bytes that came too soon after others.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()


class Flushable(Protocol):
    """Who has bytes to flush."""

    def flush(self) -> None:
        """Write what was gathered. Called once per :meth:`Ticker.add`."""


class Ticker:
    """The flush of all streams with one interval (seconds)."""

    def __init__(self, clock: IReactorTime, interval: float) -> None:
        self.interval = interval
        self._waiting: dict[Flushable, None] = {}
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock

    def add(self, stream: Flushable) -> None:
        """Flush ``stream`` at the next tick."""
        self._waiting[stream] = None
        if not self._loop.running:
            self._loop.start(self.interval, now=False).addErrback(self._failed)

    def discard(self, stream: Flushable) -> None:
        """Let go of ``stream``; idempotent."""
        self._waiting.pop(stream, None)

    @property
    def running(self) -> bool:
        """Whether the loop ticks."""
        return self._loop.running

    def stop(self) -> None:
        """Let go of all streams."""
        self._waiting.clear()
        if self._loop.running:
            self._loop.stop()

    def _tick(self) -> None:
        if not self._waiting:
            self._loop.stop()
            return
        # A flush may make its stream, or another, leave or come again.
        waiting = self._waiting
        self._waiting = {}
        for stream in waiting:
            try:
                stream.flush()
            except Exception:
                log.failure("A stream could not be flushed.")

    def _failed(self, failure: Failure) -> None:
        log.failure("The flush loop failed.", failure)


class Flush:
    """All tickers of the process, by interval."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._tickers: dict[float, Ticker] = {}

    def ticker(self, interval: float) -> Ticker:
        """The ticker for ``interval`` seconds."""
        ticker = self._tickers.get(interval)
        if ticker is None:
            ticker = self._tickers[interval] = Ticker(self._clock, interval)
        return ticker

    def stop(self) -> None:
        """Stop every loop; for the end of the process."""
        for ticker in self._tickers.values():
            ticker.stop()
