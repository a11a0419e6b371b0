"""A provider that takes uploads as slowly as a test says, and answers when told."""

from __future__ import annotations

import hashlib
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from .client import until

reactor: Any = _reactor


class Taken(Protocol):
    """
    One connection to the provider.

    :ivar head: request line and fields, once they are complete.
    :ivar size: bytes of the body's coding that came.
    :ivar digest: SHA-256 of them.
    :ivar tail: the last of them.
    :ivar gone: why the connection has ended, None while it stands.
    """

    transport: Any

    def __init__(self, taker: Taker) -> None:
        self.head = b""
        self.size = 0
        self.digest = hashlib.sha256()
        self.tail = b""
        self.gone: Failure | None = None
        self._taker = taker

    def connectionMade(self) -> None:
        if self._taker.refuses:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        if b"\r\n\r\n" not in self.head:
            head, mark, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = head + mark
            if mark and self._taker.slow:
                self.transport.pauseProducing()
        self.size += len(data)
        self.digest.update(data)
        self.tail = (self.tail + data)[-64:]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = reason

    def answer(self, data: bytes, *, close: bool = False) -> None:
        self.transport.write(data)
        if close:
            self.transport.loseConnection()


class Taker(Factory):
    """
    :param slow: whether nothing is read behind a request's head, until ``resume``.
    :param refuses: whether every connection is reset at once.
    """

    noisy = False

    def __init__(self, *, slow: bool = False, refuses: bool = False) -> None:
        self.slow = slow
        self.refuses = refuses
        self.taken: list[Taken] = []
        self._port = reactor.listenTCP(0, self, interface="127.0.0.1")
        self.endpoint = f"http://127.0.0.1:{self._port.getHost().port}"

    def buildProtocol(self, addr: object) -> Taken:
        self.taken.append(Taken(self))
        return self.taken[-1]

    async def asked(self) -> Taken:
        """The latest request, once its head is here."""
        await until(lambda: self.taken and b"\r\n\r\n" in self.taken[-1].head)
        return self.taken[-1]

    async def close(self) -> None:
        for each in self.taken:
            if each.gone is None:
                each.transport.abortConnection()
        await self._port.stopListening()
        await until(lambda: all(each.gone is not None for each in self.taken))
