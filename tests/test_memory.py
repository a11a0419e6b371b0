"""The memory of a burst is given back when it is over, and not before."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from aigw.memory import Memory


class Cycle:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def seldom() -> Iterator[None]:
    """The collector runs when it is asked to alone."""
    gc.disable()
    yield
    gc.enable()


def left_behind() -> weakref.ref[Cycle]:
    return weakref.ref(Cycle())


def looked(connections: list[int]) -> bool:
    """Whether garbage is gone after the last of these looks, and none before."""
    clock = Clock()
    coming = iter(connections)
    memory = Memory(clock, lambda: next(coming))
    memory.start()
    garbage = left_behind()
    for _ in connections[:-1]:
        clock.advance(1)
        assert garbage() is not None
    clock.advance(1)
    memory.stop()
    assert not clock.getDelayedCalls()
    return garbage() is None


def test_end_of_a_burst_collects() -> None:
    assert looked([0, 1000, 5000, 4000, 1251, 1250])


def test_small_bursts_do_not_collect() -> None:
    assert not looked([0, 200, 0])


def test_half_of_a_burst_does_not_collect() -> None:
    assert not looked([5000, 2500])


def test_one_burst_collects_in_four_looks_alone() -> None:
    clock = Clock()
    now = 1000
    memory = Memory(clock, lambda: now)
    memory.start()
    clock.advance(1)
    now = 100
    for _ in range(4):
        garbage = left_behind()
        clock.advance(1)
        assert garbage() is None
    garbage = left_behind()
    now = 0
    clock.pump([1] * 100)
    assert garbage() is not None
    memory.stop()
