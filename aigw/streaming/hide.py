"""
Passthrough that keeps one frame from the client: the usage-only chunk of a chat stream,
asked for on the gateway's own account (``stream_usage: hide``).

To take a frame out, its bytes must not have left before it is known for what it is. So
the bytes of an incomplete frame are held, up to 64 KiB: no usage-only chunk is larger,
and beyond that they go on and the frame is let through. Everything else stays byte for
byte as it came.
"""

from __future__ import annotations

import re
from typing import Final

from aigw.errors import FramingError
from aigw.interfaces import IFraming, ITap
from aigw.model import sight as sights
from aigw.model.event import Failed

from .skip import opening, unmarked

HOLD_LIMIT: Final = 64 * 1024

#: One block of an event stream with the blank line that ends it (WHATWG HTML, 9.2.5).
_BLOCK = re.compile(rb".*?(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))", re.S)


#: A usage object; OpenAI writes ``"usage":null`` into every chunk but the last.
_USAGE = re.compile(rb'"usage"\s*:\s*\{')


class Hiding:
    """See the module; for SSE alone; arguments as of ``Passthrough``."""

    failed: Failed | None = None

    __slots__ = (
        "_content",
        "_framing",
        "_held",
        "_size",
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
        watch: bool = False,
    ) -> None:
        self.tap = tap
        self.terminates = terminates
        self.sight = sights.NOTHING
        self.damaged = False
        self.boundary = True
        self._framing = framing
        self._watch = watch
        self._content = False
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.NOTHING
        if not self._held and self._framing.whole(data):
            self.boundary = True
            return self._without_usage(data)
        self._held.append(data)
        self._size += len(data)
        if b"\n" not in data and b"\r" not in data and self._size <= HOLD_LIMIT:
            return b""  # no end of a frame can be in it
        complete, rest = self._split(b"".join(self._held))
        out = self._without_usage(complete) if complete else b""
        if len(rest) > HOLD_LIMIT:
            out, rest = out + rest, b""
            self.boundary = False
        elif complete:
            self.boundary = True
        self._held = [rest] if rest else []
        self._size = len(rest)
        return out

    def end(self) -> bytes:
        self.sight = sights.NOTHING
        rest = b"".join(self._held)
        self._held.clear()
        return rest

    def _split(self, buf: bytes) -> tuple[bytes, bytes]:
        try:
            return self._framing.split_buf(buf)
        except FramingError:
            self.damaged = True
            return buf, b""

    def _without_usage(self, complete: bytes) -> bytes:
        """Look at what must be looked at; returns all but usage-only frames."""
        skipped = 0
        if not self._watch:
            skipped = self._skip(complete)
            if skipped == len(complete):
                return complete
        rest = complete[skipped:]
        if _USAGE.search(rest) is None:
            self._look(rest)
            return complete
        kept = [complete[:skipped]]
        end = 0
        for block in _BLOCK.finditer(rest):
            end = block.end()
            if not self._look(block[0]) & sights.USAGE_ONLY:
                kept.append(block[0])
        kept.append(rest[end:])
        return b"".join(kept)

    def _skip(self, complete: bytes) -> int:
        """How much of ``complete`` need not be looked at, or was, and can be passed."""
        if self._content:
            self.sight = sights.CONTENT
        at = 0
        while at < len(complete) and not self._content:
            few = opening(self._framing, complete, at)
            if _USAGE.search(few) is not None:
                return at
            self._look(few)
            at += len(few)
        return at + unmarked(self._framing, self.tap.marks, complete[at:])

    def _look(self, complete: bytes) -> int:
        seen = 0
        try:
            frames, _ = self._framing.decode_buf(complete)
        except FramingError as error:
            frames = error.frames
            self.damaged = True
        for frame in frames:
            seen |= self.tap.feed(frame)
        self.sight |= seen
        if seen & sights.CONTENT:
            self._content = True
        return seen
