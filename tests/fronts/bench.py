"""A front in memory whose exchanges are the test's own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aigw.interfaces import IDownstream
from aigw.testing.front import FrontPair


class Bench(FrontPair):
    """
    :ivar served: the downstreams handed to ``serve``; none is ended but by the test.
    :ivar exchanges: what each ``serve`` waits for.
    """

    def __init__(self, kind: str = "channel", **settings: Any) -> None:
        self.served: list[IDownstream] = []
        self.exchanges: list[Deferred[None]] = []
        super().__init__(self._serve, kind, **settings)

    async def _serve(self, downstream: IDownstream) -> None:
        self.served.append(downstream)
        exchange: Deferred[None] = Deferred()
        self.exchanges.append(exchange)
        await exchange

    def request(
        self, line: bytes = b"GET / HTTP/1.1", *fields: bytes, body: bytes = b""
    ) -> IDownstream:
        """Send a request; its downstream."""
        head = [line, b"Host: example.com", *fields]
        if body:
            head.append(b"Content-Length: %d" % len(body))
        self.send(b"\r\n".join(head) + b"\r\n\r\n" + body)
        return self.served[-1]

    def answer(self) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """What the client was sent since the last call: line, fields, body."""
        self.settle()
        head, end, body = self.received().partition(b"\r\n\r\n")
        assert end, "no head was sent"
        line, *fields = head.split(b"\r\n")
        parsed = [field.partition(b": ") for field in fields]
        return line, {name.lower(): value for name, _, value in parsed}, body

    def close(self) -> None:
        super().close()
        for exchange in self.exchanges:
            if not exchange.called:
                exchange.callback(None)


def result(awaitable: Awaitable[Any]) -> Any:
    """The result of what is ready, or raises its error."""
    results = started(awaitable)
    assert results, "not ready"
    if isinstance(results[0], Failure):
        raise results[0].value
    return results[0]


def started(awaitable: Any) -> list[Any]:
    """A list that will hold the result, or its Failure."""
    results: list[Any] = []
    Deferred.fromCoroutine(awaitable).addBoth(results.append)
    return results
