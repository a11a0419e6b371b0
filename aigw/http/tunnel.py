"""The way through an egress proxy for https: HTTP CONNECT (RFC 9110, section 9.3.6)."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from .destination import Destination
from .failure import ProxyRefused
from .pool import Pool

#: The most bytes of a proxy's answer.
LIMIT = 64 * 1024


class Tunnel(Protocol):
    """
    A connection to a proxy that becomes one to the provider.

    Called as ``open`` once connected, then ``carry``; from then on all that arrives
    goes to the protocol inside.
    """

    def __init__(self, destination: Destination, pool: Pool) -> None:
        self._destination = destination
        self._pool = pool
        self._answer = b""
        self._opening: Deferred[None] | None = None
        self._inside: IProtocol | None = None

    def connectionMade(self) -> None:
        self._pool.opened(self)

    def open(self) -> Deferred[None]:
        """
        Ask the proxy for the way.

        :returns: fires when it is open, or fails with :class:`ProxyRefused`. Cancelling
            it closes the connection.
        """
        destination = self._destination
        assert destination.proxy is not None
        assert self.transport is not None
        opening = self._opening = Deferred(self._forsake)
        self.transport.write(
            b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n"
            % (
                destination.authority,
                destination.authority,
                destination.proxy.authorization,
            )
        )
        return opening

    def _forsake(self, opening: Deferred[None]) -> None:
        self._opening = None
        self.abort()

    def carry(self, inside: IProtocol) -> None:
        """Make ``inside`` the protocol of this connection."""
        self._inside = inside
        assert self.transport is not None
        inside.makeConnection(self.transport)
        # The connection inside answers for the socket now, and may close it politely.
        self._pool.lost(self)

    def dataReceived(self, data: bytes) -> None:
        if self._inside is not None:
            self._inside.dataReceived(data)
            return
        self._answer += data
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._answer) > LIMIT:
                self._refused("its answer is too long")
            return
        line = self._answer.split(b"\r\n", 1)[0]
        words = line.split(b" ", 2)
        if not words[0].startswith(b"HTTP/1.") or len(words) < 2:
            self._refused("its answer is not HTTP")
        elif words[1].startswith(b"1") and len(words[1]) == 3:
            rest, self._answer = self._answer[end + 4 :], b""
            self.dataReceived(rest)  # an interim answer
        elif not (words[1].startswith(b"2") and len(words[1]) == 3):
            self._refused(f"it answered {words[1][:16].decode('latin-1')}")
        elif len(self._answer) > end + 4:
            # In TLS it is the client that speaks first: these are not the provider's.
            self._refused("bytes behind its answer")
        else:
            opening, self._opening = self._opening, None
            if opening is not None:
                opening.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inside is not None:
            inside, self._inside = self._inside, None
            inside.connectionLost(reason)
        else:
            self._pool.lost(self)
            self._tell(ProxyRefused(f"it closed the connection: {reason.value}"))

    def abort(self) -> None:
        """Close at once."""
        assert self.transport is not None
        self.transport.abortConnection()  # type: ignore[attr-defined]

    def _refused(self, why: str) -> None:
        self._tell(ProxyRefused(why))
        self.abort()

    def _tell(self, error: ProxyRefused) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.errback(error)
