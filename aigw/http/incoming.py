"""
A request body on its way in: read whole, relayed as a source, or wanted by nobody.

While nobody has asked for it, 64 KiB of it are taken and the connection is then read no
more; likewise while an upload is paused, or a read waits for the budget. A connection
that is not read does not tell that its client has left, so the kernel is asked every
second (``reading``). That finds a reset, and a FIN unless it stands behind data which
the client could not send; then the exchange's own deadlines must end it, as they end
an upload whose provider takes nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred

from aigw.errors import BadRequest, BodyTooLarge, GatewayError, Unavailable
from aigw.interfaces.downstream import IBodySource

from .body import ChunkedBody, SizedBody
from .budget import Budget
from .deadline import Deadline
from .limits import Limits
from .pace import Pace
from .reply import CONTINUE
from .request import Head
from .store import Store
from .upload import Upload


class Line(Protocol):
    """The connection a body comes from."""

    def hold(self) -> None:
        """Read no more for now. Idempotent."""

    def release(self) -> None:
        """Read on. Idempotent."""

    def send(self, data: bytes) -> None:
        """Write to the client."""

    def spoil(self) -> None:
        """The connection cannot be kept after this answer. Idempotent."""


class _For(Enum):
    NOBODY_YET = 0
    READ = 1
    UPLOAD = 2
    NOBODY = 3


class Incoming:
    """
    The channel calls ``feed`` until ``done``, and ``fail`` if the client leaves; the
    exchange ``read`` or ``source``; the answer ``forsake`` and ``close``.

    :ivar done: whether nothing more of it will come.
    """

    def __init__(
        self, line: Line, head: Head, limits: Limits, budget: Budget, deadline: Deadline
    ) -> None:
        """:param deadline: the connection's; it calls :meth:`due` until ``close``."""
        self.done = False
        self._length = head.length
        self._body = (
            ChunkedBody(limits) if head.length is None else SizedBody(head.length)
        )
        self._line = line
        self._limits = limits
        self._budget = budget
        self._pace = Pace(deadline, limits)
        self._store = Store(budget)
        self._for = _For.NOBODY_YET
        self._upload: Upload | None = None
        self._waiter: Deferred[None] | None = None
        self._expects = head.expects
        self._most = 0
        self._received = 0
        self._leftover = 0  # bytes that came although nobody wants them
        self._paused = False  # by the upload
        self._over = False  # whether the deadline and the line are others' business
        self._error: Exception | None = None

    # -- the channel's side

    @property
    def short(self) -> bool:
        """Whether it may be thrown away, so that the connection can be kept."""
        # Who waits for 100 Continue and gets an answer instead may or may not send the
        # body (RFC 9110, section 10.1.1): nobody could tell what comes next.
        left = self._body.left
        return not self._expects and (left is None or left <= self._limits.leftover)

    def feed(self, data: bytes) -> bytes:
        """
        Take the bytes of one read, not empty.

        :returns: what stands behind the body.
        """
        self._expects = False
        body = self._body
        try:
            piece = body.feed(data)
        except GatewayError as error:
            self._line.spoil()  # nobody knows where the next request begins
            self.fail(error)
            return b""
        if self._for is _For.NOBODY:
            self._leftover += len(data) - len(body.rest)
            if self._leftover > self._limits.leftover:
                self._line.spoil()
            if self._leftover > self._limits.discarded:
                self._line.hold()
        elif piece:
            self._arrived(piece)
        if body.complete and not self.done:
            self._complete()
        return body.rest

    def fail(self, error: Exception) -> None:
        """No more will come, or none that can be understood."""
        if self.done:
            return
        self.done = True
        self._error = error
        self._stop(error)

    def due(self) -> None:
        """The deadline has passed: too slow, or too long without memory."""
        error: GatewayError
        if self._budget.waits(self._go_on):
            error = Unavailable("too many request bodies are held", retry_after=1)
        else:
            text = "the request body came too slowly"
            error = BadRequest(text, status=408, reason="body")
        self.interrupt(error)

    def interrupt(self, error: GatewayError) -> None:
        """Wait no longer: whoever wants it is told ``error``."""
        if not self.done:
            self._error = error
            self._stop(error)

    def forsake(self) -> None:
        """
        The answer begins: what nobody has asked for is not wanted any more. An upload
        goes on, for a provider may answer while it runs.
        """
        if self._for is _For.NOBODY_YET and not self.done:
            self.discard()

    def close(self) -> None:
        """
        The answer is over: nothing is wanted, and nothing held. From here on nobody's
        word, not even an upload's, moves the connection. Idempotent.
        """
        self._upload = None
        self._stop(CancelledError())
        self._over = True

    # -- the exchange's side

    async def read(self, limit: int) -> bytes:
        """See :meth:`aigw.interfaces.downstream.IDownstream.read`."""
        if self._error is not None:
            raise self._error
        if self._for is not _For.NOBODY_YET:
            raise RuntimeError("a body is read once, before the answer begins")
        if (self._length or 0) > limit or self._received > limit:
            self._line.spoil()
            self.discard()
            raise _too_large(limit)
        self._for = _For.READ
        self._most = limit
        if not self.done:
            self._waiter = Deferred(self._abandoned)
            if self._must_wait():
                self._wait()
            else:
                self.continue_reading()
            await self._waiter
        return self._store.take()

    def source(self) -> IBodySource:
        """See :meth:`aigw.interfaces.downstream.IDownstream.source`."""
        self._upload = Upload(self, self._length, self._store)
        return self._upload

    # -- the upload's side

    def begin_upload(self) -> Exception | None:
        """
        What comes goes to the upload from now on.

        :returns: None, or why nothing will come.
        """
        if self._error is None and self._upload is None:
            return CancelledError()  # the answer has begun or ended without it
        self._for = _For.UPLOAD
        return self._error

    def continue_reading(self) -> None:
        """Read on; the client must send now."""
        if self.done or self._over:
            return
        self._paused = False
        self._pace.start(self._received)
        self._line.release()
        if self._expects:
            self._expects = False
            self._line.send(CONTINUE)

    def stop_reading(self) -> None:
        """Leave the rest unread for now; the client's time stands still."""
        if not (self.done or self._over):
            self._paused = True
            self._pace.stop()
            self._line.hold()

    def discard(self) -> None:
        """
        Throw away what is held and what comes; but read on, to see the client leave.
        """
        if self._over:
            return
        self._for = _For.NOBODY
        self._upload = None
        self._budget.forget(self._go_on)
        self._store.free()
        self._pace.stop()
        self._line.release()

    # -- inside

    def _arrived(self, data: bytes) -> None:
        self._received += len(data)
        upload = self._upload
        if self._for is _For.UPLOAD and upload is not None:
            if not self._paused:
                self._pace.progress(self._received)
            upload.arrived(data)
            return
        self._store.add(data)
        if self._for is _For.READ:
            if self._received > self._most:
                self._error = error = _too_large(self._most)
                self._stop(error)
            elif self._must_wait() and not self._body.complete:
                self._wait()
            else:
                self._pace.progress(self._received)
        elif self._store.size > self._limits.unread:
            self._line.hold()

    def _complete(self) -> None:
        self.done = True
        if self._over:
            return
        self._budget.forget(self._go_on)
        self._pace.stop()
        self._line.release()  # whoever held it: what comes now is the client's leaving
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)
        elif self._upload is not None:
            self._upload.ended()

    def _stop(self, error: Exception) -> None:
        """Discard all, and tell who waits why."""
        if isinstance(error, GatewayError):
            self._line.spoil()
        waiter, self._waiter = self._waiter, None
        upload = self._upload
        self.discard()
        if waiter is not None:
            waiter.errback(error)
        elif upload is not None:
            upload.broke(error)

    def _abandoned(self, _waiter: Deferred[None]) -> None:
        self._waiter = None
        self.discard()

    def _must_wait(self) -> bool:
        """Whether memory is spent; if by this body alone, nobody can give back."""
        budget = self._budget
        return budget.spent and budget.held > self._store.counted

    def _wait(self) -> None:
        """Leave the rest unread until others have given memory back."""
        self._budget.wait(self._go_on)
        self._pace.wait()
        self._line.hold()

    def _go_on(self) -> None:
        self.continue_reading()


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request body is over {limit} bytes")
