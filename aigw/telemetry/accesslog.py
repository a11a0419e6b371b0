"""
The access log: records become JSON lines, gathered and written by a thread.

The reactor's thread only encodes, into a buffer with a bound in bytes and in lines.
Every ``interval`` seconds, or when enough has come together, the buffer is handed to a
thread, one batch at a time. While a batch is stuck (a full pipe, a slow disk) lines
gather up to the bound, and are then dropped and counted. The thread is a daemon of its
own, not one of the reactor's pool: a thread stuck in ``write`` would keep the pool, and
with it the process, from ending.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from aigw.interfaces.recorder import IRecorder
from aigw.model.record import Record

from . import line
from .sink import Sink

log = Logger()

#: A batch of this many bytes does not wait for the interval.
_ENOUGH = 1024 * 1024
#: Seconds between two complaints about lost records.
_COMPLAINT = 30.0


class Calls(Protocol):
    """Runs a call elsewhere: in a thread, or from a thread in the reactor."""

    def __call__(self, call: Callable[..., Any], /, *arguments: Any) -> Any: ...


def in_daemon(call: Callable[..., Any], /, *arguments: Any) -> None:
    """Run a call in a thread of its own that does not keep the process alive."""
    Thread(target=call, args=arguments, name="aigw-log", daemon=True).start()


@implementer(IRecorder)
class NoLog:
    """An access log that is off; has the methods of :class:`AccessLog`."""

    dropped = 0
    written = 0

    def record(self, record: Record) -> None:
        pass

    def reopen(self) -> None:
        pass

    def stop(self, patience: float = 2.0) -> Deferred[None]:
        return succeed(None)


def access_log(
    path: str, form: str, clock: IReactorTime, from_thread: Calls
) -> AccessLog | NoLog:
    """
    The access log that ``log.access`` of the configuration asks for.

    :param path: see :class:`aigw.telemetry.sink.Sink`.
    :param form: ``json`` or ``off``.
    :param from_thread: the reactor's ``callFromThread``.
    :raises ConfigError: the file cannot be opened.
    """
    return NoLog() if form == "off" else AccessLog(Sink(path), clock, from_thread)


@implementer(IRecorder)
class AccessLog:
    """
    See the module. One serves the process; used from the reactor's thread alone.

    :ivar dropped: records lost: no room, not encodable, not taken by the target.
    :ivar written: records the target took.
    """

    def __init__(
        self,
        sink: Sink,
        clock: IReactorTime,
        from_thread: Calls,
        in_thread: Calls = in_daemon,
        *,
        interval: float = 0.1,
        max_bytes: int = 32 * 1024 * 1024,
        max_lines: int = 16384,
    ) -> None:
        """
        :param from_thread: the reactor's ``callFromThread``.
        :param in_thread: runs a call where it may block.
        :param interval: seconds for which lines are gathered.
        :param max_bytes: the most bytes held, those being written included.
        :param max_lines: the most lines held, likewise.
        """
        self.dropped = 0
        self.written = 0
        self._sink = sink
        self._clock = clock
        self._from_thread = from_thread
        self._in_thread = in_thread
        self._interval = interval
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._lines = bytearray()
        self._count = 0
        self._writing = False
        self._writing_bytes = 0
        self._writing_count = 0
        self._turn: IDelayedCall | None = None
        self._reopen = False
        self._stopped: Deferred[None] | None = None
        self._patience: IDelayedCall | None = None
        self._told = 0
        self._quiet_until = 0.0

    def record(self, record: Record) -> None:
        lines = self._lines
        start = len(lines)
        if (
            self._stopped is not None
            or self._count + self._writing_count >= self._max_lines
        ):
            self._drop()
            return
        try:
            line.append(record, lines)
        except Exception:
            del lines[start:]
            log.failure("A record could not be written as JSON.")
            self.dropped += 1
            self._told += 1
            return
        if len(lines) + self._writing_bytes > self._max_bytes:
            del lines[start:]
            self._drop()
            return
        self._count += 1
        if len(lines) >= _ENOUGH and not self._writing:
            self._hand_over()
        elif self._turn is None:
            self._turn = self._clock.callLater(self._interval, self._due)

    def reopen(self) -> None:
        """Open the file anew before the next batch: it was moved by log rotation."""
        self._reopen = True
        if not self._writing and self._stopped is None:
            self._hand_over()

    def stop(self, patience: float = 2.0) -> Deferred[None]:
        """
        Take no more, write what is held, let go of the file.

        :param patience: seconds to wait for a target that takes nothing; what it has
            not taken by then is lost.
        :returns: fires when all is written, or patience has ended; never fails.
        """
        if self._stopped is not None:
            return succeed(None)
        self._stopped = Deferred()
        self._patience = self._clock.callLater(patience, self._give_up)
        if not self._writing:
            self._hand_over()
        return self._stopped

    def _due(self) -> None:
        self._turn = None
        if not self._writing:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        batch, self._lines = self._lines, bytearray()
        self._writing = True
        self._writing_bytes = len(batch)
        self._writing_count, self._count = self._count, 0
        reopen, self._reopen = self._reopen, False
        last = self._stopped is not None
        try:
            self._in_thread(self._write, batch, reopen, last)
        except RuntimeError as error:  # there is no thread to spare
            self._wrote(False, error, last)

    def _write(self, batch: bytearray, reopen: bool, last: bool) -> None:
        """In the thread. Whatever goes wrong, the reactor hears that it is over."""
        problem: Exception | None = None
        taken = False
        try:
            if reopen:
                try:
                    self._sink.reopen()
                except OSError as error:
                    problem = error  # the old file goes on
            self._sink.write(batch)
            taken = True
        except Exception as error:
            problem = error
        if last:
            self._sink.close()
        self._from_thread(self._wrote, taken, problem, last)

    def _wrote(self, taken: bool, problem: Exception | None, last: bool) -> None:
        count, self._writing_count = self._writing_count, 0
        self._writing = False
        self._writing_bytes = 0
        if taken:
            self.written += count
        else:
            self.dropped += count
        if last:
            self._finish(problem)
            return
        self._complain(problem)
        if self._stopped is not None or self._reopen or len(self._lines) >= _ENOUGH:
            self._hand_over()
        elif self._count and self._turn is None:
            self._turn = self._clock.callLater(self._interval, self._due)

    def _give_up(self) -> None:
        """The last batch has not been taken; its thread is left to itself."""
        self._patience = None
        self.dropped += self._count + self._writing_count
        self._count = self._writing_count = 0
        self._lines = bytearray()
        self._finish(None)

    def _finish(self, problem: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._quiet_until = 0.0
        self._complain(problem)
        if self._stopped is not None and not self._stopped.called:
            self._stopped.callback(None)

    def _drop(self) -> None:
        self.dropped += 1
        self._complain(None)

    def _complain(self, problem: Exception | None) -> None:
        """One line in the daemon's log now and then, not one a record."""
        lost = self.dropped - self._told
        if not lost and problem is None:
            return
        now = self._clock.seconds()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _COMPLAINT
        self._told = self.dropped
        log.error(
            "Access log {path}: {lost} records lost, {dropped} in all. {problem}",
            path=self._sink.path,
            lost=lost,
            dropped=self.dropped,
            problem=problem or "The target takes too little.",
        )
