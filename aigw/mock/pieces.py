"""The pieces in which a stream tells a text: its words, or made to measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .knobs import BadKnob, Knobs


def words(text: str) -> list[str]:
    """``text`` in words, each with the space before it; joined they are the text."""
    return re.findall(r"\s?\w+|\W", text)


def fragments(text: str) -> list[str]:
    """``text`` in fragments that mind no word and no JSON token."""
    return re.findall(r".{1,6}", text, re.DOTALL)


def made(
    knobs: Knobs, pieces: Sequence[str], empty: Callable[[int], int]
) -> Callable[[int], str]:
    """
    Tells the text of content event number i: as the knobs ask, else ``pieces``.

    :param pieces: the fixture's own, taken in turn where no size is asked for.
    :param empty: the bytes of event number i without any text.
    :raises BadKnob: there is no text to make one of.
    """
    if knobs.made and not pieces:
        raise BadKnob("n, s and endless: this scenario has no text")
    if knobs.s is None:
        return lambda number: pieces[number % len(pieces)]
    size = knobs.s

    def numbered(number: int) -> str:
        # The number tells a test what is missing, doubled or out of order.
        room = max(size - empty(number), 0)
        return f"{number:08d} ".ljust(room, "x")[:room]

    return numbered
