"""A form posted to a token endpoint, over the connections that provider calls take."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from zope.interface import implementer

from aigw.errors import UpstreamError
from aigw.interfaces import IReceiver, IUpstream
from aigw.model.headers import Headers
from aigw.model.outbound import Keepalive, Origin, Outbound

_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
_PORTS: Final = {"http": 80, "https": 443}
#: The most bytes of an answer.
_LARGEST: Final = 64 * 1024


@implementer(IReceiver)
class _Answer:
    """An answer, gathered."""

    def __init__(self) -> None:
        self.done: Deferred[tuple[int, bytes]] = Deferred()
        self._status = 0
        self._body = bytearray()

    def head(self, status: int, headers: Headers) -> None:
        self._status = status

    def body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > _LARGEST and not self.done.called:
            self.done.errback(ValueError("the answer is too long"))

    def ended(self) -> None:
        if not self.done.called:
            self.done.callback((self._status, bytes(self._body)))

    def failed(self, error: UpstreamError) -> None:
        if not self.done.called:
            self.done.errback(error)


class Post:
    """
    Posts forms; one for an account.

    :param proxy: as of :class:`aigw.model.outbound.Origin`.
    """

    def __init__(self, upstream: IUpstream, proxy: str | None) -> None:
        self._upstream = upstream
        self._proxy = proxy

    async def __call__(self, uri: str, form: bytes) -> tuple[int, bytes]:
        """
        Post ``form`` to ``uri``; redirects are not followed. Cancelling it closes the
        connection.

        :returns: status and body.
        :raises ValueError: ``uri`` is no URL of HTTP, or the answer is too long.
        :raises UpstreamError: there is no answer.
        """
        answer = _Answer()
        call = self._upstream.send(self._outbound(uri, form), answer)
        try:
            return await answer.done
        finally:
            call.stop()

    def _outbound(self, uri: str, form: bytes) -> Outbound:
        url = urlsplit(uri)
        if url.scheme not in _PORTS or url.hostname is None:
            raise ValueError(f"{uri!r} is no URL of HTTP")
        port = url.port or _PORTS[url.scheme]
        query = f"?{url.query}" if url.query else ""
        return Outbound(
            origin=Origin(url.scheme, url.hostname, port, proxy=self._proxy),
            method="POST",
            target=f"{url.path or '/'}{query}".encode("ascii"),
            headers=[_FORM],
            body=form,
            keepalive=Keepalive(size=0),  # a token lasts an hour
        )
