"""
Eager transports: what is written is sent at once, where it can be.

Twisted's socket transports queue each write, ask the reactor to tell when the socket is
writable, send in the next turn, and take the request back: three system calls and a
turn more than the ``send`` alone. An eager transport tries that ``send`` first when
nothing is queued, and leaves to the stock transport whatever the kernel did not take,
so that queueing, producers, closing and half-closing stay Twisted's own.

What must stay as it is elsewhere, and how:

- Pull producers are asked for more when the queue has run empty; with one registered,
  or once the connection is being closed, half-closed or aborted, everything goes
  through the queue.
- Nothing is ever disconnected from inside ``write``. What a broken connection cannot
  take is dropped, and the next read finds the end, after all that the peer had sent;
  if nothing is being read, the data goes to the queue, whose sending finds it.
- A failed send has *taken* the socket's error (RST, timed out) with it: the read then
  sees a plain end, and a body delimited by the connection's close would look complete.
  So the failure is remembered and the end is reported as ConnectionLost. EPIPE is no
  such error: it says that the peer's proper end had come before.
- The kernel's send buffer grows to megabytes, and only what it refuses pauses a
  producer. ``TCP_NOTSENT_LOWAT`` bounds the part that waits for the peer's window.

Nobody else in aigw knows of this: our two protocols call :func:`upgrade` when their
connection is made, and go on with the same transport.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from errno import ECONNRESET, EPIPE, ETIMEDOUT
from typing import Any, Final, cast

from twisted.internet import tcp, unix
from twisted.internet.error import ConnectionDone
from twisted.internet.main import CONNECTION_LOST
from twisted.protocols.policies import ProtocolWrapper
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

#: Bytes the kernel takes for one connection beyond what the peer is ready for. With it
#: a peer that reads nothing takes 0.33 MB of a stream on loopback, without it 4.3 MB;
#: throughput to a peer that reads is the same from 64 KiB up.
UNSENT: Final = 128 * 1024


class _Eager(tcp.Connection):
    """Comes before a socket transport's class and overrides public methods only."""

    #: Errors that a send finds a dead connection by. After any other, the queue's own
    #: sending decides.
    _ends: frozenset[int] = frozenset({EPIPE, ECONNRESET, ETIMEDOUT})
    _failed = False  # a send has taken an error that the end must be told by
    _reading = True

    def write(self, data: bytes) -> None:
        if (
            self.connected
            and not self._tempDataBuffer
            and not self.dataBuffer
            and not self.disconnecting
            and not self._writeDisconnecting
            and not self._aborting
            and not self.TLS
            and (self.streamingProducer or self.producer is None)
            and type(data) is bytes
            and data
        ):
            try:
                sent = self.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                sent = 0
                if error.errno in self._ends:
                    self._failed = self._failed or error.errno != EPIPE
                    if self._reading:
                        return
            if sent == len(data):
                return
            if sent:
                data = data[sent:]
        super().write(data)  # type: ignore[no-untyped-call]

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def startReading(self) -> None:
        self._reading = True
        super().startReading()  # type: ignore[no-untyped-call]

    def stopReading(self) -> None:
        self._reading = False
        super().stopReading()  # type: ignore[no-untyped-call]

    def readConnectionLost(self, reason: Failure) -> None:
        self._reading = False  # the reactor stops it without a word to us
        if self._failed:
            self.connectionLost(Failure(CONNECTION_LOST))
        else:
            super().readConnectionLost(reason)

    def connectionLost(self, reason: Failure) -> None:
        if self._failed and reason.check(ConnectionDone) is not None:
            reason = Failure(CONNECTION_LOST)
        super().connectionLost(reason)


class _EagerServer(_Eager, tcp.Server):
    pass


class _EagerClient(_Eager, tcp.Client):
    pass


class _EagerUnixServer(_Eager, unix.Server):
    _ends = frozenset()  # EPIPE may mean that the peer only reads no more


class _EagerUnixClient(_Eager, unix.Client):
    _ends = frozenset()


_EAGER: Final[dict[type, type]] = {
    tcp.Server: _EagerServer,
    tcp.Client: _EagerClient,
    unix.Server: _EagerUnixServer,
    unix.Client: _EagerUnixClient,
}


def upgrade(transport: Any) -> Any:
    """
    Make a connection's transport eager; call it from ``connectionMade``, before
    anything is written.

    Looks through TLS and other protocol wrappers (PROXY) to the socket below. A
    transport it does not know (in memory, or another reactor's) stays as it is.

    :param transport: a protocol's ``transport``; file descriptors must not be sent
        over it.
    :returns: the same object.
    """
    layer = transport
    while isinstance(layer, ProtocolWrapper):
        if type(layer) is BufferingTLSTransport:
            _unbuffer(layer)
        layer = layer.transport
    eager = _EAGER.get(type(layer))
    if eager is not None:
        layer.__class__ = eager
        if isinstance(layer, (tcp.Server, tcp.Client)):
            _bound(layer.socket)
    return transport


def _unbuffer(tls: BufferingTLSTransport) -> None:
    """
    Make Twisted's default TLS layer the one below it: it holds writes back until the
    next turn. Its factory could be told so, but endpoint strings give no way to.
    """
    tls._aggregator.close()
    del tls.write  # the instance's, which leads to the aggregator
    cast(Any, tls).__class__ = TLSMemoryBIOProtocol


def _bound(connection: socket.socket) -> None:
    if connection.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
