"""
Fixtures for all tests. Every test fails on what it leaves behind: logged failures,
unhandled Deferred errors, delayed calls, open sockets.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from twisted.internet import interfaces
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure


def _sockets(reactor: object) -> set[object]:
    """What the reactor watches, its own waker aside."""
    internal = getattr(reactor, "_internalReaders", set())
    watched = set(reactor.getReaders()) | set(reactor.getWriters())  # type: ignore[attr-defined]
    return watched - set(internal)


@pytest.fixture
def logged_failures() -> Iterator[list[Failure]]:
    """The failures logged so far; a test that expects some removes them."""
    failures: list[Failure] = []

    def observe(event: LogEvent) -> None:
        # What a protocol raises is still logged in the old style: "failure".
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            failures.append(failure)

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)


@pytest.fixture(autouse=True)
def nothing_left_behind(logged_failures: list[Failure]) -> Iterator[None]:
    """Fail the test on logged failures, delayed calls and sockets it leaves."""
    from twisted.internet import reactor

    before = _sockets(reactor)
    gc.freeze()  # what stood before need not be looked at again: 0.1 s a test
    yield
    gc.collect()  # an unhandled Deferred error is logged when it is collected
    told = [failure.getTraceback() for failure in logged_failures]
    # What is due already runs before anything else does: the asyncio reactor wakes
    # itself for a thread's call that way, at any moment.
    now = interfaces.IReactorTime(reactor).seconds()
    calls = [
        call
        for call in interfaces.IReactorTime(reactor).getDelayedCalls()
        if call.getTime() > now
    ]
    for call in calls:
        call.cancel()
    left = _sockets(reactor) - before
    assert not told, "logged failures:\n" + "\n".join(told)
    assert not calls, f"delayed calls left: {calls}"
    assert not left, f"sockets left: {left}"
