"""
Listening sockets shared by several processes: bound once by the parent, adopted by its
workers.

One socket means one queue: a connection that waits in it is taken by whichever worker
is free, and is not lost with a worker that dies or drains. (With SO_REUSEPORT each
worker has a queue of its own, and what waits in it dies with it.)

Both classes stand in for the reactor towards Twisted's endpoint descriptions, which
call nothing but ``listenTCP``, ``listenSSL``, ``listenUNIX`` and ``adoptStreamPort``.
So what Twisted understands can be shared, TLS and PROXY protocol included.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer


@implementer(IListeningPort)
class BoundPort:
    """A bound, listening socket that this process does not accept from."""

    def __init__(self, bound: socket.socket, path: str | None = None) -> None:
        self.socket = bound
        self._path = path

    def startListening(self) -> None:
        """It listens already."""

    def stopListening(self) -> Deferred[None]:
        self.socket.close()
        if self._path is not None and not self._path.startswith("\0"):
            Path(self._path).unlink(missing_ok=True)
        return succeed(None)

    def getHost(self) -> IAddress:
        name = self.socket.getsockname()
        if self.socket.family == socket.AF_UNIX:
            return UNIXAddress(name)
        kind = IPv6Address if self.socket.family == socket.AF_INET6 else IPv4Address
        return kind("TCP", *name[:2])


class Binding:
    """
    Binds what endpoint descriptions ask for, and serves none of it.

    :ivar ports: what was bound, in order.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.ports: list[BoundPort] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> BoundPort:
        family = socket.AF_INET6 if ":" in interface else socket.AF_INET
        return self._bind(family, (interface, port), backlog)

    def listenSSL(
        self,
        port: int,
        factory: IProtocolFactory,
        contextFactory: object,
        backlog: int = 50,
        interface: str = "",
    ) -> BoundPort:
        return self.listenTCP(port, factory, backlog, interface)

    def listenUNIX(
        self,
        address: str,
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> BoundPort:
        port = self._bind(socket.AF_UNIX, address, backlog)
        os.chmod(address, mode)
        return port

    def adoptStreamPort(
        self, fileDescriptor: int, addressFamily: int, factory: IProtocolFactory
    ) -> BoundPort:
        kept = socket.socket(fileno=os.dup(fileDescriptor))
        port = BoundPort(kept)
        self.ports.append(port)
        return port

    def _bind(self, family: int, address: Any, backlog: int) -> BoundPort:
        bound = socket.socket(family, socket.SOCK_STREAM)
        path = address if family == socket.AF_UNIX else None
        try:
            if path is None:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                _remove_stale(path)
            bound.bind(address)
            bound.listen(backlog)
        except OSError as error:
            bound.close()
            interface, port = ("", path) if path is not None else address[:2]
            raise CannotListenError(interface, port, error) from error
        bound.setblocking(False)
        port = BoundPort(bound, path)
        self.ports.append(port)
        return port


class Inherited:
    """
    Adopts what a parent has bound, in the order it was bound.

    :param descriptors: file descriptors of listening sockets; closed once adopted.
    """

    def __init__(self, reactor: Any, descriptors: Sequence[int]) -> None:
        self._reactor = reactor
        self._descriptors = list(descriptors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        return self.adopt(factory)

    def listenSSL(
        self,
        port: int,
        factory: IProtocolFactory,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        wrapped = TLSMemoryBIOFactory(contextFactory, False, factory, self._reactor)
        wrapped.protocol = TLSMemoryBIOProtocol
        return self.adopt(wrapped)

    def listenUNIX(
        self,
        address: str,
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> IListeningPort:
        return self.adopt(factory)

    @staticmethod
    def described(description: str) -> str:
        """
        The description that a worker uses for its parent's ``description``. systemd's
        sockets are meant for the parent's process id, and Twisted finds none of them
        here; what is adopted needs no address anyway.
        """
        return re.sub(r"\bsystemd:.*", "tcp:0", description)

    def adopt(self, factory: IProtocolFactory) -> IListeningPort:
        """Serve the next socket with ``factory``."""
        descriptor = self._descriptors.pop(0)
        probe = socket.socket(fileno=os.dup(descriptor))
        family = probe.family
        probe.close()
        try:
            port: IListeningPort = self._reactor.adoptStreamPort(
                descriptor, family, factory
            )
        finally:
            os.close(descriptor)  # Twisted has a duplicate of its own
        port.__class__ = _fair(type(port))
        if family == socket.AF_UNIX:
            # A unix port removes its path when it stops; this one is its parent's.
            port._bindPath = "\0"  # type: ignore[attr-defined]
        return port


@cache
def _fair(kind: type) -> type:
    """
    A listening port that accepts one connection a turn. Twisted's takes all that wait,
    a hundred at a time: whichever worker wakes first would be given a whole burst of
    clients, and keep them for as long as their connections live.
    """
    one = property(lambda port: 1, lambda port, number: None)
    return type(f"Fair{kind.__name__}", (kind,), {"numberAccepts": one})


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more, as left by a crash."""
    if path.startswith("\0") or not os.path.exists(path):
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        pass  # no socket, or not ours to judge: bind will say so
    finally:
        probe.close()
