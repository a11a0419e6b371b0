"""
Requests, good, malformed and unusual, after RFC 9110 and RFC 9112 sections 2 to 7.

Each case is a name, the bytes of one connection, and what must come of them: the
requests understood, as (method, target, body), and then the status of a refusal, or
None where the bytes end on a request's boundary, or MORE where they end inside one.
Some that our own parser refuses can be repaired in one way only; ``repaired`` is what
twisted.web makes of them, and may hand on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MORE: Final = -1

Request = tuple[bytes, bytes, bytes]


class Case(NamedTuple):
    name: str
    data: bytes
    requests: tuple[Request, ...]
    ends: int | None
    repaired: tuple[Request, ...] = ()


def _head(line: bytes, *fields: bytes, host: bytes | None = b"Host: a") -> bytes:
    lines = [line, *([] if host is None else [host]), *fields, b"", b""]
    return b"\r\n".join(lines)


def _good(name: str, data: bytes, *requests: Request) -> Case:
    return Case(name, data, requests, None)


def _bad(name: str, data: bytes, status: int = 400, *before: Request) -> Case:
    return Case(name, data, before, status)


def _mild(name: str, data: bytes, *repaired: Request, status: int = 400) -> Case:
    return Case(name, data, (), status, repaired)


def _more(name: str, data: bytes, *before: Request) -> Case:
    return Case(name, data, before, MORE)


GET: Final = b"GET / HTTP/1.1"
POST: Final = b"POST / HTTP/1.1"
_GOT: Final = (b"GET", b"/", b"")
_CHUNKED: Final = b"Transfer-Encoding: chunked"


def _posted(body: bytes) -> Request:
    return (b"POST", b"/", body)


def _chunks(body: bytes, *fields: bytes) -> bytes:
    return _head(POST, _CHUNKED, *fields) + body


LINES: Final = [
    _good("plain", _head(GET), _GOT),
    _good("1.0", _head(b"GET / HTTP/1.0"), _GOT),
    _good("1.0 without Host", _head(b"GET / HTTP/1.0", host=None), _GOT),
    _good("query", _head(b"GET /a?b=c HTTP/1.1"), (b"GET", b"/a?b=c", b"")),
    _good("escape", _head(b"GET /a%20b HTTP/1.1"), (b"GET", b"/a%20b", b"")),
    _good("brackets", _head(b"GET /a?b[]=c HTTP/1.1"), (b"GET", b"/a?b[]=c", b"")),
    _good(
        "any token is a method", _head(b"M-SEARCH / HTTP/1.1"), (b"M-SEARCH", b"/", b"")
    ),
    _good("empty line before", b"\r\n" + _head(GET), _GOT),
    _good("absolute form", _head(b"GET http://a/x HTTP/1.1"), (b"GET", b"/x", b"")),
    _good("absolute form, no path", _head(b"GET http://a HTTP/1.1"), _GOT),
    _good(
        "absolute form, query only",
        _head(b"GET http://a?x HTTP/1.1"),
        (b"GET", b"/?x", b""),
    ),
    _good("absolute form, other case", _head(b"GET HTTP://A/ HTTP/1.1"), _GOT),
    _bad("absolute form, other host", _head(b"GET http://b/ HTTP/1.1")),
    _bad("absolute form, user", _head(b"GET http://u@a/ HTTP/1.1")),
    _bad("absolute form, no host", _head(b"GET http:///x HTTP/1.1")),
    _bad("absolute form, other scheme", _head(b"GET ftp://a/ HTTP/1.1")),
    _bad("authority form", _head(b"GET a:80 HTTP/1.1")),
    _bad("asterisk form", _head(b"OPTIONS * HTTP/1.1")),
    _bad("CONNECT", _head(b"CONNECT a:443 HTTP/1.1"), 501),
    _bad("two empty lines before", b"\r\n\r\n" + _head(GET)),
    _bad("blank before", b" " + _head(GET)),
    _bad("no version", _head(b"GET /")),
    _bad("no target", _head(b"GET  HTTP/1.1")),
    _bad("two blanks before the target", _head(b"GET  / HTTP/1.1")),
    _bad("two blanks before the version", _head(b"GET /  HTTP/1.1")),
    _bad("blank at the line's end", _head(b"GET / HTTP/1.1 ")),
    _bad("tab in the line", _head(b"GET\t/ HTTP/1.1")),
    _bad("blank in the target", _head(b"GET /a b HTTP/1.1")),
    _bad("fragment", _head(b"GET /a#b HTTP/1.1")),
    _bad("broken escape", _head(b"GET /a%2 HTTP/1.1")),
    _bad("escape of no digits", _head(b"GET /a%zz HTTP/1.1")),
    _bad("escape broken in the query", _head(b"GET /a?%4 HTTP/1.1")),
    _bad("not UTF-8", _head(b"GET /%ff HTTP/1.1")),
    _bad("escaped NUL", _head(b"GET /%00 HTTP/1.1")),
    _bad("dot segments", _head(b"GET /a/../b HTTP/1.1")),
    _bad("escaped dot segments", _head(b"GET /a/%2e%2e/b HTTP/1.1")),
    _bad("escaped slash", _head(b"GET /a%2f..%2fb HTTP/1.1")),
    _bad("two slashes", _head(b"GET //b HTTP/1.1")),
    _bad("backslash", _head(b"GET /a\\b HTTP/1.1")),
    _bad("raw UTF-8", _head("GET /ä HTTP/1.1".encode())),
    _bad("control in the target", _head(b"GET /\x01 HTTP/1.1")),
    _bad("DEL in the target", _head(b"GET /\x7f HTTP/1.1")),
    _bad("method is no token", _head(b"G(T / HTTP/1.1")),
    _bad("version in lower case", _head(b"GET / http/1.1")),
    _bad("other protocol", _head(b"GET / RTSP/1.0")),
    _bad("version without dot", _head(b"GET / HTTP/11")),
    _bad("version with three digits", _head(b"GET / HTTP/1.10")),
    _bad("HTTP/0.9", _head(b"GET / HTTP/0.9"), 505),
    _bad("HTTP/1.2", _head(b"GET / HTTP/1.2"), 505),
    _bad("HTTP/2.0", _head(b"GET / HTTP/2.0"), 505),
    _bad("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    _bad("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    _bad("bare LF after the line", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    _bad("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n"),
    _bad("bare CR after the line", b"GET / HTTP/1.1\rHost: a\r\n\r\n"),
    _more("nothing but an empty line", b"\r\n"),
    _more("half a line", b"GET / HT"),
    _more("half a head", b"GET / HTTP/1.1\r\nHost: a\r\n"),
]

FIELDS: Final = [
    _good("blanks around a value", _head(GET, b"X:  \t a b \t "), _GOT),
    _good("empty value", _head(GET, b"X:", b"Y: "), _GOT),
    _good("obs-text", _head(GET, b"X: \xe4\xff"), _GOT),
    _good("colons in a value", _head(GET, b"X: a:b:c"), _GOT),
    _good("Host with port", _head(GET, host=b"Host: a.b:8080"), _GOT),
    _good("Host is an IPv6 literal", _head(GET, host=b"hOST: [::1]:80"), _GOT),
    _bad("no Host", _head(GET, host=None)),
    _bad("empty Host", _head(GET, host=b"Host:")),
    _bad("two Hosts", _head(GET, b"Host: a")),
    _bad("two Hosts in 1.0", _head(b"GET / HTTP/1.0", b"Host: b")),
    _bad("list of Hosts", _head(GET, host=b"Host: a, b")),
    _bad("Host with user", _head(GET, host=b"Host: u@a")),
    _bad("Host with path", _head(GET, host=b"Host: a/b")),
    _bad("Host with a word for a port", _head(GET, host=b"Host: a:b")),
    _bad("Host with blank", _head(GET, host=b"Host: a b")),
    _bad("blank before the colon", _head(GET, b"X : a")),
    _bad("tab before the colon", _head(GET, b"X\t: a")),
    _bad("no colon", _head(GET, b"X")),
    _bad("no name", _head(GET, b": a")),
    _mild("folded value", _head(GET, b"X: a", b" b"), _GOT),
    _mild("folded with tab", _head(GET, b"X: a", b"\tb"), _GOT),
    _bad("blank before the first field", _head(GET, host=b" Host: a")),
    _bad("NUL in a value", _head(GET, b"X: a\0b")),
    _mild("control in a value", _head(GET, b"X: a\x0bb"), _GOT),
    _mild("DEL in a value", _head(GET, b"X: a\x7f"), _GOT),
    _bad("bare CR in a value", _head(GET, b"X: a\rb")),
    _bad("bare LF in a value", _head(GET, b"X: a\nY: b")),
    _bad("bare CR before CRLF", _head(GET, b"X: a\r")),
    _bad("name is no token", _head(GET, b"X{}: a")),
    _bad("name with obs-text", _head(GET, b"X\xe4: a")),
    _bad("name with NUL", _head(GET, b"X\0: a")),
    _bad("unknown Expect", _head(POST, b"Expect: 200-ok", b"Content-Length: 0"), 417),
    _good("Expect in 1.0", _head(b"GET / HTTP/1.0", b"Expect: x"), _GOT),
    _bad("WebSocket", _head(GET, b"Upgrade: websocket", b"Connection: upgrade"), 501),
    _bad("WebSocket, other case", _head(GET, b"upgrade: h2c, WebSocket"), 501),
    _good("h2c is ignored", _head(GET, b"Upgrade: h2c", b"Connection: upgrade"), _GOT),
]

LENGTHS: Final = [
    _good("length 0", _head(POST, b"Content-Length: 0"), _posted(b"")),
    _good("length", _head(POST, b"Content-Length: 3") + b"abc", _posted(b"abc")),
    _good(
        "length of a GET", _head(GET, b"Content-Length: 1") + b"x", (b"GET", b"/", b"x")
    ),
    _good(
        "zeros before", _head(POST, b"Content-Length: 003") + b"abc", _posted(b"abc")
    ),
    _good(
        "body like a request",
        _head(POST, b"Content-Length: 25") + b"GET / HTTP/1.1\r\nHost:a\r\n\r",
        _posted(b"GET / HTTP/1.1\r\nHost:a\r\n\r"),
    ),
    _good(
        "two requests",
        _head(POST, b"Content-Length: 3") + b"abc" + _head(GET),
        _posted(b"abc"),
        _GOT,
    ),
    _more("too short", _head(POST, b"Content-Length: 4") + b"abc"),
    _bad(
        "body longer than told",
        _head(POST, b"Content-Length: 2") + b"ab:" + _head(GET),
        400,
        _posted(b"ab"),
    ),
    _bad("no body told", _head(POST) + b"{}\r\n\r\n", 400, _posted(b"")),
    _bad("two equal lengths", _head(POST, b"Content-Length: 3", b"Content-Length: 3")),
    _bad("two lengths", _head(POST, b"Content-Length: 3", b"Content-Length: 4")),
    _bad("list of lengths", _head(POST, b"Content-Length: 3, 3")),
    _bad("negative", _head(POST, b"Content-Length: -1")),
    _bad("with a sign", _head(POST, b"Content-Length: +1")),
    _bad("hexadecimal", _head(POST, b"Content-Length: 0x3")),
    _bad("with a point", _head(POST, b"Content-Length: 3.0")),
    _bad("with an underscore", _head(POST, b"Content-Length: 1_0")),
    _bad("empty", _head(POST, b"Content-Length:")),
    _bad("with a blank", _head(POST, b"Content-Length: 1 0")),
    _bad("other digits", _head(POST, "Content-Length: ٣".encode())),
    _bad("huge", _head(POST, b"Content-Length: 99999999999999999999"), 413),
    _bad("of 100 digits", _head(POST, b"Content-Length: " + b"9" * 100)),
    _bad("blank in the name", _head(POST, b"Content Length: 3")),
    _bad("blank before its colon", _head(POST, b"Content-Length : 3")),
]

CODINGS: Final = [
    _good("chunked", _chunks(b"3\r\nabc\r\n0\r\n\r\n"), _posted(b"abc")),
    _good("empty", _chunks(b"0\r\n\r\n"), _posted(b"")),
    _good("two chunks", _chunks(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), _posted(b"abc")),
    _good(
        "other case",
        _head(POST, b"transfer-encoding: CHUNKED") + b"A\r\n0123456789\r\n0\r\n\r\n",
        _posted(b"0123456789"),
    ),
    _good("extension", _chunks(b"1;a=b;c\r\nx\r\n0;d\r\n\r\n"), _posted(b"x")),
    _good(
        "quoted extension", _chunks(b'1;a="b;\\"c"\r\nx\r\n0\r\n\r\n'), _posted(b"x")
    ),
    _good("trailer", _chunks(b"1\r\nx\r\n0\r\nX: y\r\n\r\n"), _posted(b"x")),
    _good("a request behind", _chunks(b"0\r\n\r\n") + _head(GET), _posted(b""), _GOT),
    _more("no end", _chunks(b"3\r\nabc\r\n")),
    _more("half a chunk", _chunks(b"3\r\na")),
    _more("half a trailer", _chunks(b"0\r\nX: y\r\n")),
    _bad("length too", _head(POST, _CHUNKED, b"Content-Length: 3")),
    _bad("length before", _head(POST, b"Content-Length: 3", _CHUNKED)),
    _bad("in 1.0", _head(b"POST / HTTP/1.0", _CHUNKED)),
    _bad("twice", _head(POST, _CHUNKED, _CHUNKED)),
    _bad("chunked, chunked", _head(POST, b"Transfer-Encoding: chunked, chunked")),
    _bad("gzip", _head(POST, b"Transfer-Encoding: gzip")),
    _mild("identity", _head(POST, b"Transfer-Encoding: identity"), _posted(b"")),
    _bad("gzip, chunked", _head(POST, b"Transfer-Encoding: gzip, chunked"), 501),
    _bad("chunked, gzip", _head(POST, b"Transfer-Encoding: chunked, gzip")),
    _bad(
        "gzip in a field of its own", _head(POST, b"Transfer-Encoding: gzip", _CHUNKED)
    ),
    _bad("empty coding", _head(POST, b"Transfer-Encoding:")),
    _bad("tab after", _head(POST, b"Transfer-Encoding: chunked\t")),
    _bad("vertical tab before", _head(POST, b"Transfer-Encoding: \x0bchunked")),
    _bad("quoted", _head(POST, b'Transfer-Encoding: "chunked"')),
    _bad("comma after", _head(POST, b"Transfer-Encoding: chunked,")),
    _bad("parameter", _head(POST, b"Transfer-Encoding: chunked;a=b")),
    _bad("nearly", _head(POST, b"Transfer-Encoding: xchunked")),
    _bad("blank before its colon", _head(POST, b"Transfer-Encoding : chunked")),
    _bad("folded", _head(POST, b"Transfer-Encoding:", b" chunked")),
]

CHUNKS: Final = [
    _bad("no size", _chunks(b"\r\nabc\r\n0\r\n\r\n")),
    _bad("no digits", _chunks(b"x\r\nabc\r\n0\r\n\r\n")),
    _bad("negative", _chunks(b"-1\r\nabc\r\n0\r\n\r\n")),
    _bad("with a sign", _chunks(b"+3\r\nabc\r\n0\r\n\r\n")),
    _bad("0x", _chunks(b"0x3\r\nabc\r\n0\r\n\r\n")),
    _mild("zeros before", _chunks(b"003\r\nabc\r\n0\r\n\r\n"), _posted(b"abc")),
    _mild("two zeros at the end", _chunks(b"3\r\nabc\r\n00\r\n\r\n"), _posted(b"abc")),
    _bad("sixteen digits", _chunks(b"f000000000000003\r\nabc\r\n0\r\n\r\n")),
    _bad("larger than any", _chunks(b"fffffffffffffff\r\n"), 413),
    _bad("blank before", _chunks(b" 3\r\nabc\r\n0\r\n\r\n")),
    _bad("blank after", _chunks(b"3 \r\nabc\r\n0\r\n\r\n")),
    _bad("blank before an extension", _chunks(b"3 ;a\r\nabc\r\n0\r\n\r\n")),
    _bad("comma", _chunks(b"3,3\r\nabc\r\n0\r\n\r\n")),
    _bad("bare LF after the size", _chunks(b"3\nabc\r\n0\r\n\r\n")),
    _bad("bare CR after the size", _chunks(b"3\rabc\r\n0\r\n\r\n")),
    _bad("bare LF after the data", _chunks(b"3\r\nabc\n0\r\n\r\n")),
    _bad("longer than its size", _chunks(b"3\r\nabcd\r\n0\r\n\r\n")),
    _bad("shorter than its size", _chunks(b"4\r\nabc\r\n0\r\n\r\n")),
    _bad("CR in an extension", _chunks(b"3;a\rb\r\nabc\r\n0\r\n\r\n")),
    _bad("LF in an extension", _chunks(b"3;a\nb\r\nabc\r\n0\r\n\r\n")),
    _bad("NUL in an extension", _chunks(b"3;\0\r\nabc\r\n0\r\n\r\n")),
    _mild(
        "extension without name", _chunks(b"3;\r\nabc\r\n0\r\n\r\n"), _posted(b"abc")
    ),
    _bad("endless extension", _chunks(b"3;" + b"a" * 5000)),
    _bad("more extension than data", _chunks((b"1;" + b"a" * 900 + b"\r\nx\r\n") * 40)),
    _mild("trailer without colon", _chunks(b"0\r\nX\r\n\r\n"), _posted(b"")),
    _mild(
        "trailer that frames", _chunks(b"0\r\nContent-Length: 9\r\n\r\n"), _posted(b"")
    ),
    _mild("trailer that addresses", _chunks(b"0\r\nhost: b\r\n\r\n"), _posted(b"")),
    _mild("trailer folded", _chunks(b"0\r\nX: a\r\n b\r\n\r\n"), _posted(b"")),
    _mild("trailer with bare LF", _chunks(b"0\r\nX: a\nY: b\r\n\r\n"), _posted(b"")),
    _bad("bare LF at the end", _chunks(b"0\r\n\n")),
    _bad("too many trailers", _chunks(b"0\r\n" + b"X: y\r\n" * 200), 431),
    _bad("endless trailer", _chunks(b"0\r\nX: " + b"y" * 10000)),
]

TOO_LARGE: Final = [
    _bad("long line", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    _bad("endless line", b"GET /" + b"a" * 20000, 414),
    _bad("endless method", b"G" * 20000, 414),
    _mild("many fields", _head(GET, *[b"X: y"] * 200), _GOT, status=431),
    _bad("large fields", _head(GET, *[b"X: " + b"y" * 10000] * 8), 431),
    _bad("endless field", b"GET / HTTP/1.1\r\nX: " + b"y" * 70000, 431),
]

PARTS: Final = {
    "lines": LINES,
    "fields": FIELDS,
    "lengths": LENGTHS,
    "codings": CODINGS,
    "chunks": CHUNKS,
    "too large": TOO_LARGE,
}
CASES: Final = [case for part in PARTS.values() for case in part]
