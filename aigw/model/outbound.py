"""A request on its way to a provider."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from .headers import Headers


@dataclass(frozen=True, slots=True)
class Trust:
    """
    How TLS towards a provider is trusted; part of a pooled connection's key.

    :ivar verify: whether certificate and host name are checked.
    :ivar ca_file: PEM file of trusted authorities; None means the platform's.
    :ivar cert_file: PEM file of the client certificate (with chain), or None.
    :ivar key_file: PEM file of its private key, or None.
    """

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """
    Where a connection goes and how: all that decides whether two requests may
    share one. Hashable, the key of the pool.

    :ivar scheme: ``"http"`` or ``"https"``.
    :ivar host: host name or address literal (IPv6 without brackets), lower case;
        also the TLS server name.
    :ivar port: TCP port.
    :ivar trust: TLS trust settings; ignored for http.
    :ivar proxy: URL of an HTTP proxy to go through (``http://[user:pass@]host:port``),
        or None. https goes through it by CONNECT, http by absolute-form targets.
    :ivar address: an address to connect to instead of resolving ``host``, or None.
    """

    scheme: str
    host: str
    port: int
    trust: Trust = Trust()
    proxy: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How long the connection to a provider may take, in seconds.

    :ivar connect: until the connection (TLS included) stands.
    :ivar send: without a byte of the request being accepted by the transport.
    :ivar read: without a byte of the answer, from the moment the request was sent;
        any byte starts it afresh, a paused call stands still.
    """

    connect: float = 30.0
    send: float = 30.0
    read: float = 30.0


@dataclass(frozen=True, slots=True)
class Keepalive:
    """
    Whether and how a connection is parked after a complete answer.

    :ivar size: the most idle connections kept per origin; 0 closes them all.
    :ivar idle: seconds an idle one is kept.
    """

    size: int = 30
    idle: float = 60.0


class Outbound(msgspec.Struct):
    """
    A prepared request: signed last, then sent as it is.

    :ivar target: path and query as they go on the wire (origin form).
    :ivar headers: all fields but Host, Content-Length and Connection, which the
        connection writes itself; ``host`` may be given to replace the origin's.
    :ivar body: the whole body; ``b""`` with ``method`` GET or HEAD sends none.
    :ivar model: the model asked of the provider (the record's ``llm_model``).
    :ivar stream: whether a stream is asked for.
    :ivar framing: the framing it will have, ``""`` where the dialect says it, and
        ``json`` where it will have none and be one JSON array.
    :ivar hides_usage: whether usage was asked for on our own account, so that the
        usage-only chunk must be kept from the client.
    """

    origin: Origin
    method: str
    target: bytes
    headers: Headers
    body: bytes
    patience: Patience = Patience()
    keepalive: Keepalive = Keepalive()
    model: str = ""
    stream: bool = False
    framing: str = ""
    hides_usage: bool = False

    def forget(self) -> None:
        """It was sent, and will not be again: let go of fields and body."""
        self.headers = []
        self.body = b""
