"""However many wait, one call is under way; who leaves does not end it."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from aigw.signing.flight import Flight


class Calls:
    """Makes calls that the test completes."""

    def __init__(self) -> None:
        self.begun: list[Deferred[str]] = []
        self.flight = Flight(self._call)

    async def _call(self) -> str:
        self.begun.append(Deferred())
        return await self.begun[-1]

    def join(self) -> list[str | Failure]:
        told: list[str | Failure] = []
        self.flight.join().addBoth(told.append)
        return told


def test_all_who_wait_get_what_one_call_brings() -> None:
    calls = Calls()
    told = [calls.join() for _ in range(3)]
    assert len(calls.begun) == 1
    assert calls.flight.under_way
    calls.begun[0].callback("key")
    assert told == [["key"], ["key"], ["key"]]
    assert not calls.flight.under_way


def test_the_next_to_ask_begins_another() -> None:
    calls = Calls()
    calls.join()
    calls.begun[0].callback("old")
    told = calls.join()
    calls.begun[1].callback("new")
    assert told == ["new"]


def test_who_leaves_ends_nothing_for_the_others() -> None:
    calls = Calls()
    leaving = calls.flight.join()
    left: list[Failure] = []
    leaving.addErrback(left.append)
    told = calls.join()
    leaving.cancel()
    assert left[0].check(CancelledError)
    calls.begun[0].callback("key")
    assert told == ["key"]


def test_a_call_that_nobody_waits_for_serves_who_comes_next() -> None:
    calls = Calls()
    leaving = calls.flight.join()
    leaving.addErrback(lambda failure: failure.trap(CancelledError))
    leaving.cancel()
    told = calls.join()
    assert len(calls.begun) == 1
    calls.begun[0].callback("key")
    assert told == ["key"]


def test_a_failure_reaches_all_and_is_over() -> None:
    calls = Calls()
    told = [calls.join(), calls.join()]
    calls.begun[0].errback(ValueError("no"))
    for (failure,) in told:
        assert isinstance(failure, Failure)
        assert failure.check(ValueError)
    again = calls.join()
    calls.begun[1].callback("key")
    assert again == ["key"]


def test_a_failure_that_nobody_waits_for_is_no_unhandled_error() -> None:
    calls = Calls()
    leaving = calls.flight.join()
    leaving.addErrback(lambda failure: failure.trap(CancelledError))
    leaving.cancel()
    calls.begun[0].errback(ValueError("no"))
    assert not calls.flight.under_way


def test_who_is_told_may_make_others_leave() -> None:
    calls = Calls()
    first = calls.flight.join()
    second = calls.flight.join()
    left: list[Failure] = []
    second.addErrback(left.append)
    first.addErrback(lambda failure: second.cancel())
    calls.begun[0].errback(ValueError("no"))
    assert left[0].check(CancelledError)
    assert first.result is None


def test_stopping_cancels_the_call() -> None:
    calls = Calls()
    told = calls.join()
    calls.flight.stop()
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.check(CancelledError)
    calls.flight.stop()


def test_a_call_that_is_done_at_once_is_joined_too() -> None:
    async def call() -> int:
        return 7

    told: list[int] = []
    Flight(call).join().addCallback(told.append)
    assert told == [7]
