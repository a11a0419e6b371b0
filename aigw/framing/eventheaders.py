"""
The headers of an AWS event stream message: each a name of 1 to 255 bytes, one of ten
types, and a value. Source: "Amazon Event Stream Specification" (Smithy 2.0, AWS),
section "Headers Format".

Python has one kind of int where the format has four, so these come as subclasses that
know their width; that makes :func:`pack` the inverse of :func:`unpack`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final
from uuid import UUID

from aigw.errors import FramingError

#: The most bytes of all headers of a message.
MAX_HEADERS: Final = 128 * 1024
#: The most bytes of one string or byte array.
MAX_VALUE: Final = 2**15 - 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _Sized(int):
    """An int of a width on the wire; equal to the same int of any other width."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"


class Int8(_Sized):
    """Type 2, ``byte``: signed, 8 bits."""

    __slots__ = ()


class Int16(_Sized):
    """Type 3, ``short``: signed, 16 bits."""

    __slots__ = ()


class Int32(_Sized):
    """Type 4, ``integer``: signed, 32 bits."""

    __slots__ = ()


class Int64(_Sized):
    """Type 5, ``long``: signed, 64 bits."""

    __slots__ = ()


_byte, _short, _integer, _long = Struct(">b"), Struct(">h"), Struct(">i"), Struct(">q")


def _timestamp(data: bytes) -> datetime:
    milliseconds: int = _long.unpack(data)[0]
    try:
        return _EPOCH + milliseconds * _MILLISECOND
    except OverflowError as error:
        raise FramingError(
            f"a timestamp of {milliseconds} ms is out of range"
        ) from error


#: Types of a fixed size: number to size and reader.
_FIXED: Final[dict[int, tuple[int, Callable[[bytes], Any]]]] = {
    0: (0, lambda data: True),
    1: (0, lambda data: False),
    2: (1, lambda data: Int8(_byte.unpack(data)[0])),
    3: (2, lambda data: Int16(_short.unpack(data)[0])),
    4: (4, lambda data: Int32(_integer.unpack(data)[0])),
    5: (8, lambda data: Int64(_long.unpack(data)[0])),
    8: (8, _timestamp),
    9: (16, lambda data: UUID(bytes=data)),
}
_BYTES: Final = 6
_STRING: Final = 7


def unpack(block: bytes) -> dict[str, Any]:
    """
    Read the headers of one message.

    :returns: name to value in wire order: bool, :class:`Int8` to :class:`Int64`, bytes,
        str, aware datetime (UTC, to the millisecond) or UUID.
    :raises FramingError: they do not fill ``block``, a name is empty, repeated or not
        UTF-8, a type is unknown, or a value is out of bounds.
    """
    headers: dict[str, Any] = {}
    at, end = 0, len(block)
    try:
        while at < end:
            start, at = at + 1, at + 1 + block[at]
            name = block[start:at].decode()
            if not name:
                raise FramingError("a header without a name")
            if name in headers:
                raise FramingError(f"the header {name!r} is repeated")
            kind = block[at]  # also finds a name cut short
            at += 1
            if kind == _STRING or kind == _BYTES:
                size = block[at] << 8 | block[at + 1]
                at += 2
                if size > MAX_VALUE:
                    raise FramingError(f"the value of {name!r} has {size} bytes")
                value = block[at : at + size]
                headers[name] = value.decode() if kind == _STRING else value
            elif kind in _FIXED:
                size, read = _FIXED[kind]
                if at + size <= end:
                    headers[name] = read(block[at : at + size])
            else:
                raise FramingError(f"the header {name!r} is of the unknown type {kind}")
            at += size
    except UnicodeDecodeError as error:
        raise FramingError("a header is not UTF-8") from error
    except IndexError as error:
        raise FramingError("a header is cut short") from error
    if at != end:
        raise FramingError("a header is cut short")
    return headers


def pack(headers: Mapping[str, Any]) -> bytes:
    """
    Write headers; the inverse of :func:`unpack`.

    An int of no width is written as ``integer``, or as ``long`` where it does not fit.
    A timestamp keeps its milliseconds: the format has no place for what is below.

    :raises FramingError: a name or value cannot be carried.
    """
    items = tuple(headers.items())
    for _, value in items:
        if type(value) is not str:  # what is equal may be of another type
            return _packed(items)
    return _packed_before(items)


def _packed(items: tuple[tuple[str, Any], ...]) -> bytes:
    parts: list[bytes] = []
    for name, value in items:
        raw = _utf8(name, name)
        if not 1 <= len(raw) <= 255:
            raise FramingError(f"a header name of {len(raw)} bytes; 1 to 255 can be")
        parts += (bytes((len(raw),)), raw, _value(name, value))
    block = b"".join(parts)
    if len(block) > MAX_HEADERS:
        raise FramingError(f"headers of {len(block)} bytes; {MAX_HEADERS} are allowed")
    return block


#: A stream's messages are of a few kinds, each with the same headers.
_packed_before = lru_cache(maxsize=64)(_packed)


def _value(name: str, value: object) -> bytes:
    """Type and value of one header."""
    if isinstance(value, str):
        return b"\x07" + _counted(name, _utf8(name, value))
    if isinstance(value, bool):
        return b"\x00" if value else b"\x01"
    if isinstance(value, int):
        return _int(name, value)
    if isinstance(value, bytes | bytearray | memoryview):
        return b"\x06" + _counted(name, bytes(value))
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise FramingError(f"the timestamp of {name!r} has no time zone")
        return b"\x08" + _long.pack((value - _EPOCH) // _MILLISECOND)
    if isinstance(value, UUID):
        return b"\x09" + value.bytes
    raise FramingError(f"the value of {name!r} is a {type(value).__name__}")


_WIDTHS: Final[tuple[tuple[type[int], int, bytes, Struct], ...]] = (
    (Int8, 8, b"\x02", _byte),
    (Int16, 16, b"\x03", _short),
    (Int32, 32, b"\x04", _integer),
    (Int64, 64, b"\x05", _long),
)


def _int(name: str, value: int) -> bytes:
    for kind, bits, number, form in _WIDTHS:
        fits = -(1 << bits - 1) <= value < 1 << bits - 1
        if isinstance(value, kind) or (
            fits and bits >= 32 and not isinstance(value, _Sized)
        ):
            if not fits:
                raise FramingError(f"the value of {name!r} does not fit {bits} bits")
            return number + form.pack(value)
    raise FramingError(f"the value of {name!r} does not fit 64 bits")


def _counted(name: str, raw: bytes) -> bytes:
    if len(raw) > MAX_VALUE:
        raise FramingError(
            f"the value of {name!r} has {len(raw)} bytes; {MAX_VALUE} are allowed"
        )
    return len(raw).to_bytes(2, "big") + raw


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FramingError(f"the header {name!r} is no Unicode text") from error
