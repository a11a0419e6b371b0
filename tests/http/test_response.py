"""Answers are read the same however their bytes are cut, and bad ones are refused."""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.http.response import LIMIT, Response


class Read(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool
    clean: bool
    error: bool


def read(pieces: list[bytes], head: bool = False, eof: bool | None = None) -> Read:
    response = Response()
    response.expect(bodiless=head)
    body = []
    for piece in pieces:
        if response.complete or response.error is not None:
            # The connection is idle or closed by then; what follows poisons it.
            response.clean = False
            break
        body.append(response.feed(piece))
    if eof is not None and not response.complete:
        response.eof(eof)
    return Read(
        response.status,
        response.headers,
        b"".join(body),
        response.complete,
        response.clean,
        response.error is not None,
    )


def by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

#: (bytes, answers HEAD, body, may the connection be used again)
GOOD: dict[str, tuple[bytes, bool, bytes, bool]] = {
    "length": (OK + b"Content-Length: 3\r\nX-Empty:\r\n\r\nabc", False, b"abc", True),
    "length 0": (OK + b"Content-Length: 0\r\n\r\n", False, b"", True),
    "body of line breaks": (
        OK + b"Content-Length: 4\r\n\r\na\r\n\n",
        False,
        b"a\r\n\n",
        True,
    ),
    "chunked": (CHUNKED + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", False, b"abcd", True),
    "chunked, last piece like the end": (
        CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
        False,
        b"\r\n\r\n",
        True,
    ),
    "chunk extension": (CHUNKED + b"3;a=b\r\nabc\r\n0;c\r\n\r\n", False, b"abc", True),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\nX-T: 1\r\nX-U:\r\n\r\n", False, b"a", True),
    "chunked empty": (CHUNKED + b"0\r\n\r\n", False, b"", True),
    "upper case coding": (
        OK + b"transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n",
        False,
        b"",
        True,
    ),
    "HEAD with length": (OK + b"Content-Length: 9\r\n\r\n", True, b"", True),
    "HEAD chunked": (CHUNKED, True, b"", True),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", False, b"", True),
    "204 with length": (
        b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
        False,
        b"",
        True,
    ),
    "304 with length": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        False,
        b"",
        True,
    ),
    "no reason phrase": (
        b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na",
        False,
        b"a",
        True,
    ),
    "interim answers": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        False,
        b"a",
        True,
    ),
    "connection: close": (
        OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na",
        False,
        b"a",
        False,
    ),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", False, b"a", False),
    "HTTP/1.0 keep-alive": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        False,
        b"a",
        False,
    ),
    "upgrade offered": (
        OK + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\na",
        False,
        b"a",
        True,
    ),
}

BAD: dict[str, bytes] = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "RTSP": b"RTSP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "empty line first": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
    "status 2000": b"HTTP/1.1 2000 X\r\nContent-Length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 S\r\n"
    b"Upgrade: x\r\nConnection: upgrade\r\n\r\n",
    "bare switching protocols": b"HTTP/1.1 101 S\r\n\r\n",
    "length and chunks": OK
    + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "chunks and length": OK
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
    "list of lengths": OK + b"Content-Length: 3, 3\r\n\r\n",
    "negative length": OK + b"Content-Length: -3\r\n\r\n",
    "huge length": OK + b"Content-Length: 99999999999999999999\r\n\r\n",
    "other coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "coding not last": OK + b"Transfer-Encoding: chunked, identity\r\n\r\n",
    "coding with a tab": OK + b"Transfer-Encoding: chunked\t\r\n\r\n",
    "two codings": OK
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "space before colon": OK + b"X : a\r\n\r\n",
    "folded field": OK + b"X: a\r\n b\r\n\r\n",
    "NUL in a value": OK + b"X: a\x00b\r\n\r\n",
    "bare CR in a value": OK + b"X: a\rb\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "chunk size of no digits": CHUNKED + b"\r\nabc",
    "chunk size 0x3": CHUNKED + b"0x3\r\nabc\r\n",
    "chunk size overflow": CHUNKED + b"fffffffffffffffff\r\n",
    "chunk without its end": CHUNKED + b"3\r\nabcd\r\n",
    "trailer with a space": CHUNKED + b"0\r\nX : 1\r\n\r\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_answer_is_read_whole_and_byte_by_byte(name: str) -> None:
    data, head, body, clean = GOOD[name]
    whole = read([data], head)
    assert (whole.body, whole.complete, whole.clean, whole.error) == (
        body,
        True,
        clean,
        False,
    )
    assert read(by_byte(data), head) == whole
    assert (b"transfer-encoding", b"chunked") not in whole.headers
    assert all(key == key.lower() for key, _ in whole.headers)


@given(st.sampled_from(sorted(GOOD)), st.lists(st.integers(1, 40), max_size=12))
@settings(max_examples=150, deadline=None)
def test_answer_is_read_the_same_however_cut(name: str, cuts: list[int]) -> None:
    data, head, _, _ = GOOD[name]
    pieces, rest = [], data
    for cut in cuts:
        if len(rest) > cut:
            pieces.append(rest[:cut])
            rest = rest[cut:]
    assert read([*pieces, rest], head) == read([data], head)


@pytest.mark.parametrize("name", BAD)
def test_malformed_answer_is_refused(name: str) -> None:
    data = BAD[name]
    whole, bytewise = read([data]), read(by_byte(data))
    assert whole.error
    assert bytewise == whole
    assert not whole.complete
    assert not whole.clean


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "stray", [b"\n", b"\r\n", b"x", OK, GOOD["length"][0], b"\r\n\r\n"]
)
def test_bytes_behind_an_answer_in_its_read_poison_the_connection(
    name: str, stray: bytes
) -> None:
    data, head, body, _ = GOOD[name]
    result = read([data + stray], head)
    assert (result.body, result.complete, result.clean, result.error) == (
        body,
        True,
        False,
        False,
    )


def test_pieces_of_one_read_come_as_one() -> None:
    response = Response()
    response.expect(bodiless=False)
    assert response.feed(CHUNKED + b"1\r\na\r\n" * 100) == b"a" * 100


def test_good_pieces_before_an_error_are_kept() -> None:
    result = read([CHUNKED + b"3\r\nabc\r\nzz\r\n"])
    assert result.body == b"abc"
    assert result.error


@pytest.mark.parametrize(
    ("head", "proper", "complete"),
    [
        (OK + b"\r\nabc", True, True),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", True, True),
        (OK + b"\r\nabc", False, False),
        (OK + b"Content-Length: 4\r\n\r\nabc", True, False),
        (CHUNKED + b"3\r\nabc\r\n", True, False),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", True, False),
        (b"HTTP/1.1 200 OK\r\nX: 1\r\n", True, False),
        (b"", True, False),
    ],
)
def test_close_completes_only_an_answer_without_length(
    head: bytes, proper: bool, complete: bool
) -> None:
    for pieces in ([head] if head else [], by_byte(head)):
        result = read(pieces, eof=proper)
        assert result.complete is complete
        assert not result.clean


def endless(start: bytes, more: bytes) -> int:
    """How many bytes are taken before the answer is refused."""
    response = Response()
    response.expect(bodiless=False)
    response.feed(start)
    taken = 0
    while response.error is None:
        assert taken < 10 * LIMIT
        response.feed(more)
        taken += len(more)
    return taken


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (OK + b"X: ", b"a" * 1000),
        (OK, b"X: a\r\n" * 100),
        (CHUNKED + b"3;", b"a" * 1000),
        (CHUNKED + b"1\r\na\r\n0;", b"a" * 1000),
        (CHUNKED + b"0\r\n", b"X: a\r\n" * 100),
    ],
)
def test_head_chunk_lines_and_trailers_are_bounded(start: bytes, more: bytes) -> None:
    assert LIMIT - 100 <= endless(start, more) <= LIMIT + len(more)


def test_parser_serves_one_answer_after_another() -> None:
    response = Response()
    for name in ("length", "HEAD with length", "chunked", "HEAD chunked", "204"):
        data, head, body, _ = GOOD[name]
        response.expect(bodiless=head)
        assert (response.status, response.headers) == (0, [])
        assert response.feed(data) == body
        assert response.complete
        assert response.clean


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=8),
    st.sampled_from(["length", "chunked", "close"]),
    st.lists(st.integers(1, 60), max_size=10),
)
@settings(max_examples=100, deadline=None)
def test_body_is_what_h11_wrote(
    pieces: list[bytes], framing: str, cuts: list[int]
) -> None:
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    while type(server.next_event()) is not h11.EndOfMessage:
        pass
    body = b"".join(pieces)
    headers = {
        "length": [("content-length", str(len(body)))],
        "chunked": [("transfer-encoding", "chunked")],
        "close": [("connection", "close")],
    }[framing]
    if framing == "close":
        server.receive_data(b"")
    wire = server.send(h11.Response(status_code=200, headers=headers)) or b""
    if framing == "close":
        wire = OK + b"\r\n"
    for piece in pieces:
        wire += piece if framing == "close" else server.send(h11.Data(piece)) or b""
    if framing != "close":
        wire += server.send(h11.EndOfMessage()) or b""
    cut: list[bytes] = []
    for length in cuts:
        if len(wire) > length:
            cut.append(wire[:length])
            wire = wire[length:]
    result = read([*cut, wire], eof=True)
    assert (result.body, result.complete, result.error) == (body, True, False)
