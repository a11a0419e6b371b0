"""
AWS event streams, ``application/vnd.amazon.eventstream``: binary messages with lengths
in front and two checksums. Source: "Amazon Event Stream Specification" (Smithy 2.0,
AWS), section "Wire Format"::

    total length  4 bytes, the whole message     headers, at most 128 KiB
    headers length  4 bytes                      payload, at most 24 MiB
    CRC32 of these 8 bytes                       CRC32 of all before it

Behind a bad length or checksum nothing can be trusted: there is no finding the next
message.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final, NoReturn
from zlib import crc32

from zope.interface import implementer

from aigw.errors import FramingError
from aigw.interfaces.framing import IFrameDecoder, IFraming
from aigw.model.frame import EventStreamFrame

from .eventheaders import MAX_HEADERS, Int8, Int16, Int32, Int64, pack, unpack

__all__ = ["EventStream", "EventStreamDecoder", "Int8", "Int16", "Int32", "Int64"]

#: The most bytes of a payload.
MAX_PAYLOAD: Final = 24 * 1024 * 1024
_PRELUDE: Final = 12
#: Prelude and message checksum: what a message has beside headers and payload.
_FIXED: Final = _PRELUDE + 4

_prelude = Struct(">III").unpack_from
_lengths = Struct(">II").pack
_checksum = Struct(">I")


class HeaderBlocks:
    """
    Header blocks read before, by their bytes. A provider sends the same three or four
    on each message of all its streams, and reading one costs as much as all the rest.

    Bounded: blocks of at most 512 bytes, and when ``size`` of them are there, all are
    forgotten (a block with a value of its own each time would otherwise stay for ever).
    """

    __slots__ = ("_known", "_size")

    def __init__(self, size: int = 256) -> None:
        self._known: dict[bytes, dict[str, Any]] = {}
        self._size = size

    def read(self, block: bytes) -> dict[str, Any]:
        """
        The headers of ``block``, in a dict that is the caller's own.

        :raises FramingError: see :func:`aigw.framing.eventheaders.unpack`.
        """
        known = self._known.get(block)
        if known is None:
            known = unpack(block)
            if len(block) > 512:
                return known
            if len(self._known) >= self._size:
                self._known.clear()
            self._known[block] = known
        return known.copy()


@implementer(IFrameDecoder)
class EventStreamDecoder:
    """
    Reads one event stream. The message under way is looked at again only when the bytes
    it still wants are here, so the work is linear however they were cut.

    :param blocks: where header blocks are read.
    :param limit: the largest message in bytes.
    """

    __slots__ = ("_blocks", "_held", "_limit", "_spent", "_wanted")

    def __init__(self, blocks: HeaderBlocks, limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._held = bytearray()
        self._wanted = _PRELUDE
        self._spent = False

    @property
    def pending(self) -> int:
        return len(self._held)

    def feed(self, data: bytes) -> list[EventStreamFrame]:
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return []
            data = bytes(held)
            held.clear()
        elif self._spent:
            raise FramingError("the decoder is spent: it has raised before")
        read = self._blocks.read
        frames: list[EventStreamFrame] = []
        at, size = 0, len(data)
        while True:
            if size - at < _PRELUDE:
                self._wanted = _PRELUDE
                break
            total, headers, sum_ = _prelude(data, at)
            body = at + _PRELUDE
            end = at + total
            if fault := _fault(data, at, self._limit):
                self._refuse(fault, frames)
            if end > size:
                self._wanted = total
                break
            # The checksum goes on where the prelude's left off: bytes 0 to 8 are in it.
            if (
                crc32(data[at + 8 : end - 4], sum_)
                != _checksum.unpack_from(data, end - 4)[0]
            ):
                self._refuse("a message's checksum is wrong", frames)
            split = body + headers
            try:
                values = read(data[body:split])
            except FramingError as error:
                self._refuse(str(error), frames)
            frames.append(EventStreamFrame(values, data[split : end - 4]))
            at = end
        if at < size:
            held += data[at:] if at else data
        return frames

    def end(self) -> list[EventStreamFrame]:
        return []

    def _refuse(self, why: str, frames: list[EventStreamFrame]) -> NoReturn:
        self._spent = True
        raise FramingError(why, frames)


def _fault(data: bytes, at: int, limit: int) -> str | None:
    """What is wrong with the prelude at ``at``; None if nothing is."""
    total, headers, sum_ = _prelude(data, at)
    if crc32(data[at : at + 8]) != sum_:
        return "a prelude's checksum is wrong"
    if total > limit:
        return f"a message of {total} bytes; {limit} are allowed"
    if total < _FIXED + headers:
        return f"a message of {total} bytes with headers of {headers}"
    if headers > MAX_HEADERS:
        return f"headers of {headers} bytes; {MAX_HEADERS} are allowed"
    if total - headers > MAX_PAYLOAD + _FIXED:
        return (
            f"a payload of {total - headers - _FIXED} bytes; {MAX_PAYLOAD} are allowed"
        )
    return None


@implementer(IFraming)
class EventStream:
    """
    AWS event streams.

    ``encode`` takes header values of the types that decoding gives; see
    :mod:`aigw.framing.eventheaders`.
    """

    name = "aws-eventstream"
    content_type = "application/vnd.amazon.eventstream"
    max_remainder = _FIXED + MAX_HEADERS + MAX_PAYLOAD

    def __init__(self) -> None:
        self._blocks = HeaderBlocks()

    def decoder(self, limit: int | None = None) -> EventStreamDecoder:
        if limit is None:
            limit = self.max_remainder
        return EventStreamDecoder(self._blocks, limit)

    def decode_buf(self, buf: bytes) -> tuple[list[EventStreamFrame], bytes]:
        decoder = self.decoder()
        frames = decoder.feed(buf)
        return frames, buf[len(buf) - decoder.pending :]

    def decode(self, buf: bytes) -> list[EventStreamFrame]:
        frames, rest = self.decode_buf(buf)
        if rest:
            raise FramingError(f"{len(rest)} bytes of a message cut short", frames)
        return frames

    def split_buf(self, buf: bytes) -> tuple[bytes, bytes]:
        at, size = 0, len(buf)
        while size - at >= _PRELUDE:
            fault = _fault(buf, at, self.max_remainder)
            if fault is not None:
                raise FramingError(fault)
            end = at + _prelude(buf, at)[0]
            if end > size:
                break
            at = end
        return buf[:at], buf[at:]

    def whole(self, buf: bytes) -> bool:
        """False: only decoding checks the messages' checksums."""
        return False

    def encode(self, frame: EventStreamFrame) -> bytes:
        headers = pack(frame.headers)
        payload = frame.payload
        if len(payload) > MAX_PAYLOAD:
            raise FramingError(
                f"a payload of {len(payload)} bytes; {MAX_PAYLOAD} are allowed"
            )
        lengths = _lengths(_FIXED + len(headers) + len(payload), len(headers))
        message = b"".join((lengths, _checksum.pack(crc32(lengths)), headers, payload))
        return message + _checksum.pack(crc32(message))

    def ping(self) -> None:
        return None
