"""The provider's end of connections in memory."""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from aigw.http.upstream import Upstream
from aigw.model.headers import Headers
from aigw.model.outbound import Keepalive, Origin, Outbound, Patience
from aigw.streaming.timers import Wheel

ORIGIN = Origin("http", "127.0.0.1", 80)


def outbound(
    method: str = "POST",
    target: bytes = b"/v1/chat",
    headers: Headers | None = None,
    body: bytes = b'{"a":1}',
    origin: Origin = ORIGIN,
    patience: Patience = Patience(),
    keepalive: Keepalive = Keepalive(),
) -> Outbound:
    return Outbound(origin, method, target, headers or [], body, patience, keepalive)


class Wire(StringTransport):
    """
    A client's TCP connection whose peer is the test. It keeps the promises that matter
    here: paused, nothing arrives; closing is told in a later turn; an abort drops all.
    """

    def __init__(self, reactor: MemoryReactorClock, protocol: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.protocol = protocol
        self.ended = ""  # how our side closed it: fin, rst
        self.gone = False
        self.taking = True  # whether the peer takes what is written
        self._reactor = reactor
        self._arriving: deque[bytes | Exception] = deque()
        self._producer_paused = False

    # -- the peer

    def arrive(self, data: bytes) -> None:
        """The peer sends what one read returns."""
        self._arriving.append(data)
        self._deliver()

    def close(self, error: Exception | None = None) -> None:
        """The peer closes: by FIN, unless told otherwise."""
        self._arriving.append(error or ConnectionDone())
        self._deliver()

    def reset(self) -> None:
        self.close(ConnectionLost())

    def drain(self) -> None:
        """The peer takes what was written."""
        if self.producer is not None and self._producer_paused:
            self._producer_paused = False
            self.producer.resumeProducing()

    def _deliver(self) -> None:
        while self._arriving and not self.gone and not self.ended:
            if self.producerState == "paused":
                return
            news = self._arriving.popleft()
            if isinstance(news, bytes):
                self.protocol.dataReceived(news)
            else:
                self._lose(news)

    def _lose(self, error: Exception) -> None:
        if not self.gone:
            self.gone = True
            if self.producer is not None:
                self.producer.stopProducing()
            self.protocol.connectionLost(Failure(error))

    # -- our side

    def write(self, data: bytes) -> None:
        if self.ended or self.gone:
            return
        super().write(data)  # type: ignore[no-untyped-call]
        if self.producer is not None and not self.taking:
            self._producer_paused = True
            self.producer.pauseProducing()

    def resumeProducing(self) -> None:
        if self.producerState == "paused":
            super().resumeProducing()  # type: ignore[no-untyped-call]
            self._reactor.callLater(0, self._deliver)

    def stopProducing(self) -> None:
        self._end("fin", ConnectionDone())

    def abortConnection(self) -> None:
        self._end("rst", ConnectionAborted())

    def _end(self, how: str, error: Exception) -> None:
        if not self.ended and not self.gone:
            self.ended = how
            self._reactor.callLater(0, self._lose, error)


class MemoryRig:
    """The real upstream, its connections in memory."""

    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.wheel = Wheel(self.reactor)
        self.upstream: Upstream = Upstream(self.reactor, self.wheel)
        self.wires: list[Wire] = []
        self.taking = True

    @property
    def wire(self) -> Wire:
        return self.wires[-1]

    def settle(self) -> None:
        """Accept pending connections and let pass all that is due."""
        for _ in range(5):
            while self.reactor.tcpClients:
                _, _, factory, _, _ = self.reactor.tcpClients.pop(0)
                if self.reactor.connectors.pop(0).stoppedConnecting:
                    continue
                protocol = factory.buildProtocol(None)
                assert protocol is not None
                wire = Wire(self.reactor, protocol)
                wire.taking = self.taking
                self.wires.append(wire)
                protocol.makeConnection(wire)
            self.reactor.advance(0)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.reactor.advance(0.1)

    def received(self) -> tuple[str, bytes, bytes]:
        head, body = self.wire.value().split(  # type: ignore[no-untyped-call]
            b"\r\n\r\n", 1
        )
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        return method.decode(), target, body

    def head(self, status: int, headers: Headers) -> None:
        fields = b"".join(b"%b: %b\r\n" % field for field in headers)
        self.wire.arrive(
            b"HTTP/1.1 %d OK\r\n%btransfer-encoding: chunked\r\n\r\n" % (status, fields)
        )

    def body(self, data: bytes) -> None:
        self.wire.arrive(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.wire.arrive(b"0\r\n\r\n")

    def break_off(self) -> None:
        self.wire.close()

    def closed(self) -> bool:
        return bool(self.wire.ended)
