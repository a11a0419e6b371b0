"""TLS towards providers: whom to trust, and as whom to appear."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, platformTrust
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.model.outbound import Trust

if TYPE_CHECKING:
    from twisted.protocols.tls import TLSMemoryBIOProtocol


def _context(trust: Trust) -> SSL.Context:
    """
    Read the files of ``trust``; blocks.

    :raises OpenSSL.SSL.Error: a file is no PEM, or the key is not the certificate's.
    :raises OSError: a file cannot be read.
    """
    platform = trust.verify and trust.ca_file is None
    options = CertificateOptions(
        trustRoot=platformTrust() if platform else None,
        acceptableProtocols=[b"http/1.1"],
    )
    context: SSL.Context = options.getContext()
    if trust.verify and trust.ca_file is not None:
        context.load_verify_locations(trust.ca_file)
        context.set_verify(SSL.VERIFY_PEER)
    if trust.cert_file is not None:
        context.use_certificate_chain_file(trust.cert_file)
        context.use_privatekey_file(trust.key_file or trust.cert_file)
        context.check_privatekey()
    return context


def verify(connection: Any, host: str) -> None:
    """
    Check that the peer's certificate, already trusted, is for ``host`` (RFC 9110,
    section 4.3.4).

    :param connection: the OpenSSL connection, its handshake done.
    :raises service_identity.VerificationError: it is for others.
    :raises service_identity.CertificateError: it cannot be read.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        verify_hostname(connection, _ascii(host))
    else:
        verify_ip_address(connection, str(address))


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")


@implementer(IOpenSSLClientConnectionCreator)
class ServerName:
    """
    Makes TLS connections to one host on a shared context.

    Twisted's ``optionsForClientTLS`` makes a context for each host name, and reads the
    platform's authorities for each (4 to 9 ms): too dear where the contexts of many
    hosts are the same. So the name is checked by :func:`verify`, after the handshake
    and before the first byte of a request.
    """

    def __init__(self, context: SSL.Context, host: str) -> None:
        self._context = context
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self._name = _ascii(host).encode("ascii")
        else:
            self._name = b""  # RFC 6066, section 3: no address literals

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Any:
        connection = SSL.Connection(self._context, None)
        if self._name:
            connection.set_tlsext_host_name(self._name)
        return connection


class Contexts:
    """TLS contexts by trust, each read once, in a thread."""

    def __init__(self, reactor: Any) -> None:
        """:param reactor: provides IReactorThreads."""
        self._reactor = reactor
        self._known: dict[Trust, SSL.Context] = {}
        self._reading: dict[Trust, list[Deferred[SSL.Context]]] = {}

    def forget(self) -> None:
        """Read the files anew for connections to come: certificates are renewed."""
        self._known.clear()

    async def get(self, trust: Trust) -> SSL.Context:
        """
        The context for ``trust``.

        :raises OpenSSL.SSL.Error: its files cannot be used.
        :raises OSError: they cannot be read.
        """
        context = self._known.get(trust)
        if context is not None:
            return context
        waiting = self._reading.get(trust)
        if waiting is None:
            waiting = self._reading[trust] = []
            reading = deferToThreadPool(
                self._reactor, self._reactor.getThreadPool(), _context, trust
            )
            reading.addBoth(self._read, trust)
        mine: Deferred[SSL.Context] = Deferred()
        waiting.append(mine)
        return await mine

    def _read(self, result: SSL.Context | Failure, trust: Trust) -> None:
        if not isinstance(result, Failure):
            self._known[trust] = result
        for each in self._reading.pop(trust):
            if isinstance(result, Failure):
                each.errback(result)
            else:
                each.callback(result)
