"""The memory of a burst is given back when it is over, and not before."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool

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
    memory = Memory(clock, lambda: next(coming), ThreadPool)
    memory.start()
    garbage = left_behind()
    for _ in connections[:-1]:
        clock.advance(1)
        assert garbage() is not None
    clock.advance(1)
    clock.advance(0)
    memory.stop()
    assert not clock.getDelayedCalls()
    return garbage() is None


def giving(clock: Clock, looks: int) -> list[int]:
    """Which of the next looks collect."""
    gave = []
    for look in range(looks):
        garbage = left_behind()
        clock.advance(1)
        clock.advance(0)
        if garbage() is None:
            gave.append(look)
        gc.collect()
    return gave


def test_end_of_a_burst_collects() -> None:
    assert looked([0, 1000, 5000, 4000, 1251, 1250])


def test_small_bursts_do_not_collect() -> None:
    assert not looked([0, 200, 0])


def test_half_of_a_burst_does_not_collect() -> None:
    assert not looked([5000, 2500])


def test_one_burst_collects_in_some_looks_and_then_no_more() -> None:
    clock = Clock()
    now = 1000
    memory = Memory(clock, lambda: now, ThreadPool)
    memory.start()
    clock.advance(1)
    now = 100
    assert giving(clock, 100) == [0, 1, 2, 8, 9, 10]
    memory.stop()


def test_the_next_burst_is_not_held_up_by_the_end_of_the_last() -> None:
    clock = Clock()
    coming = iter([5000, 100, 350, 9000, *[9000] * 20])
    memory = Memory(clock, lambda: next(coming), ThreadPool)
    memory.start()
    assert giving(clock, 20) == [1, 2]
    memory.stop()


def test_giving_back_ends_with_the_looks() -> None:
    clock = Clock()
    coming = iter([1000, 0])
    memory = Memory(clock, lambda: next(coming), ThreadPool)
    memory.start()
    clock.advance(1)
    clock.advance(1)
    memory.stop()
    memory.stop()
    assert not clock.getDelayedCalls()


def test_tables_become_small_and_keep_what_they_have() -> None:
    many: set[int] = set(range(5000))
    named = dict.fromkeys(range(5000), "x")
    few = {1, 2}
    for table in (many, named):
        for number in range(10, 5000):
            table.discard(number) if isinstance(table, set) else table.pop(number)
    clock = Clock()
    coming = iter([1000, 0])
    memory = Memory(clock, lambda: next(coming), ThreadPool, (many, named, few))
    memory.start()
    clock.advance(1)
    clock.advance(1)
    clock.advance(0)
    memory.stop()
    assert many == set(range(10))
    assert named == dict.fromkeys(range(10), "x")
    assert few == {1, 2}
    assert sys.getsizeof(many) < 4096
    assert sys.getsizeof(named) < 4096


def test_idle_threads_go_and_the_next_are_made() -> None:
    threads = ThreadPool(0, 3)
    threads.start()
    done: list[threading.Event] = [threading.Event() for _ in range(3)]
    for event in done:
        threads.callInThread(event.set)
        event.wait(5)
    clock = Clock()
    coming = iter([1000, 0])
    memory = Memory(clock, lambda: next(coming), lambda: threads)
    memory.start()
    idle = list(threads.threads)
    assert idle
    clock.advance(1)
    assert all(thread.is_alive() for thread in idle)
    clock.advance(1)
    memory.stop()
    for thread in idle:
        thread.join(5)
    assert not any(thread.is_alive() for thread in idle)
    memory._release_threads()
    assert threads.threads == []
    again = threading.Event()
    threads.callInThread(again.set)
    assert again.wait(5)
    assert (threads.min, threads.max) == (0, 3)
    threads.stop()
