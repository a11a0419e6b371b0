"""Packs the steps of a play into the chunks they are sent in."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from .knobs import Knobs
from .script import Ending, Play, Step


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    What is written at once.

    :ivar events: how many events it completes.
    """

    data: bytes
    events: int


def chunks(play: Play, knobs: Knobs) -> Iterator[Chunk | Ending]:
    """
    The same answer in chunks of ``b`` events, coded if ``gzip``, cut to ``c`` bytes;
    the last item, and only that, is an Ending.
    """
    packed = _packed(play, knobs.b)
    if knobs.gzip:
        packed = _coded(packed)
    for item in packed:
        if knobs.c is None or isinstance(item, Ending):
            yield item
            continue
        for start in range(0, len(item.data), knobs.c):
            piece = item.data[start : start + knobs.c]
            last = start + knobs.c >= len(item.data)
            yield Chunk(piece, item.events if last else 0)


def _packed(play: Play, most: int) -> Iterator[Chunk | Ending]:
    held: list[Step] = []
    for step in play:
        if held and (isinstance(step, Ending) or step.alone):
            yield _joined(held)
            held = []
        if isinstance(step, Ending):
            yield step
            return
        held.append(step)
        if step.alone or len(held) == most:
            yield _joined(held)
            held = []


def _joined(steps: list[Step]) -> Chunk:
    data = b"".join(step.data for step in steps)
    return Chunk(data, sum(step.events for step in steps))


def _coded(packed: Iterator[Chunk | Ending]) -> Iterator[Chunk | Ending]:
    coder = zlib.compressobj(wbits=31)
    for item in packed:
        if isinstance(item, Chunk):
            data = coder.compress(item.data) + coder.flush(zlib.Z_SYNC_FLUSH)
            yield Chunk(data, item.events)
            continue
        if item in (Ending.FINISH, Ending.LINGER):
            yield Chunk(coder.flush(), 0)
        yield item
