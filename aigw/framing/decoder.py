"""
An incremental decoder for framings that have only ``decode_buf``: what a third party's
``IFraming.decoder`` may return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from aigw.errors import FramingError
from aigw.interfaces.framing import IFrameDecoder, IFraming


@implementer(IFrameDecoder)
class BufDecoder:
    """
    Feeds ``framing.decode_buf`` with what is there.

    ``decode_buf`` begins at the start of the incomplete frame each time. Called on
    every read, that is quadratic in the size of a frame that comes in many small reads.
    One of two hints makes it linear: where a frame ends with certain bytes, give these
    as ``mark``; where its length stands in front, give ``wanted``.

    A buffer never grows over ``limit`` bytes, so a frame is refused or not whatever the
    reads were: it fits the buffer or it does not.

    :param framing: whose ``decode_buf`` is called.
    :param limit: the largest frame in bytes; None means ``framing.max_remainder``.
    :param mark: bytes without which no frame ends; ``b""`` where there are none such.
    :param wanted: told the bytes of an incomplete frame, how many bytes at least that
        frame has; None where that cannot be told. May raise FramingError.
    """

    __slots__ = ("_framing", "_held", "_least", "_limit", "_mark", "_spent", "_wanted")

    def __init__(
        self,
        framing: IFraming,
        limit: int | None = None,
        *,
        mark: bytes = b"",
        wanted: Callable[[bytes], int] | None = None,
    ) -> None:
        self._framing = framing
        self._limit = framing.max_remainder if limit is None else limit
        self._held = bytearray()
        self._mark = mark
        self._wanted = wanted
        self._least = 0
        self._spent = False

    @property
    def pending(self) -> int:
        return len(self._held)

    def feed(self, data: bytes) -> list[Any]:
        if self._spent:
            raise FramingError("the decoder is spent: it has raised before")
        frames: list[Any] = []
        at = 0
        while at < len(data):
            room = self._limit - len(self._held)
            if room <= 0:
                self._spent = True
                raise FramingError(f"a frame of over {self._limit} bytes", frames)
            piece = data[at : at + room]
            at += len(piece)
            frames += self._take(piece, frames)
        return frames

    def end(self) -> list[Any]:
        return []

    def _take(self, piece: bytes, before: list[Any]) -> list[Any]:
        held = self._held
        size = len(held)
        held += piece
        mark = self._mark
        if mark and held.find(mark, max(0, size - len(mark) + 1)) < 0:
            return []
        if len(held) < self._least:
            return []
        try:
            frames, rest = self._framing.decode_buf(bytes(held))
            self._least = self._wanted(rest) if self._wanted and rest else 0
        except FramingError as error:
            self._spent = True
            raise FramingError(str(error), before + error.frames) from error
        held[:] = rest
        return frames
