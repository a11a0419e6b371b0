"""Every recorder keeps the promises, and broken ones are found out."""

from __future__ import annotations

import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.interfaces import IRecorder
from aigw.model.record import Record
from aigw.telemetry.accesslog import AccessLog, NoLog
from aigw.telemetry.sink import Sink
from aigw.testing.recorder import check_recorder
from tests.exchange.site import Kept

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed.py"


def never(call: Callable[..., Any], /, *arguments: Any) -> None:
    """A thread that is stuck."""


@pytest.mark.parametrize("lines", [0, 10, 1000])
def test_the_access_log_keeps_the_promises_towards_a_target_that_takes_nothing(
    lines: int, tmp_path: Path, logged_failures: list[Failure]
) -> None:
    sink = Sink(str(tmp_path / "access.log"))
    check_recorder(AccessLog(sink, Clock(), never, never, max_lines=lines))
    sink.close()
    # A record that cannot be told is dropped, and that is logged.
    assert all(each.check(ValueError, OverflowError) for each in logged_failures)
    logged_failures.clear()


@pytest.mark.parametrize("make", [NoLog, Kept])
def test_a_recorder_keeps_the_promises(make: Callable[[], IRecorder]) -> None:
    check_recorder(make())


def test_the_recorder_of_the_example_keeps_the_promises() -> None:
    check_recorder(runpy.run_path(str(EXAMPLE))["Served"]())


@implementer(IRecorder)
class Raises:
    def record(self, record: Record) -> None:
        record.path.encode()


@implementer(IRecorder)
class Waits:
    def record(self, record: Record) -> None:
        time.sleep(0.001)


@implementer(IRecorder)
class Changes:
    def record(self, record: Record) -> None:
        record.attempts.clear()


@implementer(IRecorder)
class Answers:
    def record(self, record: Record) -> None:
        return record  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Raises, "UnicodeEncodeError"),
        (Waits, "a record is waited for"),
        (Changes, "the record was changed"),
        (Answers, "nobody looks at"),
    ],
)
def test_a_broken_recorder_is_found_out(
    kind: Callable[[], IRecorder], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_recorder(kind())
