"""A client in memory: an IDownstream that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aigw.errors import BodyTooLarge
from aigw.interfaces import IBodySource, IDownstream
from aigw.model.headers import Headers, first


@implementer(IDownstream)
class MemoryDownstream:
    """
    A client that has sent its whole request.

    :ivar status: what the answer began with, None before.
    :ivar answer: the answer's header fields.
    :ivar writes: the pieces of its body, as they were written.
    :ivar ended: ``finish``, ``cut`` or ``abort`` once one was called, else None.
    :ivar producer: who is registered, or None.
    """

    def __init__(
        self,
        body: bytes = b"",
        *,
        method: str = "POST",
        target: bytes = b"/v1/chat/completions",
        headers: Headers | None = None,
    ) -> None:
        self.method = method
        self.target = target
        path, _, self.query = target.partition(b"?")
        self.path = unquote(path.decode("ascii"))
        self.headers: Headers = (
            [(b"content-type", b"application/json")] if headers is None else headers
        )
        self.host = (first(self.headers, b"host") or b"").decode("latin-1")
        self.scheme = "http"
        self.peer = "192.0.2.1"
        self.length: int | None = len(body)
        self.lost = False
        self.on_lost: Callable[[], None] | None = None
        self.status: int | None = None
        self.answer: Headers = []
        self.writes: list[bytes] = []
        self.ended: str | None = None
        self.producer: IPushProducer | None = None
        self._body = body

    @property
    def written(self) -> bytes:
        """The answer's body so far."""
        return b"".join(self.writes)

    def leave(self) -> None:
        """The client goes."""
        self.lost = True
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        if self.on_lost is not None and self.ended is None:
            self.on_lost()

    async def read(self, limit: int) -> bytes:
        if self.lost:
            raise CancelledError
        if len(self._body) > limit:
            raise BodyTooLarge(f"request body of over {limit} bytes")
        return self._body

    def source(self) -> IBodySource:
        raise NotImplementedError("this client sends no uploads")

    def start(self, status: int, headers: Headers) -> None:
        if not self.lost:
            assert self.status is None, "started twice"
            assert self.ended is None, "started after its end"
            self.status, self.answer = status, list(headers)

    def write(self, data: bytes) -> None:
        if not self.lost:
            assert self.status is not None, "written before its start"
            assert self.ended is None, "written after its end"
            self.writes.append(data)

    def finish(self) -> None:
        self._end("finish")

    def cut(self) -> None:
        self._end("cut")

    def abort(self) -> None:
        self._end("abort")

    def _end(self, how: str) -> None:
        if not self.lost:
            assert self.ended is None, "ended twice"
            self.ended = how

    def register(self, producer: IPushProducer) -> None:
        assert self.producer is None, "two producers"
        if not self.lost:
            self.producer = producer

    def unregister(self) -> None:
        self.producer = None
