"""AWS accepts what we sign: AWS's own examples, then any path against the verifier."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aigw.model.credential import AwsKeys
from aigw.model.headers import Headers, first
from aigw.model.outbound import Origin, Outbound
from aigw.signing.sigv4 import SigV4, host_of, wire_target

from .verifier import (
    canonical_request,
    decoded,
    signature,
    signing_key,
    string_to_sign,
    uri_encode,
    verify,
)

#: The credentials of AWS's examples.
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = AwsKeys("AKIDEXAMPLE", SECRET)
#: 2015-08-30T12:36:00Z, the time of AWS's examples.
NOW = 1440938160.0
BEDROCK = Origin("https", "bedrock-runtime.us-east-1.amazonaws.com", 443)
BODY = b'{"messages":[]}'


def outbound(
    target: bytes = b"/model/m/converse",
    headers: Headers | None = None,
    *,
    origin: Origin = BEDROCK,
    method: str = "POST",
    body: bytes = BODY,
) -> Outbound:
    return Outbound(origin, method, target, headers or [], body)


def signed(
    target: bytes = b"/model/m/converse",
    headers: Headers | None = None,
    keys: AwsKeys = KEYS,
    **request: Any,
) -> Outbound:
    signer = SigV4("bedrock", "us-east-1")
    return signer.sign(outbound(target, headers, **request), keys, NOW)


def verified(request: Outbound, secret: str = SECRET) -> tuple[str, list[str]]:
    fields = [(n.decode(), v.decode("latin-1")) for n, v in request.headers]
    return verify(request.method, request.target, fields, request.body, secret)


# -- the verifier itself, held to AWS's worked example


def test_the_verifier_comes_to_what_aws_publishes() -> None:
    headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("Host", "iam.amazonaws.com"),
        ("X-Amz-Date", "20150830T123600Z"),
    ]
    names = ["content-type", "host", "x-amz-date"]
    target = b"/?Action=ListUsers&Version=2010-05-08"
    canonical = canonical_request("GET", target, headers, names, b"")
    assert hashlib.sha256(canonical.encode()).hexdigest() == (
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )
    scope = "20150830/us-east-1/iam/aws4_request"
    assert signing_key(SECRET, scope).hex() == (
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    )
    text = string_to_sign("20150830T123600Z", scope, canonical)
    assert signature(SECRET, scope, text) == (
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


# -- the signer


def test_the_signer_comes_to_what_aws_publishes() -> None:
    """``get-vanilla`` of AWS's test suite for Signature Version 4."""
    origin = Origin("https", "example.amazonaws.com", 443)
    request = outbound(b"/", origin=origin, method="GET", body=b"")
    told = SigV4("service", "us-east-1").sign(request, KEYS, NOW)
    assert first(told.headers, b"authorization") == (
        b"AWS4-HMAC-SHA256 "
        b"Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        b"SignedHeaders=host;x-amz-date, "
        b"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_host_and_date_alone_are_signed() -> None:
    told = signed(headers=[(b"content-type", b"application/json"), (b"x-id", b"1")])
    scope, names = verified(told)
    assert scope == "AKIDEXAMPLE/20150830/us-east-1/bedrock"
    assert names == ["host", "x-amz-date"]
    assert first(told.headers, b"host") == b"bedrock-runtime.us-east-1.amazonaws.com"
    assert first(told.headers, b"x-amz-date") == b"20150830T123600Z"
    assert told.headers[:2] == [
        (b"content-type", b"application/json"),
        (b"x-id", b"1"),
    ]


def test_a_session_token_is_signed_too() -> None:
    told = signed(keys=AwsKeys("AKIDEXAMPLE", SECRET, "tok/en=="))
    assert verified(told)[1] == ["host", "x-amz-date", "x-amz-security-token"]
    assert first(told.headers, b"x-amz-security-token") == b"tok/en=="


def test_another_signature_on_the_way_is_replaced() -> None:
    headers = [
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=client"),
        (b"x-amz-date", b"20000101T000000Z"),
        (b"x-amz-security-token", b"client"),
        (b"x-amz-content-sha256", b"client"),
        (b"date", b"x"),
    ]
    told = signed(headers=headers)
    assert not any(b"client" in value for _, value in told.headers)
    assert verified(told)[1] == ["host", "x-amz-date"]


def test_the_request_signed_is_left_as_it_was() -> None:
    request = outbound(b"/model/a:b/converse", [(b"x-id", b"1")])
    told = SigV4("bedrock", "us-east-1").sign(request, KEYS, NOW)
    assert request == outbound(b"/model/a:b/converse", [(b"x-id", b"1")])
    assert told.origin is request.origin
    assert told.body is request.body


def test_a_changed_body_is_noticed() -> None:
    told = signed()
    told.body += b" "
    with pytest.raises(AssertionError):
        verified(told)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("https", "h.example", 443), "h.example"),
        (Origin("http", "h.example", 80), "h.example"),
        (Origin("https", "h.example", 8443), "h.example:8443"),
        (Origin("http", "127.0.0.1", 9081), "127.0.0.1:9081"),
        (Origin("https", "::1", 443), "[::1]"),
        (Origin("https", "müller.example", 443), "xn--mller-kva.example"),
    ],
)
def test_the_host_is_signed_as_it_is_sent(origin: Origin, host: str) -> None:
    assert host_of(origin) == host
    told = signed(origin=origin)
    assert first(told.headers, b"host") == host.encode()
    verified(told)


def test_a_host_of_ones_own_is_kept() -> None:
    told = signed(headers=[(b"host", b"vpce-1.bedrock.example")])
    assert [v for n, v in told.headers if n == b"host"] == [b"vpce-1.bedrock.example"]
    verified(told)


# -- paths

ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.claude-v1:0"


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        (b"/model/us.claude-v1:0/converse", b"/model/us.claude-v1%3A0/converse"),
        (b"/model/us.claude-v1%3A0/converse", b"/model/us.claude-v1%3A0/converse"),
        (b"/model/us.claude-v1%3a0/converse", b"/model/us.claude-v1%3A0/converse"),
        (
            b"/model/" + quote(ARN, safe="").encode() + b"/converse",
            b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A"
            b"inference-profile%2Fus.claude-v1%3A0/converse",
        ),
        (b"/model/a%25b/converse", b"/model/a%25b/converse"),
        (b"/model/a%2525b/converse", b"/model/a%2525b/converse"),
        (b"/model/%C3%A9~-_./converse/", b"/model/%C3%A9~-_./converse/"),
        (b"/model/%ff/converse", b"/model/%FF/converse"),
        (b"/p?b=2&a=x%20y&a=1", b"/p?b=2&a=x%20y&a=1"),
        (b"/p?a=x+y&flag&c=%e9", b"/p?a=x%20y&flag=&c=%E9"),
        (b"/p?", b"/p"),
    ],
)
def test_paths_and_queries_are_encoded_once_on_the_wire(
    came: bytes, goes: bytes
) -> None:
    told = signed(came)
    assert told.target == goes
    verified(told)


def test_the_canonical_path_is_encoded_twice() -> None:
    told = signed(b"/model/a:b/converse")
    canonical = canonical_request(
        "POST",
        told.target,
        [("host", "h"), ("x-amz-date", "d")],
        ["host", "x-amz-date"],
        BODY,
    )
    assert canonical.split("\n")[1] == "/model/a%253Ab/converse"


segments = st.binary(min_size=1, max_size=20).filter(lambda s: s not in (b".", b".."))
texts = st.text(min_size=1, max_size=20).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
paths = st.lists(segments | texts, min_size=1, max_size=4).filter(
    lambda held: not {b".", b".."} & set(held)
)


@given(paths, st.booleans(), st.booleans())
@example([b"model", ARN.encode(), b"converse"], False, False)
@example(["modèle:0/%".encode(), b"~"], True, True)
def test_any_path_verifies_however_it_was_encoded(
    held: list[bytes], trailing: bool, bare: bool
) -> None:
    safe = ":@!$&'()*+,;=" if bare else ""
    target = "".join(f"/{quote(segment, safe=safe)}" for segment in held).encode()
    target += b"/" * trailing
    told = signed(target)
    verified(told)
    parts = told.target.split(b"/")[1 : len(held) + 1]
    assert [decoded(part) for part in parts] == held
    assert [uri_encode(segment).encode() for segment in held] == parts
    assert told.target.endswith(b"/") is trailing
    assert signed(told.target).target == told.target


@given(st.lists(st.tuples(st.binary(min_size=1), st.binary()), max_size=5))
def test_any_query_verifies(pairs: list[tuple[bytes, bytes]]) -> None:
    query = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs)
    told = signed(f"/p?{query}".encode())
    verified(told)
    assert wire_target(told.target) == told.target.decode()
