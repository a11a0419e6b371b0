"""How a new connection to a provider is made: name, TCP, proxy, TLS."""

from __future__ import annotations

import ipaddress
from typing import Any

from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
)
from twisted.internet.interfaces import IAddress, IProtocol, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from aigw.interfaces.wheel import IWheel

from .connection import Connection
from .destination import Destination
from .pool import Pool
from .secured import SecuredConnection
from .trust import Contexts, ServerName, verify
from .tunnel import Tunnel


class _Connections(Factory):
    noisy = False

    def __init__(
        self,
        kind: type[Connection],
        destination: Destination,
        pool: Pool,
        wheel: IWheel,
    ) -> None:
        self._kind = kind
        self._arguments = destination, pool, wheel

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return self._kind(*self._arguments)


class _Tunnels(Factory):
    noisy = False

    def __init__(self, destination: Destination, pool: Pool) -> None:
        self._arguments = destination, pool

    def buildProtocol(self, addr: IAddress | None) -> Tunnel:
        return Tunnel(*self._arguments)


class Connector:
    """Makes connections to providers; one for the process."""

    def __init__(self, reactor: Any, pool: Pool, wheel: IWheel) -> None:
        """
        :param reactor: provides IReactorTCP, IReactorTime, IReactorThreads and
            IReactorPluggableNameResolver.
        """
        self._reactor = reactor
        self._pool = pool
        self._wheel = wheel
        self.contexts = Contexts(reactor)

    async def connect(self, destination: Destination) -> Connection:
        """
        A new connection, TLS standing and its peer verified. There is no limit of time
        here: cancel it.

        :raises Exception: what Twisted, OpenSSL or service_identity have to say; see
            :func:`.failure.connect_failed`.
        """
        origin = destination.origin
        secured = origin.scheme == "https"
        connections = _Connections(
            SecuredConnection if secured else Connection,
            destination,
            self._pool,
            self._wheel,
        )
        proxy = destination.proxy
        if proxy is None:
            endpoint = self._endpoint(origin.address or origin.host, origin.port)
        else:
            endpoint = self._endpoint(proxy.host, proxy.port)
        if not secured:
            plain = await endpoint.connect(connections)
            assert isinstance(plain, Connection)
            return plain
        context = await self.contexts.get(origin.trust)
        tls_factory = TLSMemoryBIOFactory(
            ServerName(context, origin.host), True, connections, clock=self._reactor
        )
        # Its default gathers writes in a callLater each; ours are whole already.
        tls_factory.protocol = TLSMemoryBIOProtocol
        tls: IProtocol | None
        if proxy is None:
            tls = await endpoint.connect(tls_factory)
        else:
            tunnel = await endpoint.connect(_Tunnels(destination, self._pool))
            assert isinstance(tunnel, Tunnel)
            await tunnel.open()
            tls = tls_factory.buildProtocol(None)
            assert tls is not None
            tunnel.carry(tls)
        assert isinstance(tls, TLSMemoryBIOProtocol)
        connection = tls.wrappedProtocol
        assert isinstance(connection, SecuredConnection)
        await connection.handshake()
        if origin.trust.verify:
            try:
                verify(tls.getHandle(), origin.host)
            except Exception:
                connection.abort()
                raise
        return connection

    def _endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        # None, for the caller has a deadline. Each of theirs costs 5 us, and a
        # DelayedCall that was cancelled stays until its time comes, or 50 more are.
        timeout: Any = None
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            return HostnameEndpoint(self._reactor, host, port, timeout=timeout)
        kind = TCP4ClientEndpoint if version == 4 else TCP6ClientEndpoint
        return kind(self._reactor, host, port, timeout=timeout)
