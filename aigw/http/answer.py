"""
One request and the way to answer it, on a connection of the daemon's own front.

The head of an answer is kept until the first piece of body or the end, and leaves in
one write with it: over an eager transport every write is a system call and a packet. If
nothing comes, it leaves by itself: at the end of the turn in which the request came, or
at the next tick of the wheel.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.errors import BodyTooLarge
from aigw.interfaces.downstream import IBodySource, IDownstream
from aigw.model.headers import Headers

from .held import HeldBody
from .incoming import Incoming
from .request import Head

if TYPE_CHECKING:
    from .channel import Channel

log = Logger()

_CLOSE: Final = b"connection: close\r\n"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"


@implementer(IDownstream)
class Answer:
    """
    See :class:`aigw.interfaces.downstream.IDownstream`.

    :ivar incoming: the body, if it was not complete when the request was served.
    :ivar producer: who is registered, or None.
    """

    __slots__ = (
        "__weakref__",
        "_bodiless",
        "_body",
        "_channel",
        "_chunked",
        "_counted",
        "_head",
        "_keep",
        "_modern",
        "_over",
        "_remaining",
        "_started",
        "headers",
        "host",
        "incoming",
        "length",
        "lost",
        "method",
        "on_lost",
        "path",
        "peer",
        "producer",
        "query",
        "scheme",
        "target",
    )

    def __init__(self, channel: Channel, head: Head, peer: str, scheme: str) -> None:
        self.method = head.method
        self.target = head.target
        self.path = head.path
        self.query = head.query
        self.headers = head.headers
        self.host = head.host
        self.scheme = scheme
        self.peer = peer
        self.length: int | None = head.length
        self.lost = False
        self.on_lost: Callable[[], None] | None = None
        self.incoming: Incoming | None = None
        self.producer: IPushProducer | None = None
        self._channel = channel
        self._modern = head.modern
        self._keep = head.keep
        self._body = b""  # whole, where ``incoming`` is None, until it is read
        self._counted = 0  # bytes of it that the budget counts
        self._head: bytes | None = None  # kept for the first write
        self._started = False
        self._over = False
        self._chunked = False
        self._bodiless = False
        self._remaining = -1  # bytes of body still owed; below 0 where unknown

    def came_whole(self, body: bytes) -> None:
        """The body came in the same read as the head."""
        self._body = body
        self._counted = len(body)
        self._channel.front.budget.take(self._counted)

    # -- the request's body

    async def read(self, limit: int) -> bytes:
        if self.lost:
            raise CancelledError
        if self.incoming is not None:
            return await self.incoming.read(limit)
        if self._counted > limit:
            self._channel.spoil()
            raise BodyTooLarge(f"the request body is over {limit} bytes")
        body, self._body = self._body, b""
        return body

    def source(self) -> IBodySource:
        if self.incoming is not None:
            return self.incoming.source()
        return HeldBody(BytesIO(self._body), self.length)

    # -- the answer

    def start(self, status: int, headers: Headers) -> None:
        if self._over or self._started:
            return
        self._started = True
        self.headers = []  # nobody reads them any more, and the body may take minutes
        channel = self._channel
        if self.incoming is not None:
            self.incoming.forsake()
        self._keep = keep = self._keep and channel.keeps
        head, length = channel.front.replies.head(
            status, headers, b"" if keep else _CLOSE
        )
        if status == 204 or status == 304 or self.method == "HEAD":
            self._bodiless = True
            self._remaining = 0
        elif length is not None:
            self._remaining = length
        elif self._modern:
            self._chunked = True
            head += _CHUNKED
        else:
            self._keep = False
        self._head = head + b"\r\n"
        channel.front.heads.add(self)

    def write(self, data: bytes) -> None:
        if self._over or not data or self._bodiless:
            return
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif self._remaining >= 0:
            data = self._within_length(data)
        if self._head is not None:
            data = self._take_head() + data
        self._channel.send(data)

    def finish(self) -> None:
        if self._over:
            return
        if not self._started:
            self.abort()
            return
        data = self._take_head()
        if self._chunked:
            data += b"0\r\n\r\n"
        self._end()
        channel = self._channel
        if data:
            channel.send(data)
        # Short of its length the answer must not be taken for complete, nor what
        # follows for its rest.
        channel.answered(self._keep and self._remaining <= 0)

    def cut(self) -> None:
        if self._over:
            return
        framed = self._chunked or self._remaining > 0 or not self._started
        data = self._take_head()
        self._end()
        if data:
            self._channel.send(data)
        self._channel.cut(reset=not framed)

    def abort(self) -> None:
        if not self._over:
            self._end()
            self._channel.abort()

    def send_head(self) -> None:
        """Send the head if it is still kept."""
        head = self._take_head()
        if head:
            self._channel.send(head)

    # -- flow

    def register(self, producer: IPushProducer) -> None:
        if self._over:
            return
        self.producer = producer
        if self._channel.full:
            producer.pauseProducing()

    def unregister(self) -> None:
        self.producer = None

    # -- the channel's side

    @property
    def delivered(self) -> bool:
        """Whether the client can tell that it has all, before the answer is ended."""
        return self._started and not self._chunked and self._remaining == 0

    def gone(self) -> None:
        """The client has left before the answer's end."""
        self.lost = True
        told = self.on_lost
        self._end()
        if told is not None:
            told()
        if self.incoming is not None:
            self.incoming.fail(CancelledError())
            self.incoming.close()

    def served(self, result: object) -> None:
        """``serve`` is over. It must have ended the answer; if it did not, we do."""
        if isinstance(result, Failure) and result.check(CancelledError) is None:
            log.failure("An exchange failed.", failure=result)
        self.abort()

    def _end(self) -> None:
        """Nothing more is written, and nobody is called. Frees what the body held."""
        self._over = True
        self._take_head()
        self.producer = None
        self.on_lost = None
        incoming = self.incoming
        if incoming is None:
            self._channel.front.budget.give(self._counted)
            self._counted = 0
            self._body = b""
        elif not self.lost:
            incoming.close()

    def _take_head(self) -> bytes:
        """The head if it is still kept; it is not any more."""
        head = self._head
        if head is None:
            return b""
        self._head = None
        self._channel.front.heads.discard(self)
        return head

    def _within_length(self, data: bytes) -> bytes:
        """What of ``data`` the announced length has room for."""
        remaining = self._remaining - len(data)
        if remaining < 0:
            log.warn(
                "An answer is longer than its content-length by {excess} bytes.",
                excess=-remaining,
            )
            data = data[: self._remaining]
            self._keep = False
            remaining = 0
        self._remaining = remaining
        return data
