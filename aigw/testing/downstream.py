"""
A client in memory: an IDownstream that keeps what it is told. Whether an IDownstream
keeps its promises is checked by
:func:`aigw.testing.downstream_check.check_downstream`.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from urllib.parse import unquote

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aigw.errors import BodyTooLarge
from aigw.http.held import HeldBody
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
        self._full = False

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

    def fill(self) -> None:
        """The client takes nothing more."""
        if not self._full:
            self._full = True
            if self.producer is not None:
                self.producer.pauseProducing()

    def empty(self) -> None:
        """The client has taken all."""
        if self._full:
            self._full = False
            if self.producer is not None:
                self.producer.resumeProducing()

    async def read(self, limit: int) -> bytes:
        if self.lost:
            raise CancelledError
        if len(self._body) > limit:
            raise BodyTooLarge(f"request body of over {limit} bytes")
        return self._body

    def source(self) -> IBodySource:
        return HeldBody(BytesIO(self._body), len(self._body))

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
            self.producer = None

    def register(self, producer: IPushProducer) -> None:
        assert self.producer is None, "two producers"
        if not self.lost:
            self.producer = producer
            if self._full:
                producer.pauseProducing()

    def unregister(self) -> None:
        self.producer = None
