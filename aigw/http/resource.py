"""
The front for embedders: an exchange's downstream over any twisted.web Site, HTTP/1.1 or
HTTP/2. twisted.web has read the whole request body before this front hears of the
request, and keeps it (over 100 kB in a temporary file, unless the Site is a
:class:`aigw.http.site.GatewaySite`); the daemon's own front does better.

What twisted.web demands, and where each trap is: ``notifyFinish`` alone tells in both
protocols that the client has gone; after that ``finish``, ``registerProducer`` and
``unregisterProducer`` of the request raise; a producer must be registered before the
head is written, for a late one is not paused; ``request.transport`` is None on HTTP/2.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, BinaryIO, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from aigw.errors import BadRequest, BodyTooLarge, GatewayError, NotSupported
from aigw.interfaces.downstream import IBodySource, IDownstream
from aigw.model.headers import Headers, first
from aigw.model.path import safe_path

from .ending import abort, lose, reset
from .headers import HOP_BY_HOP
from .held import HeldBody
from .peer import Proxies
from .refusal import refusal
from .refused import Refused
from .target import authority_of, host_of, origin_form

log = Logger()

#: What serves one exchange: a coroutine function that ends its downstream.
Serve = Callable[[IDownstream], Coroutine[Any, Any, None]]

#: Fields that twisted.web and this front write themselves.
_OWN = HOP_BY_HOP | {b"date", b"server"}

#: Nobody begins another field from inside a value (RFC 9110, section 5.5).
_BLANKS = bytes.maketrans(b"\r\n\0", b"   ")


@implementer(IResource)
class GatewayResource:
    """
    The gateway as a leaf among a Site's resources.

    :ivar isLeaf: True: every path below belongs to the gateway.
    """

    isLeaf = True

    def __init__(
        self,
        serve: Serve,
        *,
        mounted_at: bytes = b"",
        trusted_proxies: Iterable[str] = (),
        refused: Callable[[Refused, GatewayError], None] | None = None,
    ) -> None:
        """
        :param serve: called with the downstream of each request.
        :param mounted_at: the path this resource hangs at, without a slash at its end.
            It is taken from the front of each target, so that routes match what
            follows; ``b""`` leaves targets whole.
        :param trusted_proxies: addresses and CIDR ranges whose X-Forwarded-For is
            believed.
        :param refused: told once of each request that does not become an exchange.
        """
        self._serve = serve
        self._mounted_at = mounted_at
        self._proxies = Proxies(trusted_proxies)
        self._refused = refused

    def render(self, request: Request) -> int:
        """Begin an exchange. Called by twisted.web when the body is complete."""
        request.defaultContentType = None
        request.setHeader(b"server", b"aigw")
        try:
            downstream = RequestDownstream(request, self._mounted_at, self._proxies)
        except GatewayError as error:
            self.refuse(request, error)
            return NOT_DONE_YET
        exchange = Deferred.fromCoroutine(self._serve(downstream))
        exchange.addBoth(downstream.served)
        return NOT_DONE_YET

    def refuse(self, request: Request, error: GatewayError) -> None:
        """Answer a request that does not become an exchange."""
        status, headers, body = self.refusal(request, error)
        request.setResponseCode(status)
        for name, value in headers:
            request.setHeader(name, value)
        request.write(body)
        request.finish()

    def refusal(
        self, request: Request, error: GatewayError
    ) -> tuple[int, Headers, bytes]:
        """The answer to such a request, which is told of."""
        status, headers, body = refusal(error)
        self.refused(request, error, status, len(body))
        return status, headers, body

    def refused(
        self, request: Request, error: GatewayError, status: int, sent: int
    ) -> None:
        """
        Such a request was answered; whoever wants to know is told of it.

        :param sent: bytes of the answer's body.
        """
        if self._refused is not None:
            # Before its body is complete a request does not know its own first line;
            # before that is read there is none, and the class says so in words.
            known = vars(request)
            channel: Any = request.channel
            method = getattr(channel, "_command", None) or known.get("method", b"")
            target = getattr(channel, "_path", None) or known.get("uri", b"")
            fields = _fields(request)
            told = Refused(
                peer=self._proxies.client(_peer(request), fields),
                scheme="https" if request.isSecure() else "http",
                method=method.decode("latin-1"),
                path=target.partition(b"?")[0].decode("latin-1"),
                host=(first(fields, b"host") or b"").decode("latin-1"),
                headers=fields,
                status=status,
                sent=sent,
            )
            self._refused(told, error)

    def getChildWithDefault(self, name: bytes, request: Request) -> IResource:
        """A leaf has no children; asked only by a caller that ignores ``isLeaf``."""
        return self

    def putChild(self, path: bytes, child: IResource) -> None:
        """:raises TypeError: always, for the gateway is a leaf."""
        raise TypeError("the gateway is a leaf; mount other resources beside it")


def _fields(request: Request) -> Headers:
    return [
        (name.lower(), value)
        for name, values in request.requestHeaders.getAllRawHeaders()
        for value in values
    ]


def _peer(request: Request) -> str:
    return getattr(request.getClientAddress(), "host", None) or "unix"


def _check(headers: Headers) -> None:
    """:raises GatewayError: it is valid HTTP that aigw does not offer."""
    for name, value in headers:
        if name == b"upgrade" and b"websocket" in value.lower():
            raise NotSupported("WebSocket is not supported", reason="upgrade")
        if name == b"expect" and value.lower() != b"100-continue":
            raise BadRequest("unknown Expect", status=417, reason="expect")


@implementer(IDownstream)
class RequestDownstream:
    """See :class:`aigw.interfaces.downstream.IDownstream`."""

    def __init__(self, request: Request, mounted_at: bytes, proxies: Proxies) -> None:
        """:raises GatewayError: the request is malformed, or cannot be served."""
        self.headers: Headers = _fields(request)
        self.host = host_of(self.headers)
        if not self.host and request.clientproto == b"HTTP/1.1":
            raise BadRequest("the Host field is missing")
        self.method = request.method.decode("ascii", "replace")
        _check(self.headers)
        authority = authority_of(request.uri)
        if authority is not None and host_of([(b"host", authority)]) != self.host:
            raise BadRequest("Host is not the target's authority", reason="host")
        target = origin_form(request.uri)
        below = target.removeprefix(mounted_at)
        if below[:1] in (b"", b"/", b"?"):
            target = below if below[:1] == b"/" else b"/" + below
        self.target = target
        self.path, self.query = safe_path(target)
        self.scheme = "https" if request.isSecure() else "http"
        self.peer = proxies.client(_peer(request), self.headers)
        self.lost = False
        self.on_lost: Callable[[], None] | None = None
        self._request = request
        self._body = cast(BinaryIO, request.content)
        self._size = self._body.seek(0, 2)
        announced = first(self.headers, b"content-length")
        self.length: int | None = None if self._size else 0
        if announced is not None:
            self.length = self._size
        self._ended = False
        self._registered = False
        self._remaining: int | None = None
        request.notifyFinish().addErrback(self._gone)

    async def read(self, limit: int) -> bytes:
        if self.lost:
            raise CancelledError
        if self._size > limit:
            raise BodyTooLarge(f"the request body is over {limit} bytes")
        self._body.seek(0)
        return self._body.read()

    def source(self) -> IBodySource:
        return HeldBody(self._body, self.length)

    def start(self, status: int, headers: Headers) -> None:
        if self.lost:
            return
        request = self._request
        request.setResponseCode(status)
        answer = request.responseHeaders
        for name, value in headers:
            if name in _OWN or (name == b"content-length" and status == 204):
                continue
            answer.addRawHeader(name, value.translate(_BLANKS))
            if name == b"content-length":
                self._remaining = int(value)
        request.write(b"")

    def write(self, data: bytes) -> None:
        if self.lost or self._ended:
            return
        if self._remaining is not None:
            self._remaining -= len(data)
        self._request.write(data)

    def finish(self) -> None:
        if self._end():
            self._request.finish()

    def cut(self) -> None:
        if not self._end():
            return
        request = self._request
        framed = request.chunked or self._remaining or request.clientproto == b"HTTP/2"
        if not request.startedWriting:
            abort(request)
        elif framed:
            lose(request)
        else:
            reset(request)  # for a plain close would look like the body's proper end

    def abort(self) -> None:
        if self._end():
            abort(self._request)

    def register(self, producer: IPushProducer) -> None:
        if self.lost or self._ended:
            return
        self._registered = True
        self._request.registerProducer(producer, True)
        # A pipelined request may begin while the answer before it still fills the
        # transport; HTTPChannel passes on only the pauses that come after us.
        if getattr(self._request.channel, "_waitingForTransport", False):
            producer.pauseProducing()

    def unregister(self) -> None:
        if self._registered:
            self._registered = False
            if not self.lost:
                self._request.unregisterProducer()

    def served(self, result: object) -> None:
        """``serve`` is over. It must have ended the answer; if it did not, we do."""
        if isinstance(result, Failure) and result.check(CancelledError) is None:
            log.failure("An exchange failed.", failure=result)
        self.abort()

    def _end(self) -> bool:
        """Whether there is an answer to end; there is not again."""
        if self.lost or self._ended:
            return False
        self.unregister()
        self._ended = True
        return True

    def _gone(self, reason: Failure) -> None:
        self.lost = True
        told, self.on_lost = self.on_lost, None
        if told is not None and not self._ended:
            told()
