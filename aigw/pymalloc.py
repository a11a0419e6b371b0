"""
Where Python's own allocator puts what is made next.

Objects of up to 512 bytes stand in pools of 16 KiB, each for one size, and pools in
arenas of 1 MiB, which go back to the system when nothing at all is left in them
(CPython, ``Objects/obmalloc.c``, since 3.10). A new object goes where one of its size
was freed last. So after a burst the few small things that a process makes anew all the
time, a date or a timer, are made anew for ever in the burst's arenas, and hold on to
each of them.
"""

from __future__ import annotations

import gc
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise, repeat
from typing import Final, Self

_POOL_BITS: Final = 14
_POOL_HEADER: Final = 48
_ARENA_POOLS: Final = 64
_ALIGNMENT: Final = 16
_LARGEST: Final = 512
#: A bytes object of no bytes.
_EMPTY: Final = b"".__sizeof__()
#: Bytes for each size that make do for what is made anew all the time.
_ROOM: Final = 8 * 1024
#: Bytes of pools kept free for sizes with less: half of them.
_RESERVE: Final = 256 * 1024
#: The most blocks of one size that are taken in one step.
_MOST: Final = 5_000


class Home:
    """
    The arenas that were in use at one time.

    :param bounds: where they begin and end, in turns, ascending; numbers of pools.
    :param reserve: objects there, given up for what needs room after the first burst.
    """

    def __init__(self, bounds: list[int], reserve: list[object]) -> None:
        self._bounds = bounds
        self._reserve = reserve
        self._held: list[object] = []

    @classmethod
    def now(cls) -> Self | None:
        """
        Those in use now; None where there are none, for another allocator is at work
        (``PYTHONMALLOC=malloc``). It takes 0.1 us an object.
        """
        if not _free_blocks(_ALIGNMENT)[1]:
            return None
        reserve: list[object] = [
            bytes(_LARGEST - _EMPTY) for _ in repeat(None, _RESERVE // _LARGEST)
        ]
        known = [gc.get_objects(), reserve]
        pools = sorted({id(one) >> _POOL_BITS for some in known for one in some})
        bounds = pools[:1]
        for before, after in pairwise(pools):
            # Of what stands in arenas of its own there would be more in between.
            if after - before >= _ARENA_POOLS:
                bounds += before + 1, after
        return cls([*bounds, pools[-1] + 1], reserve)

    def __contains__(self, thing: object) -> bool:
        return bisect(self._bounds, id(thing) >> _POOL_BITS) % 2 == 1

    def prefer(self) -> Iterator[None]:
        """
        Have what is made next made here: take the free blocks there are, and free those
        here last. Of the reserve, each size with little room here is given a pool.

        :returns: goes on with the next of 32 sizes at each step, which takes some 0.3
            ms, 3 ms at most.
        """
        self._reserve.clear()
        for size in range(_ALIGNMENT, _LARGEST + 1, _ALIGNMENT):
            free, empty = _free_blocks(size)
            here = [block for block in free if block in self]
            if len(here) * size < _ROOM and empty and empty[0] in self:
                self._held.append(empty[0])
            # The pool of which a block was freed last gives the next.
            free.clear()
            empty.clear()
            here.clear()
            yield


def _free_blocks(size: int) -> tuple[list[object], list[object]]:
    """
    The free blocks of the pools for ``size``, :data:`_MOST` at most, and all of a pool
    that stood empty, which the allocator takes when no other has room: in the fullest
    arena. None of that if there were more.
    """
    whole = ((1 << _POOL_BITS) - _POOL_HEADER) // size
    make = _maker(size)
    blocks: list[object] = []
    while len(blocks) < _MOST:
        blocks += [make() for _ in repeat(None, whole)]
        # Counting makes objects too, and must not make them between the blocks. A pool
        # that stood empty is given out in one piece.
        pools = Counter(id(block) >> _POOL_BITS for block in blocks[-2 * whole :])
        pool = max(pools, key=pools.__getitem__)
        if pools[pool] == whole:
            empty = [block for block in blocks if id(block) >> _POOL_BITS == pool]
            free = [block for block in blocks if id(block) >> _POOL_BITS != pool]
            return free, empty
    return blocks, []


def _maker(size: int) -> Callable[[], object]:
    """What makes an object of ``size`` bytes anew, and nothing else."""
    if size == _ALIGNMENT:
        return object
    if size == 2 * _ALIGNMENT:
        return complex  # unlike float, it keeps none of those that were freed
    make, length = bytes, size - _EMPTY
    return lambda: make(length)
