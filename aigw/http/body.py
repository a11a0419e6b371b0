"""
The bodies of requests, taken from the connection's bytes (RFC 9112, sections 6 and 7).
Sans-IO. Both kinds are fed reads until they are complete; what stands behind is left in
``rest``.
"""

from __future__ import annotations

import re
from typing import Final

from aigw.errors import BadRequest, BodyTooLarge

from .limits import Limits
from .request import FRAMING

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
#: A chunk's first line. RFC 9112 also allows zeros before the size and blanks around
#: extensions; nobody sends them but to find out whether two readers differ.
_LINE: Final = re.compile(
    rb"(0|[1-9A-Fa-f][0-9A-Fa-f]{0,14})"
    rb"(?:;%b(?:=(?:%b|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+\"))?)*+\Z"
    % (_TOKEN, _TOKEN)
)
_TRAILER: Final = re.compile(rb"(%b):[\t -~\x80-\xff]*+\Z" % _TOKEN)
#: A chunk's own bytes that are not counted against it: chunks may be small.
_FREE: Final = 16
#: The most bytes of chunk lines beyond what the chunks' sizes justify.
_EXCESS: Final = 16 * 1024


class SizedBody:
    """A body of known length."""

    __slots__ = ("complete", "left", "rest")

    def __init__(self, length: int) -> None:
        """:param length: bytes, not 0."""
        self.left: int | None = length
        self.complete = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """:returns: the part of ``data`` that is body."""
        left = self.left
        assert left is not None
        if len(data) < left:
            self.left = left - len(data)
            return data
        self.left = 0
        self.complete = True
        if len(data) > left:
            self.rest = data[left:]
            return data[:left]
        return data


class ChunkedBody:
    """
    A chunked body. Trailer fields are checked and thrown away: nothing here asked for
    them, and merged into the headers they would be a way around every check of those.
    Those that frame a message must not be among them (RFC 9110, section 6.5.1).
    """

    __slots__ = (
        "_behind",
        "_chunk",
        "_excess",
        "_fields",
        "_held",
        "_limits",
        "_room",
        "_trailer_bytes",
        "_trailers",
        "complete",
        "left",
        "rest",
    )

    def __init__(self, limits: Limits) -> None:
        self.left: int | None = None
        self.complete = False
        self.rest = b""
        self._limits = limits
        self._room = limits.body
        self._chunk = 0  # bytes left of the chunk
        self._behind = False  # whether the CRLF behind a chunk comes next
        self._trailers = False
        self._trailer_bytes = 0
        self._fields = 0
        self._excess = 0
        self._held = b""  # the beginning of a line

    def feed(self, data: bytes) -> bytes:
        """
        :returns: the payload in ``data``, in one piece.
        :raises BadRequest: the coding is malformed, or over a limit.
        :raises BodyTooLarge: over :attr:`Limits.body`.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.complete:
            if self._chunk:
                piece = data[at : at + self._chunk]
                at += len(piece)
                self._chunk -= len(piece)
                self._behind = not self._chunk
                pieces.append(piece)
                continue
            end = data.find(b"\r\n", at)
            if self._behind:
                if end != at:
                    if end < 0 and data[at:] == b"\r":
                        self._held = b"\r"
                        break
                    raise _malformed("a chunk is longer than its size")
                self._behind = False
                at += 2
                continue
            if end < 0:
                self._held = data[at:]
                self._check(len(self._held), self._held)
                break
            self._check(end - at, b"")
            self._line(data[at:end])
            at = end + 2
        self.rest = data[at:] if self.complete else b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _check(self, size: int, held: bytes) -> None:
        """Bound a line; refuse early what no further bytes can make good."""
        limits = self._limits
        # One byte of what is held may be the CR of the line's end.
        if size - bool(held) > (
            limits.trailers if self._trailers else limits.chunk_line
        ):
            raise _malformed("a chunk line or trailer is too long")
        if b"\n" in held or b"\r" in held[:-1]:
            raise _malformed("a chunk line does not end in CRLF")

    def _line(self, line: bytes) -> None:
        if self._trailers:
            self._trailer(line)
            return
        match = _LINE.match(line)
        if match is None:
            raise _malformed("a chunk's size is malformed")
        chunk = int(match[1], 16)
        self._room -= chunk
        if self._room < 0:
            raise BodyTooLarge(f"the request body is over {self._limits.body} bytes")
        # Else a client could feed 1 KiB of extension for each byte of body, for ever.
        self._excess = max(0, self._excess + len(line) - _FREE - 2 * chunk)
        if self._excess > _EXCESS:
            raise _malformed("the chunks hold more extension than data")
        self._chunk = chunk
        self._trailers = not chunk

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.complete = True
            return
        self._fields += 1
        self._trailer_bytes += len(line) + 2
        if (
            self._fields > self._limits.fields
            or self._trailer_bytes > self._limits.trailers
        ):
            raise BadRequest("the trailers are too large", status=431, reason="framing")
        match = _TRAILER.match(line)
        if match is None or match[1].lower() in FRAMING:
            raise _malformed("a trailer field is malformed")


def _malformed(message: str) -> BadRequest:
    return BadRequest(message, reason="framing")
