"""
What AWS does with a signed request, written from its description of Signature Version 4
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
alone: neither botocore nor anything of aigw is used here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})\Z"
)
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")

Fields = Sequence[tuple[str, str]]


def uri_encode(data: bytes) -> str:
    """The page's UriEncode: every byte but the unreserved, in upper case."""
    return "".join(
        chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data
    )


def decoded(text: bytes) -> bytes:
    """What an encoded text stands for."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)


def canonical_request(
    method: str, target: bytes, headers: Fields, signed: Iterable[str], body: bytes
) -> str:
    """Step 1. ``target`` as it is on the wire, where the path is encoded once."""
    path, _, query = target.partition(b"?")
    uri = "/".join(uri_encode(segment) for segment in path.split(b"/"))
    pairs = sorted(
        (uri_encode(decoded(name)), uri_encode(decoded(value)))
        for name, _, value in (p.partition(b"=") for p in query.split(b"&") if p)
    )
    lines = [
        method,
        uri,
        "&".join(f"{name}={value}" for name, value in pairs),
    ]
    for name in signed:
        values = [" ".join(v.split()) for key, v in headers if key.lower() == name]
        assert values, f"{name} is signed, and not there"
        lines.append(f"{name}:{','.join(values)}")
    lines += ["", ";".join(signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines)


def string_to_sign(stamp: str, scope: str, canonical: str) -> str:
    """Steps 2 and 3."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join(["AWS4-HMAC-SHA256", stamp, scope, digest])


def signing_key(secret: str, scope: str) -> bytes:
    """Step 4, its first part: from the secret to the key of a day, region, service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def signature(secret: str, scope: str, text: str) -> str:
    """Step 4."""
    key = signing_key(secret, scope)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def verify(
    method: str, target: bytes, headers: Fields, body: bytes, secret: str
) -> tuple[str, list[str]]:
    """
    Verify a request.

    :returns: ``key id/day/region/service`` and the names of the signed headers.
    :raises AssertionError: it is not signed, or not in this way.
    """
    (authorization,) = (v for name, v in headers if name.lower() == "authorization")
    (stamp,) = (v for name, v in headers if name.lower() == "x-amz-date")
    found = _AUTHORIZATION.match(authorization)
    assert found, authorization
    key_id, day, region, service, names, told = found.groups()
    assert stamp.startswith(day)
    signed = names.split(";")
    assert signed == sorted(signed)
    assert "host" in signed
    for name, _ in headers:
        if name.lower().startswith("x-amz-"):
            assert name.lower() in signed, f"{name} must be signed"
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = canonical_request(method, target, headers, signed, body)
    assert told == signature(secret, scope, string_to_sign(stamp, scope, canonical))
    return f"{key_id}/{day}/{region}/{service}", signed
