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


def opening(framing: IFraming, data: bytes, at: int) -> bytes:
    """
    The next few frames of ``data`` (whole frames) from ``at`` on: at least one, at most
    1 KiB of them where that holds one. Until content is seen a stream is looked at in
    such steps, so that a read which holds all of it is not decoded as a whole.
    """
    few, _ = framing.split_buf(data[at : at + 1024])
    return few or data[at:]
