"""Requests are read whole, byte by byte, and one behind the other."""

from __future__ import annotations

import pytest

from aigw.mock.request import NotHTTP, Request, RequestReader

PLAIN = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: y\r\n\r\nabc"
CHUNKED = (
    b"PUT http://h/c HTTP/1.1\r\nX-One: 1\r\nX-One:  2 \r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0003\r\ncde\r\n0\r\nT: 1\r\n\r\n"
)
BARE = b"GET /d HTTP/1.0\nConnection: keep-alive\n\n"
ALL = PLAIN + b"\r\n" + CHUNKED + BARE


def read(*pieces: bytes) -> list[Request]:
    reader = RequestReader()
    return [request for piece in pieces for request in reader.feed(piece)]


@pytest.mark.parametrize("size", [1, 2, 7, len(ALL)])
def test_requests_do_not_depend_on_how_the_bytes_come(size: int) -> None:
    requests = read(*(ALL[at : at + size] for at in range(0, len(ALL), size)))
    assert [request.body for request in requests] == [b"abc", b"abcde", b""]
    assert [request.path for request in requests] == ["/a", "/c", "/d"]
    assert requests[0].query == "b"
    assert requests[1].headers[:2] == [(b"X-One", b"1"), (b"X-One", b"2")]
    assert [request.keep_alive for request in requests] == [True, True, True]


def test_an_unfinished_body_is_waited_for() -> None:
    assert read(PLAIN[:-1]) == []
    assert read(CHUNKED[:-2]) == []


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(NotHTTP):
        read(data)
