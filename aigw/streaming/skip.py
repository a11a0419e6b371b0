"""What of a stream need not be looked at."""

from __future__ import annotations

from aigw.interfaces import IFraming


def unmarked(framing: IFraming, marks: tuple[bytes, ...], data: bytes) -> int:
    """
    How many bytes at the beginning of ``data`` (whole frames) hold none of ``marks``,
    counted in whole frames. A read often holds a hundred frames of which the last two
    matter; only those are then decoded.
    """
    end = len(data)
    for mark in marks:
        at = data.find(mark, 0, end)
        if at >= 0:
            end = at
    if end == len(data):
        return end
    before, _ = framing.split_buf(data[:end])
    return len(before)
