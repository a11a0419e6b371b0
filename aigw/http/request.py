"""
The heads of requests, read strictly. Sans-IO; knows no connection and no exchange.

Two readers of the same bytes must never disagree on where a request ends or whom it
addresses; so what RFC 9112 lets a recipient repair is refused here: bare LF, obs-fold,
blanks around a name, repeated or doubtful framing fields. One expression takes a whole
head at once; being possessive throughout, it is linear. Only a head that does not match
it is looked at again, to tell why (and for absolute-form targets, which are rare).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from aigw.errors import BadRequest, BodyTooLarge, GatewayError, NotSupported
from aigw.model.headers import Headers
from aigw.model.path import safe_path

from .fields import tidied
from .limits import Limits
from .target import host_of, origin_form

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
#: Field lines; visible ASCII, blanks and obs-text in values (RFC 9110, section 5.5).
_LINES: Final = rb"((?:" + _TOKEN + rb":[\t -~\x80-\xff]*+\r\n)*+)\r\n"
#: A head whose target is in origin form, of the characters RFC 3986 allows in path and
#: query, and the brackets that clients leave as they are.
_HEAD: Final = re.compile(
    rb"(%b) (/(?:[!$&-;=?-\[\]_a-z~]++|%%[0-9A-Fa-f]{2})*+) HTTP/1\.([01])\r\n%b"
    % (_TOKEN, _LINES)
)
_ANY_LINE: Final = re.compile(rb"(%b) ([!-~]++) HTTP/([0-9])\.([0-9])\r\n" % _TOKEN)
_ANY_LINES: Final = re.compile(_LINES)
FIELD: Final = re.compile(rb"([^:]++):[ \t]*+([^\r]*+)\r\n")
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *+chunked *+\r\n", re.IGNORECASE)
_CODINGS: Final = re.compile(rb"(?:%b[ \t]*+,[ \t]*+)*+%b\Z" % (_TOKEN, _TOKEN))
_AUTHORITY: Final = re.compile(rb"[A-Za-z]++://([^/?#]++)")
#: What no head may hold: a line break other than CRLF. A CR at the end may become one.
_BROKEN: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
_METHOD: Final = re.compile(_TOKEN)
_FIRST: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z\r]")
_DIGITS: Final = re.compile(rb"[0-9]{1,64}\Z")

#: Fields that tell whom a request addresses, where it ends, and what follows it.
FRAMING: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"expect",
        b"upgrade",
    }
)


@lru_cache(maxsize=1024)
def _host(value: bytes) -> str:
    return host_of([(b"host", value)])


class Head:
    """
    One request's head.

    :ivar target: path and query, in origin form.
    :ivar host: from Host: lower case, no port; ``""`` where a 1.0 client sent none.
    :ivar length: the body's announced length; 0 without a body, None if chunked.
    :ivar modern: whether the client speaks HTTP/1.1, not 1.0.
    :ivar keep: whether the client allows another request on the connection.
    :ivar expects: whether the client waits for ``100 Continue``.
    """

    __slots__ = (
        "expects",
        "headers",
        "host",
        "keep",
        "length",
        "method",
        "modern",
        "path",
        "query",
        "target",
    )
    method: str
    target: bytes
    path: str
    query: bytes
    headers: Headers
    host: str
    length: int | None
    modern: bool
    keep: bool
    expects: bool


def parse(data: bytes, start: int, limits: Limits) -> tuple[Head, int]:
    """
    Read the head that begins at ``start`` and is complete in ``data``.

    :returns: the head, and where it ends.
    :raises GatewayError: it is refused; ``status`` says how.
    """
    match = _HEAD.match(data, start)
    head = Head()
    if match is not None:
        line_end, end = match.start(4) - 2, match.end()
        _bound(line_end - start, end - start, limits)
        method, target = match[1], match[2]
        head.modern = match[3] == b"1"
        fields = FIELD.findall(data, line_end + 2, end - 2)
        authority = None
    else:
        line_end = data.find(b"\r\n", start)
        _bound(line_end - start, data.find(b"\r\n\r\n", start) + 4 - start, limits)
        method, target, head.modern, authority = _request_line(data, start)
        match = _ANY_LINES.match(data, line_end + 2)
        if match is None:
            raise BadRequest("a header field is malformed", reason="head")
        end = match.end()
        fields = FIELD.findall(data, line_end + 2, end - 2)
    if len(fields) > limits.fields:
        raise _too_large(f"more than {limits.fields} header fields")
    head.headers = tidied(fields)
    head.method = method.decode("ascii")
    head.target = target
    _frame(head, data, line_end, end, limits.body)
    if authority is not None and _host(authority) != head.host:
        raise BadRequest("Host is not the target's authority", reason="host")
    head.path, head.query = safe_path(target)
    return head, end


def _frame(head: Head, data: bytes, start: int, end: int, most: int) -> None:
    """Host, body framing and connection options (RFC 9112, sections 3.2, 6 and 9)."""
    modern = head.modern
    host = length = None
    chunked = close = websocket = False
    head.expects = False
    for name, value in head.headers:
        if name not in FRAMING:
            continue
        if name == b"host":
            if host is not None:
                raise BadRequest("the Host field is repeated", reason="host")
            host = value
        elif name == b"content-length":
            if length is not None or _DIGITS.match(value) is None:
                raise BadRequest("Content-Length is not one number", reason="framing")
            length = int(value)
        elif name == b"transfer-encoding":
            if chunked or not modern:
                raise BadRequest(
                    "Transfer-Encoding is repeated, or of HTTP/1.0", reason="framing"
                )
            if _CHUNKED.search(data, start, end) is None:
                raise _coding(value)
            chunked = True
        elif name == b"connection":
            value = value.lower()
            close = close or (
                value != b"keep-alive"
                and b"close" in [option.strip() for option in value.split(b",")]
            )
        elif name == b"upgrade":
            websocket = websocket or b"websocket" in value.lower()
        elif modern:
            if value.lower() != b"100-continue":
                raise BadRequest("unknown Expect", status=417, reason="expect")
            head.expects = True
    if chunked and length is not None:
        raise BadRequest("both Content-Length and chunked", reason="framing")
    if length is not None and length > most:
        raise BodyTooLarge(f"the request body is over {most} bytes")
    if websocket:
        raise NotSupported("WebSocket is not supported", reason="upgrade")
    head.host = _host(host) if host is not None else ""
    if modern and not head.host:
        raise BadRequest("the Host field is missing", reason="host")
    head.length = None if chunked else length or 0
    head.keep = modern and not close


def _request_line(data: bytes, start: int) -> tuple[bytes, bytes, bool, bytes | None]:
    """Method, target in origin form, whether HTTP/1.1, and the target's authority."""
    match = _ANY_LINE.match(data, start)
    if match is None:
        raise BadRequest("the request line is malformed", reason="head")
    method, target, major, minor = match.groups()
    if major != b"1" or minor not in (b"0", b"1"):
        raise BadRequest("only HTTP/1.1 and 1.0 are spoken", status=505, reason="head")
    if method == b"CONNECT":
        raise NotSupported("CONNECT is not supported", reason="method")
    absolute = _AUTHORITY.match(target)
    return method, origin_form(target), minor == b"1", absolute and absolute[1]


def _bound(line: int, size: int, limits: Limits) -> None:
    if line > limits.request_line:
        raise BadRequest(
            f"the request line is over {limits.request_line} bytes",
            status=414,
            reason="head",
        )
    if size > limits.head:
        raise _too_large(f"the head is over {limits.head} bytes")


def _coding(value: bytes) -> GatewayError:
    """A transfer coding we lack, or one that does not tell where the body ends."""
    if _CODINGS.match(value):
        codings = [coding.strip().lower() for coding in value.split(b",")]
        if codings.count(b"chunked") == 1 == len(codings) - codings.index(b"chunked"):
            if len(codings) > 1:
                return NotSupported("no transfer coding but chunked", reason="framing")
    return BadRequest("Transfer-Encoding is not chunked", reason="framing")


def _too_large(message: str) -> BadRequest:
    return BadRequest(message, status=431, reason="head")


class HeadReader:
    """
    Collects heads from the reads of one connection, in linear time however they are
    cut. One empty line before a request is skipped (RFC 9112, section 2.2).

    :ivar rest: after ``feed`` has given a head, the bytes behind it.
    """

    __slots__ = ("_held", "_limits", "_line_seen", "rest")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: bytearray | None = None
        self._line_seen = False
        self.rest = b""

    @property
    def begun(self) -> bool:
        """Whether a part of a head is held."""
        return self._held is not None

    @property
    def held(self) -> bytes:
        """What is held of a head that is not complete, or was refused."""
        return bytes(self._held or b"")

    def feed(self, data: bytes) -> Head | None:
        """
        Take the bytes of one read, not empty.

        :returns: the head they complete, or None.
        :raises GatewayError: as :func:`parse`. Nothing more can be read then.
        """
        held = self._held
        seen = 0
        if held is not None:
            seen = len(held)
            held += data
            data = held  # type: ignore[assignment]  # searched alike
        start = 2 if data.startswith(b"\r\n") else 0
        if data.find(b"\r\n\r\n", max(start, seen - 3)) < 0:
            if held is None:
                self._held = held = bytearray(data)
            self._check(held, start, seen)
            return None
        if held is not None:
            data = bytes(held)
        head, end = parse(data, start, self._limits)
        self._held = None
        self._line_seen = False
        self.rest = data[end:]
        return head

    def take_rest(self) -> bytes:
        """``rest``, for one who takes it: the next head may be long in coming."""
        rest, self.rest = self.rest, b""
        return rest

    def _check(self, held: bytearray, start: int, seen: int) -> None:
        """Refuse early what no further bytes can make good."""
        size = len(held) - start
        if size and _FIRST.match(held, start) is None:
            raise BadRequest("this is not HTTP", reason="head")
        if _BROKEN.search(held, max(0, seen - 1)) is not None:
            raise BadRequest("a line ends in something else than CRLF", reason="head")
        line = self._limits.request_line
        if not self._line_seen:
            last = start + line + 2
            self._line_seen = held.find(b"\r\n", max(start, seen - 1), last) >= 0
            # A CR beyond the limit may be the first half of the line's end.
            if not self._line_seen and size > line + 1:
                _bound(size - 1, 0, self._limits)
        if size > self._limits.head:
            _bound(0, size, self._limits)


def glimpse(data: bytes) -> tuple[str, str, str, Headers]:
    """
    Method, target, host and fields of a head that was refused, as far as they can be
    made out; for its record. Method and target have at most 200 characters, the query
    left out; fields are told only if all are well-formed.
    """
    data = data.lstrip(b"\r\n")
    line = data[:2048].split(b"\r\n", 1)[0].split(b" ")
    if len(line) < 2 or _METHOD.fullmatch(line[0]) is None:
        return "", "", "", []
    target = line[1].split(b"?", 1)[0][:200].decode("latin-1")
    printable = "".join(char if char.isprintable() else "?" for char in target)
    lines = _ANY_LINES.match(data, data.find(b"\r\n") + 2)
    fields = FIELD.findall(lines[1]) if lines is not None else []
    headers = [(name.lower(), value.rstrip(b" \t")) for name, value in fields[:100]]
    try:
        host = host_of(headers)
    except GatewayError:
        host = ""
    return line[0][:200].decode("ascii"), printable, host, headers
