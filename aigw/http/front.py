"""The daemon's own HTTP/1.1 front: what all of its connections share."""

from __future__ import annotations

import time as _time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IAddress, IProtocolNegotiationFactory
from twisted.internet.protocol import Factory
from zope.interface import implementer

from aigw.errors import GatewayError
from aigw.interfaces.downstream import IDownstream
from aigw.interfaces.wheel import IAlarm, IWheel
from aigw.model.headers import Headers

from .answer import Answer
from .budget import Budget
from .channel import Channel
from .limits import Limits
from .peer import Proxies
from .refusal import refusal
from .refused import Refused
from .reply import Replies

#: Connections over ``max_connections`` that are still told so.
_TOLD: Final = 64

#: What serves one exchange: a coroutine function that ends its downstream.
Serve = Callable[[IDownstream], Coroutine[Any, Any, None]]


class Refuse(Protocol):
    """Shapes the answer to a request that never becomes an exchange."""

    def __call__(self, error: GatewayError, path: str, /) -> tuple[int, Headers, bytes]:
        """
        :param path: the request's path as far as it is known, or ``""``; a hint at the
            client's dialect.
        :returns: status, header fields with ``content-length``, body.
        """


def _refuse(error: GatewayError, path: str, /) -> tuple[int, Headers, bytes]:
    return refusal(error)


def _unheard(refused: Refused, error: GatewayError) -> None:
    """Nobody asked to be told."""


@implementer(IProtocolNegotiationFactory)
class Front(Factory):
    """
    Listens with any stream endpoint: TCP, unix, TLS, behind PROXY protocol.

    More than ``max_connections`` are accepted only to be told: each gets a 503 for its
    first request, and those over that by 64 are closed at once. Not to accept would
    leave them in the kernel's queue, where no client learns why it waits and none can
    go to another worker.

    :ivar channels: the connections open.
    :ivar draining: whether each answer is the last of its connection.
    """

    noisy = False

    def __init__(
        self,
        serve: Serve,
        wheel: IWheel,
        limits: Limits | None = None,
        *,
        max_connections: int = 10_000,
        budget: Budget | None = None,
        trusted_proxies: Iterable[str] = (),
        refuse: Refuse = _refuse,
        refused: Callable[[Refused, GatewayError], None] = _unheard,
        time: Callable[[], float] = _time.time,
    ) -> None:
        """
        :param serve: called with the downstream of each request.
        :param budget: of request bodies in memory (default 256 MiB); share one among
            the fronts of a process.
        :param trusted_proxies: addresses and CIDR ranges whose X-Forwarded-For is
            believed.
        :param refuse: shapes the answers of the front itself.
        :param refused: told once of each request that does not become an exchange.
        :param time: seconds since 1970.
        """
        self.serve = serve
        self.wheel = wheel
        self.limits = limits or Limits()
        self.max_connections = max_connections
        self.budget = budget or Budget(256 * 1024 * 1024)
        self.proxies = Proxies(trusted_proxies)
        self.refuse = refuse
        self.refused = refused
        self.replies = Replies(time)
        self.heads = Heads(wheel)
        self.channels: set[Channel] = set()
        self.draining = False

    def acceptableProtocols(self) -> list[bytes]:
        """
        What is chosen by ALPN (RFC 7301). Where a factory does not say, Twisted's TLS
        ends the handshake of every client that offers anything.
        """
        return [b"http/1.1"]

    def buildProtocol(self, addr: IAddress | None) -> Channel | None:
        if len(self.channels) >= self.max_connections + _TOLD:
            return None
        return Channel(self)

    def drain(self) -> None:
        """
        Close idle connections now, and each other one after the answer under way. Call
        it when listening has stopped. Idempotent.
        """
        self.draining = True
        for channel in list(self.channels):
            channel.drain()

    def interrupt(self, error: GatewayError) -> None:
        """Let requests whose bodies are still awaited be answered with ``error``."""
        for channel in list(self.channels):
            channel.interrupt(error)

    def drop(self) -> None:
        """Reset all connections. Exchanges under way see their clients leave."""
        for channel in list(self.channels):
            channel.drop()


class Heads:
    """Answers whose heads are kept for a first write, which may not come soon."""

    def __init__(self, wheel: IWheel) -> None:
        self._wheel = wheel
        self._kept: set[Answer] = set()
        self._alarm: IAlarm | None = None

    def add(self, answer: Answer) -> None:
        """Send the head of ``answer`` at the next tick if it is still kept then."""
        self._kept.add(answer)
        if self._alarm is None:
            self._alarm = self._wheel.after(0.0, self._send)

    def discard(self, answer: Answer) -> None:
        """Its head has gone."""
        self._kept.discard(answer)

    def _send(self) -> None:
        self._alarm = None
        for answer in list(self._kept):
            answer.send_head()
