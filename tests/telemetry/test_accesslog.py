"""The access log never blocks, never raises, and counts what it loses."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.interfaces.recorder import IRecorder
from aigw.model.record import Record
from aigw.telemetry.accesslog import AccessLog, NoLog, access_log
from aigw.telemetry.sink import Sink


class Thread:
    """
    A thread that runs when told to.

    :ivar none_left: whether the machine has no thread to spare.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.none_left = False

    def __call__(self, call: Callable[..., Any], /, *arguments: Any) -> None:
        if self.none_left:
            raise RuntimeError("can't start new thread")
        self.waiting.append((call, arguments))

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for call, arguments in waiting:
            call(*arguments)


def at_once(call: Callable[..., Any], /, *arguments: Any) -> None:
    call(*arguments)


class Bench:
    """An access log over a file, a clock and a thread in the test's hand."""

    def __init__(self, path: Path, **bounds: Any) -> None:
        self.path = path
        self.clock = Clock()
        self.thread = Thread()
        self.log = AccessLog(
            Sink(str(path)), self.clock, at_once, self.thread, **bounds
        )

    def take(self, *ids: str) -> None:
        for request_id in ids:
            self.log.record(Record(request_id=request_id))

    def ids(self) -> list[str]:
        lines = self.path.read_bytes().splitlines()
        return [json.loads(each)["request_id"] for each in lines]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "access.log")


def test_both_logs_are_recorders(bench: Bench) -> None:
    assert verifyObject(IRecorder, bench.log)
    assert verifyObject(IRecorder, NoLog())


def test_records_of_an_interval_leave_as_one_batch(bench: Bench) -> None:
    bench.take("a", "b")
    bench.clock.advance(0.05)
    bench.take("c")
    assert not bench.thread.waiting
    bench.clock.advance(0.06)
    assert len(bench.thread.waiting) == 1
    bench.thread.run()
    assert bench.ids() == ["a", "b", "c"]
    assert (bench.log.written, bench.log.dropped) == (3, 0)


def test_much_to_write_does_not_wait_for_the_interval(bench: Bench) -> None:
    bench.log.record(Record(request_id="big", text="x" * 1_100_000))
    assert len(bench.thread.waiting) == 1
    bench.thread.run()
    assert bench.ids() == ["big"]
    assert not bench.clock.getDelayedCalls()


def test_no_thread_costs_the_batch_and_no_more(bench: Bench) -> None:
    bench.thread.none_left = True
    bench.log.record(Record(request_id="big", text="x" * 1_100_000))
    bench.take("a")
    bench.clock.advance(0.2)
    assert bench.log.dropped == 2
    bench.thread.none_left = False
    bench.take("b")
    bench.clock.advance(0.2)
    bench.thread.run()
    assert bench.ids() == ["b"]
    bench.thread.none_left = True
    assert bench.log.stop().called
    assert not bench.clock.getDelayedCalls()


def test_one_batch_is_outstanding_at_a_time_and_order_is_kept(bench: Bench) -> None:
    bench.take("a")
    bench.clock.advance(0.2)
    bench.take("b")
    bench.clock.advance(0.2)
    bench.take("c")
    assert len(bench.thread.waiting) == 1
    bench.thread.run()
    bench.clock.advance(0.2)
    bench.thread.run()
    assert bench.ids() == ["a", "b", "c"]


def test_a_stuck_target_costs_records_over_the_count_and_no_more(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "access.log", max_lines=3)
    bench.take("a", "b")
    bench.clock.advance(0.2)
    bench.take("c", "d", "e")
    assert bench.log.dropped == 2
    bench.thread.run()
    bench.take("f")
    bench.clock.advance(0.2)
    bench.thread.run()
    assert bench.ids() == ["a", "b", "c", "f"]
    assert (bench.log.written, bench.log.dropped) == (4, 2)


def test_ten_thousand_streams_cut_at_once_are_all_written(bench: Bench) -> None:
    """The thread comes to its first batch when the reactor rests, and not before."""
    # About what the record of a stream that was cut takes.
    for _ in range(10_000):
        bench.log.record(Record(request_id="cut", text="x" * 1000))
    for _ in range(3):
        bench.thread.run()
        bench.clock.advance(0.2)
    assert (bench.log.written, bench.log.dropped) == (10_000, 0)


def test_a_stuck_target_costs_records_over_the_bytes(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "access.log", max_bytes=25_000)
    bench.log.record(Record(request_id="a", text="x" * 15_000))
    bench.clock.advance(0.2)
    bench.log.record(Record(request_id="b", text="x" * 15_000))
    bench.take("c")
    assert bench.log.dropped == 1
    bench.thread.run()
    bench.clock.advance(0.2)
    bench.thread.run()
    assert bench.ids() == ["a", "c"]


def test_what_cannot_be_json_is_counted_and_harms_no_other_record(
    bench: Bench, logged_failures: list[Failure]
) -> None:
    bench.take("a")
    bench.log.record(Record(path="\ud800"))
    bench.log.record(Record(time=float("inf")))
    bench.take("b")
    bench.clock.advance(0.2)
    bench.thread.run()
    assert bench.ids() == ["a", "b"]
    assert bench.log.dropped == 2
    assert len(logged_failures) == 2
    logged_failures.clear()


def test_a_failing_write_is_counted_and_the_next_is_tried(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    clock, thread = Clock(), Thread()
    log = AccessLog(Sink(f"/dev/fd/{writer}"), clock, at_once, thread)
    os.close(writer)
    os.close(reader)
    log.record(Record(request_id="a"))
    clock.advance(0.2)
    thread.run()
    assert (log.written, log.dropped) == (0, 1)
    log.record(Record(request_id="b"))
    clock.advance(0.2)
    thread.run()
    assert (log.written, log.dropped) == (0, 2)
    log.stop()
    thread.run()


def test_stop_writes_what_is_held_and_takes_no_more(bench: Bench) -> None:
    bench.take("a")
    bench.clock.advance(0.2)
    bench.take("b")
    ended: list[None] = []
    bench.log.stop().addCallback(ended.append)
    bench.take("late")
    bench.thread.run()
    assert not ended
    bench.thread.run()
    assert ended == [None]
    assert bench.ids() == ["a", "b"]
    assert bench.log.dropped == 1
    assert not bench.clock.getDelayedCalls()
    again: list[None] = []
    bench.log.stop().addCallback(again.append)
    assert again == [None]


def test_stop_waits_for_a_stuck_target_only_so_long(bench: Bench) -> None:
    bench.take("a")
    bench.clock.advance(0.2)
    bench.take("b", "c")
    ended: list[None] = []
    bench.log.stop(patience=2.0).addCallback(ended.append)
    bench.clock.advance(1.9)
    assert not ended
    bench.clock.advance(0.2)
    assert ended == [None]
    assert bench.log.dropped == 3
    assert not bench.clock.getDelayedCalls()
    bench.thread.run()  # it comes free after all: the file is let go, nothing more
    bench.thread.run()
    assert bench.ids() == ["a"]
    assert not bench.thread.waiting
    assert not bench.clock.getDelayedCalls()


def test_reopen_takes_its_turn_between_two_batches(bench: Bench) -> None:
    bench.take("a")
    bench.clock.advance(0.2)
    bench.path.rename(bench.path.with_suffix(".1"))
    bench.log.reopen()
    bench.take("b")
    bench.thread.run()
    bench.thread.run()
    assert bench.ids() == ["b"]
    assert b'"a"' in bench.path.with_suffix(".1").read_bytes()


def test_a_reopen_with_nothing_to_write_makes_the_new_file(bench: Bench) -> None:
    bench.path.rename(bench.path.with_suffix(".1"))
    bench.log.reopen()
    bench.thread.run()
    assert bench.path.read_bytes() == b""


def test_losses_are_told_now_and_then_and_not_once_a_record(
    tmp_path: Path, complaints: list[Any]
) -> None:
    bench = Bench(tmp_path / "access.log", max_lines=1)
    bench.take("a", *"bcdef")
    assert [each["lost"] for each in complaints] == [1]
    bench.clock.advance(31)
    bench.take("g")
    assert [each["lost"] for each in complaints] == [1, 5]
    bench.log.stop()
    bench.thread.run()
    bench.thread.run()


@pytest.fixture
def complaints() -> Any:
    from twisted.logger import LogEvent, globalLogPublisher

    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event["log_namespace"] == "aigw.telemetry.accesslog":
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


@pytest_twisted.ensureDeferred
async def test_a_full_pipe_stops_neither_the_reactor_nor_its_end() -> None:
    from twisted.internet import reactor

    reader, writer = os.pipe()
    log = access_log(f"/dev/fd/{writer}", "json", reactor, reactor.callFromThread)
    os.close(writer)
    for _ in range(100):
        log.record(Record(text="x" * 10_000))
    await log.stop(patience=0.05)
    assert log.dropped + log.written == 100
    assert log.dropped >= 70  # a pipe holds 64 KiB
    # The thread still hangs in its write; a reader that comes late sets it free.
    freed: Deferred[None] = Deferred()
    read = 0

    def drain() -> None:
        nonlocal read
        while piece := os.read(reader, 65536):
            read += len(piece)
        reactor.callFromThread(freed.callback, None)

    reactor.callInThread(drain)
    await freed
    assert read > 260_000  # the batch it had been handed
    os.close(reader)


def test_format_off_writes_nothing(tmp_path: Path) -> None:
    log = access_log(str(tmp_path / "x"), "off", Clock(), at_once)
    log.record(Record())
    assert not (tmp_path / "x").exists()
