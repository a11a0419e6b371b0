"""After a burst, what is made anew is made where it was made before the burst."""

from __future__ import annotations

import os
import subprocess
import sys

from aigw.pymalloc import Home, _free_blocks

#: How a process counts its arenas.
_ARENAS = """
import gc, os, random, re, sys, tempfile
from aigw.pymalloc import Home

def arenas():
    with tempfile.TemporaryFile() as told:
        kept = os.dup(2)
        os.dup2(told.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(kept, 2)
        os.close(kept)
        told.seek(0)
        return int(re.search(rb"allocated current *= *([0-9,]+)", told.read())[1])

sizes = range(15, 470, 16)
"""

#: It holds one small thing of each size, and makes them anew in turns, while a burst
#: comes and goes, and after it; it tells the arenas before and after.
_BURST = """
held = [bytes(size) for size in sizes]
home = Home.now()
before = arenas()
burst = []
for turn, size in enumerate(sizes):
    burst += [bytes(size) for size in sizes for _ in range(200)]
    held[turn] = bytes(size)
random.Random(0).shuffle(burst)
burst.clear()
for look in range(3):
    if sys.argv[1] == "home":
        gc.collect()  # the interpreter has lists of freed objects too
        list(home.prefer())
    for turn, size in enumerate(sizes):
        held[turn] = bytes(size)
print(before, arenas())
"""


def told(script: str, *arguments: str) -> int:
    """How many arenas more there are at the end of ``script``."""
    ran = subprocess.run(
        [sys.executable, "-c", _ARENAS + script, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = map(int, ran.stdout.split())
    return after - before


def test_burst_leaves_less_behind_once_home_is_preferred() -> None:
    assert told(_BURST, "home") + 2 <= told(_BURST, "away")


#: It has grown since its start, and serves eight bursts, each of which falls to a
#: quarter, and then to nothing; it tells the arenas before and after.
_BURSTS = """
home = Home.now()
grown = [bytes(size) for size in sizes for _ in range(300)]
before = arenas()
for turn in range(8):
    burst = [[bytes(size) for size in sizes] for _ in range(2000)]
    random.Random(turn).shuffle(burst)
    del burst[500:]
    for look in range(3):
        gc.collect()
        list(home.prefer())
    burst.clear()
    gc.collect()
assert all(kept in home for kept in home._held)
print(before, arenas())
"""


def test_bursts_that_leave_a_quarter_take_nothing_for_good() -> None:
    assert told(_BURSTS) <= 3


def test_a_step_takes_a_bounded_number_of_blocks_however_many_are_free() -> None:
    held = [bytes(32) for _ in range(200_000)]
    del held[::2]
    free, empty = _free_blocks(80)
    assert 4_000 < len(free) < 6_000
    assert not empty


def test_other_allocators_are_left_alone() -> None:
    script = "from aigw.pymalloc import Home; print(Home.now())"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONMALLOC": "malloc"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "None\n"


def test_what_stands_is_at_home() -> None:
    mine: list[list[int]] = [[] for _ in range(1000)]
    home = Home.now()
    assert home is not None
    assert all(one in home for one in mine)
