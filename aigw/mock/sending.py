"""Sends one answer at its pace, and no faster than the transport takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from .answer import Answer
from .chunks import Chunk
from .script import Ending
from .seen import Seen

#: Chunks written in one turn of the reactor, at most.
_TURN: Final = 32

#: A reset drops what the kernel has not delivered yet: so long it is waited with, s.
_BEFORE_RESET: Final = 0.02

_AT_ONCE: Final = (Ending.FINISH, Ending.LINGER, Ending.STALL)


@implementer(IPushProducer)
class Sending:
    """
    One answer under way.

    :param keep: how many bytes of the body ``seen.sent`` holds at most.
    :param changed: called when ``seen`` has changed.
    :param ended: called once, when there is no more to write and the connection may
        serve the next request (True), or is to be closed (False).
    """

    def __init__(
        self,
        clock: IReactorTime,
        transport: Any,
        answer: Answer,
        seen: Seen,
        keep: int,
        changed: Callable[[], None],
        ended: Callable[[bool], None],
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._answer = answer
        self._seen = seen
        self._keep = keep
        self._changed = changed
        self._ended = ended
        self._pace = answer.knobs.pace
        self._call: IDelayedCall | None = None
        self._next: Chunk | Ending | None = None
        self._due = 0.0
        self._paused = False
        self._over = False

    def begin(self) -> None:
        """Answer, now or when the knobs say."""
        if self._answer.head is None:
            self._seen.state = "silent"
            self._changed()
        elif self._answer.knobs.f:
            self._call = self._clock.callLater(self._answer.knobs.f / 1000, self._head)
        else:
            self._head()

    def lost(self) -> None:
        """The connection has gone."""
        self._stop()
        if not self._over:
            self._over = True
            self._seen.state = "left"
            self._seen.left_at = self._clock.seconds()
            self._changed()

    # -- IPushProducer

    def pauseProducing(self) -> None:
        if not self._paused:
            self._paused = True
            self._seen.paused += 1
            self._stop()

    def resumeProducing(self) -> None:
        if self._paused:
            self._paused = False
            # Not now: this may be inside our own write.
            if self._next is not None:
                self._call = self._clock.callLater(0, self._go)

    def stopProducing(self) -> None:
        # The transport is going; connectionLost tells.
        self._stop()

    # -- the way of an answer

    def _head(self) -> None:
        self._call = None
        seen = self._seen
        seen.state, seen.status = "sending", self._answer.status
        seen.head_at = self._clock.seconds()
        self._transport.registerProducer(self, True)
        assert self._answer.head is not None
        self._transport.write(self._answer.head)
        self._due = seen.head_at + self._answer.knobs.g / 1000
        self._look()
        self._go()

    def _look(self) -> None:
        self._next = next(self._answer.chunks)
        if self._next is Ending.RST:
            self._due = max(self._due, self._clock.seconds() + _BEFORE_RESET)

    def _go(self) -> None:
        self._call = None
        for _ in range(_TURN):
            if self._paused:
                break
            wait = self._due - self._clock.seconds()
            # An end that adds nothing to the stream does not wait for its pace.
            if wait > 0 and self._next not in _AT_ONCE:
                self._call = self._clock.callLater(wait, self._go)
                break
            if not isinstance(self._next, Chunk):
                self._end()
                break
            self._write(self._next)
            self._look()
        else:
            self._call = self._clock.callLater(0, self._go)
        self._changed()

    def _write(self, chunk: Chunk) -> None:
        seen, data = self._seen, chunk.data
        now = self._clock.seconds()
        # Late is late: a chunk that had to wait does not hurry those behind it.
        self._due = max(self._due + self._pace, now)
        seen.events += chunk.events
        seen.sent_bytes += len(data)
        seen.last_at = now
        if seen.first_at is None:
            seen.first_at = now
        if len(seen.sent) < self._keep:
            seen.sent += data[: self._keep - len(seen.sent)]
        if self._answer.chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._transport.write(data)

    def _end(self) -> None:
        ending, self._next = self._next, None
        self._transport.unregisterProducer()
        if ending in (Ending.STALL, Ending.LINGER):
            self._seen.state = "silent"
            return
        self._over = True
        self._seen.state = "complete" if ending is Ending.FINISH else "cut"
        self._seen.ended_at = self._clock.seconds()
        if ending is Ending.RST:
            self._transport.abortConnection()
            return
        if ending is Ending.FINISH and self._answer.chunked:
            self._transport.write(b"0\r\n\r\n")
        self._ended(ending is Ending.FINISH and not self._answer.close)

    def _stop(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
