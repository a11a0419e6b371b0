"""
AWS Signature Version 4, by botocore's own code and our clock
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from msgspec.structs import replace
from zope.interface import implementer

from aigw.interfaces import ISigner
from aigw.model.credential import AwsKeys
from aigw.model.headers import first
from aigw.model.outbound import Origin, Outbound

#: Fields that a signature sets, or would be taken for part of another one.
_REPLACED = frozenset(
    {
        b"host",
        b"date",
        b"authorization",
        b"x-amz-content-sha256",
        b"x-amz-date",
        b"x-amz-security-token",
    }
)


@implementer(ISigner)
class SigV4:
    """
    Signs for one service in one region.

    Only host, date and session token are signed headers: what a hop on the way adds or
    changes elsewhere does no harm.
    """

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region

    def sign(self, outbound: Outbound, credentials: AwsKeys, now: float) -> Outbound:
        """
        See :meth:`aigw.interfaces.ISigner.sign`. The target is put in the one spelling
        that AWS signs, see :func:`wire_target`.
        """
        target = wire_target(outbound.target)
        own = first(outbound.headers, b"host")
        host = host_of(outbound.origin) if own is None else own.decode("latin-1")
        stamp = datetime.fromtimestamp(now, UTC).strftime(SIGV4_TIMESTAMP)
        signed = {"host": host, "x-amz-date": stamp}
        if credentials.session_token is not None:
            signed["x-amz-security-token"] = credentials.session_token
        request = AWSRequest(
            method=outbound.method,
            url=f"https://{host}{target}",
            headers=signed,
            data=outbound.body,
        )
        request.context["timestamp"] = stamp
        keys = ReadOnlyCredentials(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
        )
        # add_auth would read the clock; these are the steps it takes.
        auth = SigV4Auth(keys, self._service, self._region)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        fields = auth.signed_headers(auth.headers_to_sign(request))
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
            f"SignedHeaders={fields}, Signature={auth.signature(text, request)}"
        )
        headers = [pair for pair in outbound.headers if pair[0] not in _REPLACED]
        headers += [
            (name.encode("ascii"), value.encode("latin-1"))
            for name, value in signed.items()
        ]
        return replace(outbound, target=target.encode("ascii"), headers=headers)


def wire_target(target: bytes) -> str:
    """
    A target as it goes on the wire: each segment of the path, and each name and value
    of the query, decoded and encoded once. What is encoded in this way already stays as
    it is; slashes do in any case. The signature is made of this path encoded once more,
    which botocore does.
    """
    path, _, query = target.decode("ascii").partition("?")
    path = "/".join(
        quote(unquote_to_bytes(segment), safe="~") for segment in path.split("/")
    )
    query = _wire_query(query)
    return f"{path}?{query}" if query else path


def _wire_query(query: str) -> str:
    pairs = []
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append(f"{_encoded(name)}={_encoded(value)}")
    return "&".join(pairs)


def _encoded(text: str) -> str:
    return quote(
        unquote_plus(text, errors="surrogateescape"), "~", None, "surrogateescape"
    )


def host_of(origin: Origin) -> str:
    """The Host field towards ``origin`` (RFC 9110, section 7.2)."""
    host = origin.host
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    standard = 443 if origin.scheme == "https" else 80
    return host if origin.port == standard else f"{host}:{origin.port}"
