"""
Passthrough: the client speaks the provider's dialect, so bytes go on exactly as they
came. A tap looks at them in passing, for usage, the terminal frame and a first error.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from aigw.errors import FramingError
from aigw.interfaces import IFraming, ITap
from aigw.model import sight as sights
from aigw.model.event import Failed

from .skip import opening, unmarked
from .tail import TAIL_LIMIT, members

#: The most bytes of a JSON answer that are kept to read its usage.
COPY_LIMIT: Final = 1024 * 1024


class Verbatim:
    """
    An answer that is not a stream. Forwarded as it arrives; a copy of at most 1 MiB is
    read for usage at its end. Of a larger one, of many vectors or a picture, the end
    alone is kept and read: providers tell there what was used.

    :param tap: None where the answer cannot be read (coded, or no JSON).
    """

    boundary = False
    terminates = False
    failed: Failed | None = None

    __slots__ = (
        "_copy",
        "_most",
        "_size",
        "damaged",
        "sight",
        "tap",
    )

    def __init__(self, tap: ITap | None) -> None:
        self.tap = tap
        self.sight = sights.NOTHING
        self.damaged = False
        self._copy: deque[bytes] = deque()
        self._size = 0  # bytes in the copy
        self._most = COPY_LIMIT

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.PROGRESS
        if self.tap is not None:
            self._copy.append(data)
            self._size += len(data)
            if self._size > self._most:
                self._forget()
        return data

    def end(self) -> bytes:
        self.sight = sights.CONTENT
        if self.tap is not None and self._copy:
            body = b"".join(self._copy)
            self.tap.whole(members(body) if self.damaged else body)
            if self.tap.usage is not None:
                self.damaged = False
            if self.tap.error is not None:
                self.sight = sights.ERROR
        return b""

    def _forget(self) -> None:
        """Keep the end alone."""
        self.damaged = True
        self._most = TAIL_LIMIT
        while self._size - len(self._copy[0]) >= TAIL_LIMIT:
            self._size -= len(self._copy.popleft())


class Passthrough:
    """
    A stream of frames, relayed byte for byte.

    Once content was seen, frames that hold none of the tap's marks are not even
    decoded: that is the common case, and the reason why metering is nearly free.
    ``watch`` turns that off, for who must see each frame (an idle deadline, the
    collection of text).

    A frame over ``limit`` bytes costs metering, not the stream: it is skipped, and
    looking begins again behind it. Where a framing cannot find the next frame behind a
    bad one, looking ends.
    """

    failed: Failed | None = None

    __slots__ = (
        "_blind",
        "_content",
        "_decoder",
        "_framing",
        "_limit",
        "_lost",
        "_watch",
        "boundary",
        "damaged",
        "sight",
        "tap",
        "terminates",
    )

    def __init__(
        self,
        framing: IFraming,
        tap: ITap,
        *,
        terminates: bool,
        limit: int | None = None,
        watch: bool = False,
    ) -> None:
        self.tap = tap
        self.terminates = terminates
        self.sight = sights.NOTHING
        self.boundary = True
        self.damaged = False
        self._framing = framing
        self._limit = limit
        self._decoder = framing.decoder(limit)
        self._watch = watch
        self._content = False
        self._lost: bytes | None = None  # tail of a skipped frame, else None
        self._blind = False

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.NOTHING
        if self._blind:
            return data
        if self._watch or not (self.boundary and self._framing.whole(data)):
            self._look(data)
            return data
        if self._content:
            self.sight = sights.CONTENT
        rest = data
        while rest and not self._content:
            few = opening(self._framing, rest, 0)
            self._look(few)
            rest = rest[len(few) :]
        if rest:
            skipped = unmarked(self._framing, self.tap.marks, rest)
            if skipped < len(rest):
                self._look(rest[skipped:])
        return data

    def end(self) -> bytes:
        self.sight = sights.NOTHING
        if not self._blind and self._lost is None:
            for frame in self._decoder.end():
                self.sight |= self.tap.feed(frame)
        return b""

    def _look(self, data: bytes) -> None:
        if self._lost is not None:
            rest = self._behind(data)
            if rest is None:
                return
            data = rest
        try:
            frames = self._decoder.feed(data)
        except FramingError as error:
            frames = error.frames
            self._lose(data)
        else:
            self.boundary = self._decoder.pending == 0
        feed = self.tap.feed
        seen = 0
        for frame in frames:
            seen |= feed(frame)
        self.sight |= seen
        if seen & sights.CONTENT:
            self._content = True

    def _lose(self, data: bytes) -> None:
        """A frame was bad, or grew over the limit within ``data``."""
        self.damaged = True
        self.boundary = False
        if self._framing.name != "sse":
            self._blind = True
            return
        # Where in ``data`` the frame began is not known, so what may be frames between
        # its end and the last blank line goes unseen with it.
        self._lost = b""
        rest = self._behind(data, last=True)
        if rest:
            self._look(rest)

    def _behind(self, data: bytes, last: bool = False) -> bytes | None:
        """What stands behind a blank line, where looking can begin again."""
        joined = (self._lost or b"") + data
        find = joined.rfind if last else joined.find
        ends = [
            at + len(blank)
            for blank in (b"\n\n", b"\r\n\r\n", b"\r\r")
            if (at := find(blank)) >= 0
        ]
        if not ends:
            self._lost = joined[-3:]
            return None
        self._lost = None
        self.boundary = True
        self._decoder = self._framing.decoder(self._limit)
        return joined[max(ends) if last else min(ends) :]
