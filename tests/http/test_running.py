"""Coroutines that are run to their end, and somebody told."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from aigw.http.running import Running

Ends = list[Failure | None]

colour: ContextVar[str] = ContextVar("colour", default="none")


def test_one_that_awaits_nothing_has_ended_when_it_was_begun() -> None:
    async def work() -> None:
        pass

    ends: Ends = []
    Running(work(), ends.append)
    assert ends == [None]


def test_results_reach_who_awaits_them_however_deep() -> None:
    first: Deferred[str] = Deferred()
    second: Deferred[str] = Deferred()
    there: Deferred[str] = Deferred()
    there.callback("c")
    told: list[str] = []

    async def inner() -> str:
        return await first + await there

    async def work() -> None:
        told.append(await inner() + await second)

    ends: Ends = []
    Running(work(), ends.append)
    first.callback("a")
    assert not ends
    second.callback("b")
    assert ends == [None]
    assert told == ["acb"]


def test_one_that_awaits_a_chain_goes_on_with_its_last_result() -> None:
    outer: Deferred[str] = Deferred()
    inner: Deferred[str] = Deferred()
    outer.addCallback(lambda _: inner)
    outer.callback("not this")
    told: list[str] = []

    async def work() -> None:
        told.append(await outer)

    ends: Ends = []
    Running(work(), ends.append)
    assert not ends
    inner.callback("this")
    assert (ends, told) == ([None], ["this"])


def test_a_failure_is_raised_where_it_is_awaited() -> None:
    awaited: Deferred[None] = Deferred()
    caught: list[Exception] = []

    async def work() -> None:
        try:
            await awaited
        except ValueError as error:
            caught.append(error)

    ends: Ends = []
    Running(work(), ends.append)
    error = ValueError("so")
    awaited.errback(error)
    assert (ends, caught) == ([None], [error])


@pytest.mark.parametrize("waits", [False, True])
def test_what_it_raises_is_told(waits: bool) -> None:
    awaited: Deferred[None] = Deferred()

    async def work() -> None:
        if waits:
            await awaited
        raise ValueError("so")

    ends: Ends = []
    Running(work(), ends.append)
    awaited.callback(None)
    [failure] = ends
    assert failure is not None
    assert str(failure.value) == "so"


def test_whoever_cancels_what_is_awaited_ends_it() -> None:
    awaited: Deferred[None] = Deferred()

    async def work() -> None:
        await awaited

    ends: Ends = []
    Running(work(), ends.append)
    awaited.cancel()
    [failure] = ends
    assert failure is not None
    assert failure.check(CancelledError)


def test_what_it_sets_in_its_context_nobody_else_sees() -> None:
    awaited: Deferred[None] = Deferred()
    seen: list[str] = []

    async def work() -> None:
        colour.set("red")
        await awaited
        seen.append(colour.get())

    Running(work(), lambda failure: None)
    assert colour.get() == "none"
    awaited.callback(None)
    assert seen == ["red"]


def test_to_await_what_is_no_deferred_is_an_error_that_is_told() -> None:
    class Strange:
        def __await__(self) -> Generator[Any, Any, None]:
            yield "nothing that fires"

    closed: list[bool] = []

    async def work() -> None:
        try:
            await Strange()
        finally:
            closed.append(True)

    ends: Ends = []
    Running(work(), ends.append)
    [failure] = ends
    assert failure is not None
    ends.clear()
    del failure
    assert closed == [True]


def test_nothing_is_left_for_the_collector() -> None:
    async def work(awaited: Deferred[None]) -> None:
        await awaited

    def run() -> None:
        awaited: Deferred[None] = Deferred()
        Running(work(awaited), lambda failure: None)
        awaited.callback(None)

    gc.collect()
    gc.disable()
    try:
        run()
        assert gc.collect() == 0
    finally:
        gc.enable()
