"""
The memory a burst has taken, given back when it is over.

Neither allocator does so by itself: Python keeps lists of freed tuples, any of which
holds on to a megabyte around it, and glibc keeps what lies below the last block in use.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from aigw.pymalloc import Home

log = Logger()

#: Seconds between two looks.
_LOOK: Final = 1.0
#: In which looks, counted from the one that saw a burst over, memory is given back.
#: What is in hand in one of them, and goes to the interpreter's lists of freed objects
#: only then, is not in hand in the next.
_GIVING: Final = (0, 1, 2, 8, 9, 10)
#: Bursts of fewer connections are not worth the time.
_BURST: Final = 256
#: Free bytes at the heap's end that are not given back at once, and the size from which
#: a block has pages of its own. By itself glibc gives back all above twice the largest
#: block freed: each body of 1 MB then costs 0.6 ms of page faults.
_KEPT: Final = 16 * 1024 * 1024
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def settle() -> None:
    """
    From now on the collector need not look again at what stands now, which stands to
    the end; and it looks seldom, for what requests leave behind holds no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class Memory:
    """
    Looks every second whether a burst of connections is over, that is, whether at most
    a quarter of them is left; then collects and trims. That takes some 20 ms for each
    1,000 connections left: the quarter keeps it small beside what they cost. Until the
    next burst has come some of the next looks do it again, for what is made anew all
    the time moves back home (see :mod:`.pymalloc`) little by little.

    :param connections: how many are open.
    :param threads: those of the reactor. One that is idle holds on to what it did last.
    :param tables: sets and dictionaries with something of each connection; they do not
        become smaller by what is taken out of them.
    """

    def __init__(
        self,
        clock: IReactorTime,
        connections: Callable[[], int],
        threads: Callable[[], ThreadPool],
        tables: Iterable[set[Any] | dict[Any, Any]] = (),
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._threads = threads
        self._tables = tuple(tables)
        self._most = 0
        self._left = 0
        self._since: int | None = None
        self._giving: IDelayedCall | None = None
        self._home: Home | None = None
        self._trim: Callable[[int], int] | None = None
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def start(self) -> None:
        """Begin to look, and have the process keep what large bodies freed."""
        self._home = Home.now()
        # malloc_trim(3) and these two of mallopt(3) are glibc's own.
        libc = ctypes.CDLL(None)
        self._trim = getattr(libc, "malloc_trim", None)
        if self._trim is not None:
            libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
            libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        self._loop.start(_LOOK, now=False).addErrback(
            lambda failure: log.failure("Memory is given back no more.", failure)
        )

    def stop(self) -> None:
        """Look no more. Idempotent."""
        if self._loop.running:
            self._loop.stop()
        if self._giving is not None:
            self._giving.cancel()
            self._giving = None

    def _look(self) -> None:
        now = self._connections()
        if now > max(_BURST, 4 * self._left):
            self._since = None  # the next burst has come
        if now > self._most:
            self._most = now
        elif self._most >= _BURST and now * 4 <= self._most:
            self._most = self._left = now
            self._since = 0
            self._release_threads()
        since = self._since
        if since is None:
            return
        self._since = since + 1 if since < _GIVING[-1] else None
        if since in _GIVING and self._giving is None:
            # Not from here: what the loop itself has in hand is not free then.
            self._giving = self._clock.callLater(0, self._step, self._give_back())

    def _release_threads(self) -> None:
        pool = self._threads()
        least, most = pool.min, pool.max
        pool.adjustPoolsize(0, 0)
        pool.adjustPoolsize(least, most)
        # It remembers all it ever had.
        pool.threads[:] = [thread for thread in pool.threads if thread.is_alive()]

    def _give_back(self) -> Iterator[None]:
        gc.collect()
        # It keeps the names it was asked for, and some are made anew for each question.
        forget = getattr(sys, "_clear_internal_caches", None)  # since CPython 3.13
        (forget or sys._clear_type_cache)()
        if self._home is not None:
            yield from self._home.prefer()
        for table in self._tables:
            _shrink(table)
        if self._trim is not None:
            self._trim(0)

    def _step(self, giving: Iterator[None]) -> None:
        """A step a turn of the reactor: streams are not held up."""
        self._giving = None
        for _ in giving:
            self._giving = self._clock.callLater(0, self._step, giving)
            break


def _shrink(table: set[Any] | dict[Any, Any]) -> None:
    left = table.copy()
    table.clear()
    table.update(left)
