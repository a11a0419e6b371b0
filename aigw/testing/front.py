"""
Fronts in memory: a client's bytes in, the answer's bytes out.

:class:`FrontPair` joins a real front to a :class:`Wire`. The wire behaves as a socket's
transport does where that matters: a paused one delivers nothing, the end of a
connection is told in a later turn, a producer that is registered is told of the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IConsumer, IPushProducer, ITransport
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.http.front import Front
from aigw.http.limits import Limits
from aigw.http.site import GatewaySite
from aigw.interfaces import IDownstream
from aigw.streaming.timers import Wheel

#: The fronts that keep the promises of IDownstream.
KINDS = ("channel", "resource")

Serve = Callable[[IDownstream], Coroutine[Any, Any, None]]


@implementer(ITransport, IConsumer, IPushProducer)
class Wire:
    """
    The server's end of a connection whose client is the test.

    :ivar sent: what was written and not yet taken by :meth:`take`.
    :ivar writes: each piece written.
    :ivar ended: how our side ended it: ``""``, ``half``, ``fin`` or ``rst``.
    :ivar gone: whether the protocol was told that the connection is lost.
    :ivar reading: whether our side reads.
    """

    disconnecting = False

    def __init__(self, clock: Clock, peer: IAddress | None = None) -> None:
        self.sent = bytearray()
        self.writes: list[bytes] = []
        self.ended = ""
        self.gone = False
        self.reading = True
        self.protocol: Any = None
        self._clock = clock
        self._peer = peer or IPv4Address("TCP", "192.0.2.7", 1234)
        self._arriving: deque[bytes | Exception] = deque()
        self._producer: Any = None
        self._streaming = True
        self._full = False

    # -- the client

    def arrive(self, data: bytes) -> None:
        """The client sends what one read returns."""
        self._arriving.append(data)
        self._deliver()

    def leave(self, error: Exception | None = None) -> None:
        """The client goes: by FIN, unless told otherwise."""
        self._arriving.append(error or ConnectionDone())
        self._deliver()

    def reset(self) -> None:
        """The client resets the connection; that is seen even by who does not read."""
        self._lose(ConnectionLost())

    def fill(self) -> None:
        """The client takes nothing more: the transport is full."""
        self._full = True
        if self._producer is not None and self._streaming:
            self._producer.pauseProducing()

    def empty(self) -> None:
        """The client has taken all."""
        self._full = False
        if self._producer is not None:
            self._producer.resumeProducing()
        self._end_if_asked()

    def take(self) -> bytes:
        """What was sent since the last call."""
        data = bytes(self.sent)
        self.sent.clear()
        return data

    def _deliver(self) -> None:
        while self._arriving and self.reading and not self.gone:
            if self.ended in ("fin", "rst"):
                return
            news = self._arriving.popleft()
            if isinstance(news, bytes):
                self.protocol.dataReceived(news)
            else:
                self._lose(news)

    def _lose(self, error: Exception) -> None:
        if not self.gone:
            self.gone = True
            producer, self._producer = self._producer, None
            if producer is not None:
                producer.stopProducing()
            self.protocol.connectionLost(Failure(error))

    # -- our side

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes), "only bytes are written"
        if self.ended or self.gone or not data:
            return
        self.sent += data
        self.writes.append(data)
        if self._full and self._producer is not None and self._streaming:
            self._producer.pauseProducing()

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        if not self.disconnecting and self.ended != "rst":
            self.disconnecting = True
            self.reading = False
            self._end_if_asked()

    def loseWriteConnection(self) -> None:
        if not self.ended:
            self.ended = "half"

    def abortConnection(self) -> None:
        if not self.gone and self.ended != "rst":
            self.ended = "rst"
            self._clock.callLater(0, self._lose, ConnectionAborted())

    def _end_if_asked(self) -> None:
        if self.disconnecting and not self._full and self._producer is None:
            if self.ended != "rst":
                self.ended = "fin"
                self._clock.callLater(0, self._lose, ConnectionDone())

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self._producer is None, "two producers"
        if self.gone:
            producer.stopProducing()
            return
        self._producer, self._streaming = producer, streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self._producer = None
        self._end_if_asked()

    def startWriting(self) -> None:
        if not self._full and self._producer is not None and not self._streaming:
            self._clock.callLater(0, self._resume, self._producer)

    def _resume(self, producer: Any) -> None:
        if self._producer is producer:
            producer.resumeProducing()

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        if not (self.reading or self.disconnecting or self.gone):
            self.reading = True
            self._clock.callLater(0, self._deliver)

    def stopProducing(self) -> None:
        self.loseConnection()

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "192.0.2.1", 80)


class FrontPair:
    """
    A front and one client's connection to it.

    :param serve: called with each downstream, as fronts do.
    :param kind: one of :data:`KINDS`.
    :param limits: of the channel's front.
    :param settings: further arguments of the front.
    :ivar clock: the front's; :meth:`settle` lets pass what is due.
    """

    def __init__(
        self,
        serve: Serve,
        kind: str = "channel",
        *,
        limits: Limits | None = None,
        peer: IAddress | None = None,
        **settings: Any,
    ) -> None:
        self.kind = kind
        self.clock = Clock()
        self.wheel = Wheel(self.clock)
        self.front: Any
        if kind == "channel":
            self.front = Front(
                serve, self.wheel, limits, time=lambda: 1_800_000_000.0, **settings
            )
        else:
            self.front = GatewaySite(serve, self.clock, **settings)
        self.wire = self.connect(peer)

    def connect(self, peer: IAddress | None = None) -> Wire:
        """One more connection to the front."""
        wire = Wire(self.clock, peer)
        wire.protocol = self.front.buildProtocol(wire.getPeer())
        if self.kind != "channel":
            wire.protocol.callLater = self.clock.callLater
        wire.protocol.makeConnection(wire)
        return wire

    def send(self, data: bytes) -> None:
        """The client sends ``data``, and all that is due happens."""
        self.wire.arrive(data)
        self.settle()

    def received(self) -> bytes:
        """What the client was sent since the last call."""
        return self.wire.take()

    def settle(self) -> None:
        """Let pass the turns, and the ticks of the wheel, that are due about now."""
        for _ in range(4):
            self.clock.advance(0.05)

    def pass_time(self, seconds: float) -> None:
        """Let ``seconds`` pass, in steps no timer can be missed between."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)

    def close(self) -> None:
        """Lose the connection, and see that nothing is left."""
        self.wire.reset()
        self.clock.advance(120)
        self.wheel.stop()
        left = self.clock.getDelayedCalls()
        assert not left, f"delayed calls left: {left}"
