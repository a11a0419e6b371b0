"""Listening sockets that start, tell their address, and stop."""

from __future__ import annotations

from ipaddress import ip_address
from select import POLLIN, poll
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)

from aigw.errors import ConfigError

#: How often a socket that is being closed is asked for who waits; each time it gives
#: at least one connection. New ones may come as fast as these go.
_MOST_WAITING = 10_000


def endpoint_of(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    What ``description`` describes; its files (TLS) are read, and nothing listens yet.

    :raises ConfigError: nobody knows that kind, or has a use for what it says.
    """
    try:
        described: IStreamServerEndpoint = serverFromString(reactor, description)
    except Exception as error:  # kinds may be anybody's, and raise what they like
        raise ConfigError([f"listener {description}: {error}"]) from error
    return described


class Listener:
    """
    One endpoint, served by ``factory``.

    :param description: a Twisted endpoint description, e.g. ``tcp:9080``.
    :raises ConfigError: see :func:`endpoint_of`.
    """

    def __init__(
        self, reactor: Any, description: str, factory: IProtocolFactory
    ) -> None:
        self.description = description
        self._endpoint = endpoint_of(reactor, description)
        self._factory = factory
        self._port: IListeningPort | None = None

    def start(self) -> None:
        """
        Listen.

        :raises CannotListenError: the address is taken, or may not be used; nobody
            should run on without a listener that was asked for.
        """
        failures: list[Any] = []
        listening = self._endpoint.listen(self._factory)
        listening.addCallbacks(self._listens, failures.append)
        if failures:
            failures[0].raiseException()

    def _listens(self, port: IListeningPort) -> None:
        self._port = port

    @property
    def address(self) -> IAddress:
        """Where it listens, once started."""
        assert self._port is not None, f"{self.description} is not listening"
        return self._port.getHost()

    @property
    def local(self) -> bool:
        """Whether only programs of this machine can reach it."""
        address = self.address
        if isinstance(address, UNIXAddress):
            return True
        host = getattr(address, "host", "")
        try:
            return ip_address(host.split("%", 1)[0]).is_loopback
        except ValueError:
            return False

    @property
    def shown(self) -> str:
        """``host:port`` to reach it at, or its socket's path."""
        address = self.address
        if isinstance(address, IPv4Address | IPv6Address):
            host = address.host
            if host in ("0.0.0.0", "::"):
                host = "127.0.0.1"
            return (
                f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
            )
        return str(getattr(address, "name", address))

    def stop(self) -> Deferred[None]:
        """Listen no more; connections already accepted stay."""
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        _accept_waiting(port)
        return maybeDeferred(port.stopListening).addCallback(lambda _: None)


def _accept_waiting(port: Any) -> None:
    """Accept what waits in the queue: it would be reset with the socket."""
    if not hasattr(port, "doRead"):
        return
    queue = poll()
    queue.register(port.fileno(), POLLIN)
    for _ in range(_MOST_WAITING):
        if not queue.poll(0):
            return
        port.doRead()
