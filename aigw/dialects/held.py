"""What a writer keeps of an answer, to say again or whole: bounded."""

from __future__ import annotations

from typing import Final

from aigw.errors import AnswerTooLarge

#: The most that is kept of one answer, characters: as much as a whole answer may have
#: that is converted, and fifty times what models can say.
LIMIT: Final = 64 * 1024 * 1024


class Held:
    """Counts what one writer keeps."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = LIMIT) -> None:
        self._left = limit

    def add(self, piece: str, pieces: list[str]) -> None:
        """
        Keep ``piece`` behind ``pieces``.

        :raises AnswerTooLarge: the answer is longer than its client's dialect, which
            repeats it, lets anybody relay.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise AnswerTooLarge("the provider's answer is too large to convert")
        pieces.append(piece)
