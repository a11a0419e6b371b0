"""What a request is addressed to is read in one way only."""

from __future__ import annotations

import pytest

from aigw.errors import BadRequest
from aigw.http.target import host_of, origin_form


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", b"/"),
        (b"/a/b%2Fc?x=1&y=a/b?", b"/a/b%2Fc?x=1&y=a/b?"),
        (b"/x?include[]=a", b"/x?include[]=a"),
        (b"//a", b"//a"),
        (b"http://host:80/a?b", b"/a?b"),
        (b"HTTPS://host", b"/"),
        (b"http://host?q", b"/?q"),
    ],
)
def test_targets_come_out_in_origin_form(target: bytes, expected: bytes) -> None:
    assert origin_form(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"*",
        b"a",
        b"a:443",
        b"ftp://a/",
        b"http:///a",
        b"/#",
        b"/a b",
        b"/%",
        b"/%g0",
    ]
    + [b"/" + bytes([c]) for c in (*range(33), *b'"<>\\^`{|}', *range(127, 256))],
)
def test_what_is_no_target_is_refused(target: bytes) -> None:
    with pytest.raises(BadRequest):
        origin_form(target)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"Example.COM", "example.com"),
        (b"example.com:8080", "example.com"),
        (b"example.com:", "example.com"),
        (b"127.0.0.1:1", "127.0.0.1"),
        (b"[::1]:80", "[::1]"),
        (b"", ""),
    ],
)
def test_the_host_is_lower_case_and_without_port(value: bytes, host: str) -> None:
    assert host_of([(b"host", value)]) == host


@pytest.mark.parametrize(
    "value",
    [b"a b", b"a/b", b"u@h", b"a:x", b"::1", b"[::1", b"a,b c", b"a:1:2", b"\xff"],
)
def test_a_malformed_host_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest):
        host_of([(b"host", value)])


def test_two_hosts_are_refused_and_none_is_empty() -> None:
    assert host_of([(b"x", b"y")]) == ""
    with pytest.raises(BadRequest):
        host_of([(b"host", b"a"), (b"host", b"a")])
