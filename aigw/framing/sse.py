"""
Server-sent events: WHATWG HTML, sections 9.2.5 (the format) and 9.2.6 (its reading).

Line ends may be LF, CR or CRLF, mixed, and cut anywhere. The decoder turns them all
into LF as they come in, which leaves one format to read and lets ``bytes.split`` do the
work. What has no CR in it, nearly every stream, is not even copied for that.
"""

from __future__ import annotations

import re
from typing import Final

from zope.interface import implementer

from aigw.errors import FramingError
from aigw.interfaces.framing import IFrameDecoder, IFraming
from aigw.model.frame import SSEFrame

BOM: Final = b"\xef\xbb\xbf"
#: Looked for as ints: ``10 in data`` takes 14 ns where ``b"\n" in data`` takes 100.
_LF: Final = 0x0A
_CR: Final = 0x0D
#: Blank lines, where CR may occur: a line's end (or the start of all) and one or more
#: ends of lines right behind it. Possessive, or CRLF would be taken for two ends.
_BLANK = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?>\r\n?|\n))(?>\r\n?|\n)++")
#: What a frame of one data line begins with, by its type: a stream has few of them, and
#: names one again in each frame.
_STARTS: Final = {"message": b"data: "}
_START: Final = re.compile(r"[a-z_.]{1,64}")
_KINDS: Final = 128


@implementer(IFrameDecoder)
class SSEDecoder:
    """
    Reads one event stream.

    The frame under way is kept with its lines ended by LF, so ``pending`` and ``limit``
    count a CRLF as one byte. Only the new bytes are searched for a blank line: the
    frame under way is touched again once, when it is complete.

    :param limit: the largest frame in bytes, its blank line included.
    """

    __slots__ = ("_after_cr", "_at_start", "_held", "_limit", "_plain")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._plain = False  # whether the next bytes need no look at their head
        self._at_start = True  # where a BOM may stand
        self._after_cr = False

    @property
    def pending(self) -> int:
        return len(self._held)

    def feed(self, data: bytes) -> list[SSEFrame]:
        if _CR in data or not self._plain:
            data = self._with_lf(data)
        held = self._held
        if held:
            if _LF not in data or (
                data.find(b"\n\n") < 0 and (data[0] != _LF or held[-1] != _LF)
            ):
                held += data
                if len(held) > self._limit:
                    raise self._oversize([])
                return []
            held += data
            data = bytes(held)
            held.clear()
        elif (  # a read that is one data line: the usual one of a slow stream
            data[:6] == b"data: "
            and data.find(b"\n") == len(data) - 2
            and data[-1] == _LF
            and len(data) <= self._limit
        ):
            return [SSEFrame("message", data[6:-2])]
        blocks = data.split(b"\n\n")
        rest = blocks.pop()
        if rest:
            held += rest.removeprefix(b"\n")  # a blank line more: no frame
        if len(data) <= self._limit:
            return _frames(blocks)
        for at, block in enumerate(blocks):
            size = len(block.lstrip(b"\n"))
            if size and size + 2 > self._limit:
                raise self._oversize(_frames(blocks[:at]))
        frames = _frames(blocks)
        if len(held) > self._limit:
            raise self._oversize(frames)
        return frames

    def end(self) -> list[SSEFrame]:
        return []

    def _with_lf(self, data: bytes) -> bytes:
        """``data`` with LF line ends, without a BOM or the LF of a CRLF cut in two."""
        if self._limit < 0:
            raise FramingError("the decoder is spent: it has raised before")
        if self._at_start:
            data = bytes(self._held) + data
            self._held.clear()
            if len(data) < len(BOM) and BOM.startswith(data):
                self._held += data
                return b""
            self._at_start = False
            data = data.removeprefix(BOM)
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        self._plain = not self._after_cr
        if _CR in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _oversize(self, frames: list[SSEFrame]) -> FramingError:
        error = FramingError(f"an event of over {self._limit} bytes", frames)
        self._held.clear()
        self._limit = -1
        self._plain = False
        return error


@implementer(IFraming)
class SSE:
    """
    Server-sent events. ``encode`` writes each line of ``data`` on a line of its own: a
    CR or CRLF in it ends a line too, and reads back as LF.
    """

    name = "sse"
    content_type = "text/event-stream"
    max_remainder = 16 * 1024 * 1024

    def decoder(self, limit: int | None = None) -> SSEDecoder:
        return SSEDecoder(self.max_remainder if limit is None else limit)

    def decode_buf(self, buf: bytes) -> tuple[list[SSEFrame], bytes]:
        """See ``IFraming``. A BOM at the start of ``buf`` is skipped."""
        complete, rest = self.split_buf(buf)
        frames = SSEDecoder(self.max_remainder).feed(complete)
        if len(rest) > self.max_remainder:
            raise FramingError(f"an event of over {self.max_remainder} bytes", frames)
        return frames, rest

    def decode(self, buf: bytes) -> list[SSEFrame]:
        return SSEDecoder(self.max_remainder).feed(buf + b"\n\n")

    def split_buf(self, buf: bytes) -> tuple[bytes, bytes]:
        if _CR not in buf:
            end = buf.rfind(b"\n\n") + 2
            if end == 1:  # not found; but ends of lines may stand at the very start
                end = 0
                if buf.startswith((b"\n", BOM + b"\n")):
                    end = buf.index(b"\n") + 1
        else:
            end = 0
            for blank in _BLANK.finditer(buf):
                end = blank.end()
        return buf[:end], buf[end:]

    def whole(self, buf: bytes) -> bool:
        return buf.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))

    def encode(self, frame: SSEFrame) -> bytes:
        type_, data, id_, retry = frame.type, frame.data, frame.id, frame.retry
        if id_ is None and retry is None and data is not None:
            start = _STARTS.get(type_)
            if start is not None and _LF not in data and _CR not in data:
                return b"%b%b\n\n" % (start, data)
        lines: list[bytes] = []
        if type_ != "message":
            if not type_:
                raise FramingError(
                    "an SSE type is empty: it would be read as 'message'"
                )
            lines.append(b"event: " + _line(type_, "type"))
        if id_ is not None:
            if "\0" in id_:
                raise FramingError("an SSE id with NUL would be ignored by its reader")
            lines.append(b"id: " + _line(id_, "id"))
        if retry is not None:
            if retry < 0:
                raise FramingError(f"an SSE retry of {retry} ms is negative")
            lines.append(b"retry: %d" % retry)
        if data is not None:
            if _CR in data:
                data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if _LF in data:
                data = data.replace(b"\n", b"\ndata: ")
            lines.append(b"data: " + data)
        elif not lines:
            lines.append(b"event: message")  # a block without a field is no frame
        if type_ not in _STARTS and len(_STARTS) < _KINDS and _START.fullmatch(type_):
            _STARTS[type_] = b"event: %b\ndata: " % type_.encode()
        lines.append(b"\n")
        return b"\n".join(lines)

    def ping(self) -> bytes:
        return b": ping\n\n"


def _line(value: str, what: str) -> bytes:
    if "\n" in value or "\r" in value:
        raise FramingError(
            f"a line break in an SSE {what} cannot be carried: {value!r}"
        )
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise FramingError(f"an SSE {what} is no Unicode text: {value!r}") from error


def _frames(blocks: list[bytes]) -> list[SSEFrame]:
    frames: list[SSEFrame] = []
    for block in blocks:
        # One data line and nothing else: what OpenAI's chat streams consist of.
        if block[:6] == b"data: " and _LF not in block:
            frames.append(SSEFrame("message", block[6:]))
            continue
        # A type before it: Anthropic's, and OpenAI's responses.
        head, found, data = block.partition(b"\ndata: ")
        if found and head[:7] == b"event: " and _LF not in head and _LF not in data:
            type_ = head[7:].decode("utf-8", "replace")
            frames.append(SSEFrame(type_ or "message", data))
        elif block and (frame := _frame(block)) is not None:
            frames.append(frame)
    return frames


def _frame(block: bytes) -> SSEFrame | None:
    """The frame of a block of lines ended by LF; None if none of its fields counts."""
    type_: str | None = None
    data: bytes | None = None
    id_: str | None = None
    retry: int | None = None
    lines: list[bytes] | None = None  # data lines, once there are two
    for line in block.split(b"\n"):
        if line[:6] == b"data: ":  # the usual case, without copying the value twice
            name, value = b"data", line[6:]
        else:
            name, _, value = line.partition(b":")
            if value[:1] == b" ":
                value = value[1:]
        if name == b"data":
            if data is None:
                data = value
            elif lines is None:
                lines = [data, value]
            else:
                lines.append(value)
        elif name == b"event":
            type_ = value.decode("utf-8", "replace")
        elif name == b"id":
            if 0 not in value:
                id_ = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            retry = _milliseconds(value, retry)
    if lines is not None:
        data = b"\n".join(lines)
    if data is None and type_ is None and id_ is None and retry is None:
        return None
    return SSEFrame(type_ or "message", data, id_, retry)


def _milliseconds(digits: bytes, before: int | None) -> int | None:
    try:
        return int(digits)
    except ValueError:  # more digits than int() takes from a stranger
        return before
