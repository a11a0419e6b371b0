"""Content events made to measure: as many and as large as the knobs say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .knobs import Knobs


def measured(
    knobs: Knobs,
    texts: Sequence[re.Match[bytes]],
    frame: Callable[[bytes], bytes],
) -> Callable[[int], bytes]:
    """
    Makes content event number i.

    :param texts: the fixture's texts: group 2 of each match is one, and the string of
        the first stands around the texts that are made.
    :param frame: puts what holds a text into its framing.
    """
    if not texts:
        return _none
    first = texts[0]
    before, after = first.string[: first.start(2)], first.string[first.end(2) :]
    if knobs.s is None:
        made = [frame(before + found[2] + after) for found in texts]
        return lambda number: made[number % len(made)]
    room = max(knobs.s - len(frame(before + after)), 0)

    def numbered(number: int) -> bytes:
        # The number tells a test what is missing, doubled or out of order.
        text = (b"%08d " % number).ljust(room, b"x")[:room]
        return frame(before + text + after)

    return numbered


def _none(number: int) -> bytes:
    raise IndexError(f"no text to make event {number} of")
