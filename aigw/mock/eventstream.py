"""
``application/vnd.amazon.eventstream`` as the mock provider writes it (Amazon Transcribe
developer guide, "Event stream encoding"): prelude of two lengths and their CRC-32,
headers, payload, CRC-32 of all before. Kept apart from :mod:`aigw.framing`, so that a
fault there cannot hide behind the same fault here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import crc32

_STRING = 7  # the header type of all that the model vendors send


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame with string headers."""
    return _frame(b"".join(_header(*item) for item in headers.items()), payload)


def with_payload(old: bytes, payload: bytes) -> bytes:
    """The frame ``old`` with another payload."""
    size = int.from_bytes(old[4:8])
    return _frame(old[12 : 12 + size], payload)


def payload_of(data: bytes) -> bytes:
    """What a frame carries."""
    return data[12 + int.from_bytes(data[4:8]) : -4]


def split(data: bytes) -> list[bytes]:
    """The frames of a fixture."""
    frames = []
    while data:
        size = int.from_bytes(data[:4])
        frames.append(data[:size])
        data = data[size:]
    return frames


def corrupt(data: bytes) -> bytes:
    """The same frame with a wrong message CRC."""
    return data[:-4] + bytes(byte ^ 0xFF for byte in data[-4:])


def impossible() -> bytes:
    """A frame whose headers would be longer than itself, all checksums right."""
    prelude = struct.pack(">II", 24, 4096)
    body = prelude + struct.pack(">I", crc32(prelude)) + b"\0" * 8
    return body + struct.pack(">I", crc32(body))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(f">B{len(key)}sBH", len(key), key, _STRING, len(text)) + text


def _frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return body + struct.pack(">I", crc32(body))
