"""
The border where foreign exceptions become ours: what Twisted, OpenSSL and the parser
say of a connection to a provider, in the words of :mod:`aigw.errors`.

The message is for clients and names nobody; host, address and the foreign text go to
``detail``.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from twisted.internet import error as network

from aigw.errors import ConnectFailed, UpstreamBroke, UpstreamError, UpstreamTimeout
from aigw.model.outbound import Origin

from .response import Malformed


class ProxyRefused(Exception):
    """An egress proxy did not open the way."""


_CONNECT: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    ((network.DNSLookupError,), "resolve", "The provider's name cannot be resolved."),
    (
        (SSL.Error, VerificationError, CertificateError),
        "tls",
        "No trusted TLS connection to the provider could be made.",
    ),
    ((ProxyRefused,), "proxy", "The proxy towards the provider refused."),
)


def connect_failed(error: BaseException, where: str) -> UpstreamError:
    """
    Why no connection stands.

    :param error: what connecting raised.
    :param where: ``host:port``, for the detail.
    """
    detail = f"{where}: {type(error).__name__}: {error}"
    if isinstance(error, (network.TimeoutError, network.TCPTimedOutError)):
        return timed_out("connect", where)
    for kinds, reason, message in _CONNECT:
        if isinstance(error, kinds):
            return ConnectFailed(message, reason=reason, detail=detail)
    return ConnectFailed(
        "No connection to the provider.", reason="connect", detail=detail
    )


def broke(error: BaseException, where: str) -> UpstreamError:
    """
    Why a connection that stood is of no more use.

    :param error: why it was lost, or what the parser could not read.
    :param where: ``host:port``, for the detail.
    """
    detail = f"{where}: {type(error).__name__}: {error}"
    if isinstance(error, network.ConnectionDone):
        return UpstreamBroke(
            "The provider closed the connection before its answer was complete.",
            reason="closed_early",
            detail=detail,
        )
    if isinstance(error, (Malformed, HttpParserError, HttpParserUpgrade)):
        return UpstreamBroke(
            "The provider's answer is not valid HTTP.",
            reason="malformed",
            detail=detail,
        )
    return UpstreamBroke(
        "The connection to the provider was lost.", reason="reset", detail=detail
    )


def timed_out(phase: str, where: str) -> UpstreamTimeout:
    """
    A deadline passed.

    :param phase: ``connect``, ``send`` or ``read``.
    :param where: ``host:port``, for the detail.
    """
    return UpstreamTimeout(
        "The provider took too long.", reason=phase, detail=f"{where}: {phase}"
    )


def unusable(error: ValueError, origin: Origin) -> ConnectFailed:
    """The host or the proxy of an origin is none."""
    return ConnectFailed(
        "The provider's address cannot be used.",
        reason="connect",
        detail=f"{origin.host}:{origin.port}: {error}",
    )


def stopping(where: str) -> UpstreamBroke:
    """The gateway itself closes its connections."""
    return UpstreamBroke(
        "The gateway is shutting down.", reason="shutdown", detail=where
    )
