"""
A twisted.web Site that serves the gateway alone: bodies in memory under limits, no
HTML, no version in the Server field, HTTP/2 only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import (
    RESPONSES,
    HTTPChannel,
    _GenericHTTPChannelProtocol,
    datetimeToString,
)
from twisted.web.http_headers import Headers as WebHeaders
from twisted.web.server import Request, Site

from aigw.errors import BadRequest, BodyTooLarge, GatewayError, Unavailable

from .refused import Refused
from .resource import GatewayResource, Serve

#: Bytes of a refused body that are read and thrown away, so that a client which sends
#: before it listens still gets to read why; then the connection is closed.
_DISCARD = 16 * 1024 * 1024


class GatewayRequest(Request):
    """A request whose body stays in memory, and is refused as soon as it is too big."""

    _held = 0
    _discarded = 0
    _refused: GatewayError | None = None
    site: GatewaySite

    def gotLength(self, length: int | None) -> None:
        """Called when the head is complete. ``length`` is None for a chunked body."""
        self.site = cast(GatewaySite, self.channel.site)  # type: ignore[attr-defined]
        self.content = self._body = BytesIO()
        if length is not None and length > self.site.max_body:
            self._refuse(self._too_large())
            if self.requestHeaders.hasHeader(b"expect"):
                # It waits for our word before it sends, and has it now.
                self.requestHeaders.removeHeader(b"expect")
                self.channel.loseConnection()
        elif length != 0:
            self.notifyFinish().addBoth(self._release)

    def handleContentChunk(self, data: bytes) -> None:
        """Called with each piece of the body."""
        if self._refused is not None:
            self._discarded += len(data)
            if self._discarded > _DISCARD:
                self.channel.loseConnection()
            return
        self._held += len(data)
        self.site.held += len(data)
        if self._held > self.site.max_body:
            self._refuse(self._too_large())
        elif self.site.held > self.site.max_held:
            self._refuse(
                Unavailable("too many request bodies are held now", retry_after=1)
            )
        else:
            self._body.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Called when the body is complete."""
        if self._refused is None:
            Request.requestReceived(self, command, path, version)
        elif isinstance(self.channel, HTTPChannel):
            self.channel.loseConnection()  # the answer was sent when it was refused
        else:
            self.method, self.uri, self.clientproto = command, path, version
            self.site.gateway.refuse(self, self._refused)

    def process(self) -> None:
        """Every path is the gateway's: nothing is looked up."""
        self.responseHeaders.setRawHeaders(b"date", [datetimeToString()])
        self.site.gateway.render(self)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"the request body is over {self.site.max_body} bytes")

    def _refuse(self, error: GatewayError) -> None:
        self._refused = error
        self._release()
        self.content = self._body = BytesIO()
        channel = self.channel
        if not isinstance(channel, HTTPChannel):
            return  # a stream is answered when its body is over; none of it is kept
        status, headers, body = self.site.gateway.refusal(self, error)
        head = WebHeaders()
        for name, value in headers:
            head.addRawHeader(name, value)
        head.addRawHeader(b"date", datetimeToString())
        head.addRawHeader(b"server", b"aigw")
        head.addRawHeader(b"connection", b"close")
        reason = RESPONSES.get(status, b"")
        channel.writeHeaders(b"HTTP/1.1", b"%d" % status, reason, head)
        channel.write(body)

    def _release(self, _result: object = None) -> None:
        self.site.held -= self._held
        self._held = 0


class GatewayChannel(HTTPChannel):
    """
    Tells of the requests that twisted.web itself cannot read. It answers them with a
    bare 400 and knows no public place to learn of it.
    """

    site: GatewaySite

    def _respondToBadRequestAndDisconnect(self) -> None:
        error = BadRequest("twisted.web cannot read it", reason="framing")
        if self.requests:
            self.site.gateway.refused(self.requests[-1], error, 400, 0)
        HTTPChannel._respondToBadRequestAndDisconnect(self)


def _channel() -> Any:
    """What a Site makes for each connection, but with our channel in it."""
    channel = cast(Callable[[], HTTPChannel], GatewayChannel)()
    return _GenericHTTPChannelProtocol(channel)


class GatewaySite(Site):
    """
    :ivar gateway: the resource that serves every path.
    :ivar max_body: the largest request body, bytes.
    :ivar max_held: the most bytes of request bodies held together.
    :ivar held: how many are held now.
    """

    requestFactory = GatewayRequest
    protocol = staticmethod(_channel)

    def __init__(
        self,
        serve: Serve,
        reactor: IReactorTime,
        *,
        http2: bool = False,
        timeout: float = 60,
        max_body: int = 64 * 1024 * 1024,
        max_held: int = 256 * 1024 * 1024,
        trusted_proxies: Iterable[str] = (),
        refused: Callable[[Refused, GatewayError], None] | None = None,
    ) -> None:
        """
        :param http2: whether TLS clients are offered HTTP/2 (needs ``twisted[http2]``).
            Its idle ``timeout`` runs on while answers are awaited.
        :param timeout: seconds a connection may be idle between two requests, and
            between two pieces of one.
        :param trusted_proxies: see :class:`GatewayResource`; likewise ``refused``.
        """
        self.gateway = GatewayResource(
            serve, trusted_proxies=trusted_proxies, refused=refused
        )
        Site.__init__(
            self,
            self.gateway,
            parsePOSTFormSubmission=False,
            timeout=timeout,
            reactor=reactor,
        )
        self.max_body = max_body
        self.max_held = max_held
        self.held = 0
        self._http2 = http2

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/2 is experimental in Twisted: never offered unless asked for."""
        offered: list[bytes] = Site.acceptableProtocols(self)
        return offered if self._http2 else [b"http/1.1"]

    def log(self, request: Any) -> None:
        """Exchanges have their own record."""
