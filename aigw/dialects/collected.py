"""The text of an answer, kept only where somebody asked for it, and bounded."""

from __future__ import annotations

from typing import Final

#: The most bytes (UTF-8) of an answer's text that are kept.
LIMIT: Final = 1024 * 1024


class Collected:
    """Pieces of text, up to ``LIMIT`` in all; the rest is cut off."""

    __slots__ = ("_left", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._left = LIMIT

    def add(self, piece: str) -> None:
        if self._left > 0:
            raw = piece.encode("utf-8", "replace")[: self._left]
            self._left -= len(raw)
            self._pieces.append(raw)

    def text(self) -> str:
        return b"".join(self._pieces).decode("utf-8", "ignore")
