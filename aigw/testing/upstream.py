"""
Providers in memory: an upstream whose answers the test plays, and a receiver that
writes down what it was told. Whether an ``IUpstream`` keeps its promises is checked by
:func:`aigw.testing.upstream_check.check_upstream`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from aigw.errors import UpstreamBroke, UpstreamError
from aigw.interfaces.downstream import IBodySource
from aigw.interfaces.upstream import IReceiver, IUpstream, IUpstreamCall
from aigw.model.headers import Headers
from aigw.model.outbound import Outbound


@implementer(IReceiver)
class MemoryReceiver:
    """
    Writes down what it is told, and holds the one who tells to ``IReceiver``'s order.

    :ivar told: the calls, each a tuple of its name and arguments.
    :ivar react: called with each tuple after it was written down; a test sets it to
        pause or stop from inside a call.
    """

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.react: Callable[[tuple[Any, ...]], None] | None = None
        self.status: int | None = None
        self.headers: Headers = []
        self.pieces: list[bytes] = []
        self.complete = False
        self.error: UpstreamError | None = None

    @property
    def data(self) -> bytes:
        """The body so far."""
        return b"".join(self.pieces)

    @property
    def done(self) -> bool:
        """Whether ``ended`` or ``failed`` was called."""
        return self.complete or self.error is not None

    def head(self, status: int, headers: Headers) -> None:
        assert self.status is None, "a second head"
        assert not self.done, "a head after the end"
        assert all(name == name.lower() for name, _ in headers), headers
        self.status, self.headers = status, headers
        self._tell("head", status, headers)

    def body(self, data: bytes) -> None:
        assert self.status is not None, "a body before the head"
        assert not self.done, "a body after the end"
        assert isinstance(data, bytes), type(data)
        assert data, "an empty piece of body"
        self.pieces.append(data)
        self._tell("body", data)

    def ended(self) -> None:
        assert self.status is not None, "an end before the head"
        assert not self.done, "a second end"
        self.complete = True
        self._tell("ended")

    def failed(self, error: UpstreamError) -> None:
        assert not self.done, "a second end"
        assert isinstance(error, UpstreamError), error
        self.error = error
        self._tell("failed", error)

    def _tell(self, *call: Any) -> None:
        self.told.append(call)
        if self.react is not None:
            self.react(call)


@implementer(IUpstreamCall)
class MemoryCall:
    """
    One request that reached the upstream in memory.

    The test plays the answer by :meth:`head`, :meth:`body`, :meth:`ended` and
    :meth:`failed`. Each reaches the receiver at once; while the call is paused they
    wait in :attr:`held`, as bytes would in the kernel, and follow in the clock's next
    turn after ``resume``. After ``stop`` they are dropped.

    :ivar outbound: what was sent.
    :ivar paused: whether the call is paused now.
    :ivar stopped: whether it was stopped before its answer ended.
    :ivar held: what was played while paused and not yet delivered.
    :ivar upload: what is sent in place of the outbound's body, or None; not started
        before :meth:`take`, as if no connection stood.
    :ivar taken: the pieces of it that came.
    :ivar took: ``finish`` or the failure at its end, None before.
    """

    def __init__(
        self,
        outbound: Outbound,
        receiver: IReceiver,
        clock: IReactorTime,
        upload: IBodySource | None = None,
    ) -> None:
        # As it was sent: who asked lets go of much of it once there is an answer.
        self.outbound = replace(outbound)
        self.upload = upload
        self.taken: list[bytes] = []
        self.took: str | Exception | None = None
        self.receiver = receiver
        self.address = f"{outbound.origin.host}:{outbound.origin.port}"
        self.reused = False
        self.connected_at: float | None = clock.seconds()
        self.sent_at: float | None = clock.seconds()
        self.paused = False
        self.stopped = False
        self.done = False
        self.held: list[tuple[str, tuple[Any, ...]]] = []
        self._clock = clock

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            if self.held:
                self._clock.callLater(0, self._release)

    def stop(self) -> None:
        if not self.done:
            self.stopped = self.done = True
            self.held.clear()
            self._let_go()

    def take(self) -> None:
        """Begin to take the upload: a connection stands."""
        assert self.upload is not None, "nothing is uploaded"
        self.upload.start(self.taken.append, self._took_all, self._took_part)

    def _took_all(self) -> None:
        self.took = "finish"

    def _took_part(self, error: Exception) -> None:
        self.took = error

    def _let_go(self) -> None:
        if self.upload is not None and self.took is None:
            self.upload.stop()

    def head(self, status: int = 200, headers: Headers | None = None) -> None:
        """Play the head of an answer; JSON unless told otherwise."""
        fields = (
            [(b"content-type", b"application/json")] if headers is None else headers
        )
        self._play("head", status, fields)

    def body(self, data: bytes) -> None:
        """Play a piece of the body, as one read."""
        assert data, "a transport never reads nothing"
        self._play("body", data)

    def ended(self) -> None:
        """Play the proper end of the answer."""
        self._play("ended")

    def failed(self, error: UpstreamError | None = None) -> None:
        """Play a failure; the provider broke off unless told otherwise."""
        broke = UpstreamBroke("the provider broke off", reason="closed_early")
        self._play("failed", broke if error is None else error)

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Play a whole answer."""
        self.head(status, headers)
        if body:
            self.body(body)
        self.ended()

    def _play(self, name: str, *arguments: Any) -> None:
        if self.done:
            return
        # Behind what is held even when resumed meanwhile, or the order would change.
        if self.paused or self.held:
            self.held.append((name, arguments))
            return
        self._deliver(name, arguments)

    def _deliver(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in ("ended", "failed"):
            self.done = True
            self._let_go()
        getattr(self.receiver, name)(*arguments)

    def _release(self) -> None:
        while self.held and not self.paused:
            self._deliver(*self.held.pop(0))


@implementer(IUpstream)
class MemoryUpstream:
    """
    An ``IUpstream`` without connections: it writes down each request and lets the test
    play the answer.

    :ivar calls: every request, in order.
    :ivar respond: called with each new call in the clock's next turn (never inside
        ``send``), unless that call was stopped before; for tests in which the code
        under test sends on its own, as a retry does.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.calls: list[MemoryCall] = []
        self.respond: Callable[[MemoryCall], None] | None = None
        self._clock = clock

    @property
    def last(self) -> MemoryCall:
        """The newest request."""
        return self.calls[-1]

    def send(
        self,
        outbound: Outbound,
        receiver: IReceiver,
        upload: IBodySource | None = None,
    ) -> MemoryCall:
        call = MemoryCall(outbound, receiver, self._clock, upload)
        self.calls.append(call)
        if self.respond is not None:
            self._clock.callLater(0, self._respond, call)
        return call

    def _respond(self, call: MemoryCall) -> None:
        if self.respond is not None and not call.done:
            self.respond(call)
