"""What is remembered of an origin: how requests begin, and its idle connections."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from aigw.errors import BadRequest
from aigw.interfaces.downstream import IBodySource
from aigw.model.outbound import Origin, Outbound

if TYPE_CHECKING:
    from .connection import Connection

# RFC 9112's grammar of a head, less the fields the connection writes itself. One match
# costs 1 µs; a line break let through would be somebody else's request.
_HEAD = re.compile(
    rb"[A-Z][A-Z-]*+ [!-~]++ HTTP/1\.1\r\n"
    rb"(?:(?!(?:content-length|connection|transfer-encoding):)"
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++: [^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+"
)

#: Methods that send no Content-Length with an empty body.
_BODILESS = frozenset({"GET", "HEAD"})


class Proxy:
    """
    An egress proxy.

    :ivar host: name or address literal, IPv6 without brackets.
    :ivar port: TCP port.
    :ivar authorization: the Proxy-Authorization field with its line end, or ``b""``.
    """

    def __init__(self, url: str) -> None:
        """
        :param url: ``http://[user:password@]host[:port]``, percent-encoded.
        :raises ValueError: it is not such.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("an egress proxy is http://[user:password@]host[:port]")
        self.host = parts.hostname
        self.port = parts.port or 80
        self.authorization = b""
        if parts.username is not None:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.authorization = (
                b"Proxy-Authorization: Basic " + b64encode(secret.encode()) + b"\r\n"
            )


class Destination:
    """
    One origin, as long as the process sends to it.

    :ivar parked: its idle connections, the one parked last at the end.
    :ivar proxy: the proxy to go through, or None.
    :ivar authority: host and port as CONNECT wants them.
    :ivar address: the same for people to read.
    :ivar forgotten: whether the pool remembers another (or none) for this origin.
    """

    __slots__ = (
        "_host",
        "_prefix",
        "address",
        "authority",
        "forgotten",
        "origin",
        "parked",
        "proxy",
    )

    def __init__(self, origin: Origin) -> None:
        """
        :raises ValueError: the origin's proxy is not one, or its host no host.
        """
        self.origin = origin
        self.parked: list[Connection] = []
        self.proxy = Proxy(origin.proxy) if origin.proxy else None
        host = origin.host.encode("ascii" if origin.host.isascii() else "idna")
        if b":" in host:
            host = b"[%b]" % host
        self.authority = b"%b:%d" % (host, origin.port)
        self.address = self.authority.decode("ascii")
        self.forgotten = False
        standard = 443 if origin.scheme == "https" else 80
        if origin.port != standard:
            host = self.authority
        self._host = b"host: %b\r\n" % host
        self._prefix = b""
        if self.proxy is not None and origin.scheme == "http":
            self._prefix = b"http://" + host
            self._host += self.proxy.authorization

    def head(self, outbound: Outbound, upload: IBodySource | None = None) -> bytes:
        """
        The head of a request, ready to be written.

        :param upload: what is sent in place of the outbound's body.

        :raises BadRequest: method, target or a field cannot be sent, or is one that
            the connection writes itself.
        """
        fields = b"\r\n".join([b": ".join(field) for field in outbound.headers])
        if fields:
            fields += b"\r\n"
        if fields.startswith(b"host: ") or b"\r\nhost: " in fields:
            host = self._host[self._host.index(b"\n") + 1 :]
        else:
            host = self._host
        head = b"%b %b%b HTTP/1.1\r\n%b%b" % (
            outbound.method.encode(),
            self._prefix,
            outbound.target,
            host,
            fields,
        )
        # The count, because a value with a line break may well look like two fields.
        injected = fields.count(b"\n") != len(outbound.headers)
        if injected or _HEAD.fullmatch(head) is None:
            raise BadRequest("The request holds characters that HTTP cannot carry.")
        end = b"\r\n" if outbound.keepalive.size else b"connection: close\r\n\r\n"
        if upload is not None:
            if upload.length is None:
                return b"%btransfer-encoding: chunked\r\n%b" % (head, end)
            return b"%bcontent-length: %d\r\n%b" % (head, upload.length, end)
        if outbound.body or outbound.method not in _BODILESS:
            return b"%bcontent-length: %d\r\n%b" % (head, len(outbound.body), end)
        return head + end
