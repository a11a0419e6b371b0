"""The promises every ``IRecorder`` keeps."""

from __future__ import annotations

import copy
from statistics import median
from time import perf_counter, thread_time
from typing import Any

from zope.interface.verify import verifyObject

from aigw.interfaces import IRecorder
from aigw.model.outcome import Outcome
from aigw.model.record import AttemptRecord, Record
from aigw.model.usage import Usage

#: What waiting costs at the least, seconds; taking note is some microseconds.
_WAIT = 0.0005


def check_recorder(recorder: IRecorder) -> None:
    """
    Hold ``recorder`` to what :class:`aigw.interfaces.IRecorder` says: whatever stands
    in a record it takes note or drops it, at once, and leaves the record as it was.

    It may log a failure for a record that it cannot tell. To see that it does not wait
    for its target, give it one that takes nothing.

    :raises AssertionError: a promise is broken.
    """
    verifyObject(IRecorder, recorder)
    for record in (_usual(), Record(), *_odd()):
        _take(recorder, record)
    # A machine that is busy elsewhere holds up a few calls, not every other one.
    waited = median(_take(recorder, _usual()) for _ in range(101))
    assert waited < _WAIT, f"a record is waited for, {waited * 1000:.1f} ms long"


def _take(recorder: IRecorder, record: Record) -> float:
    """Seconds in which nothing was done."""
    before = repr(record)
    began, worked = perf_counter(), thread_time()
    try:
        result: Any = recorder.record(record)  # type: ignore[func-returns-value]
    except Exception as error:
        raise AssertionError(f"it raised {error!r} at {before}") from error
    waited = perf_counter() - began - (thread_time() - worked)
    assert result is None, f"it gave {result!r}, which nobody looks at"
    assert repr(record) == before, "the record was changed"
    return waited


def _usual() -> Record:
    attempts = [
        AttemptRecord("one", "openai", "m", status=503, reason="unreachable"),
        AttemptRecord("two", "openai", "m", status=200, first_token_ms=1.5),
    ]
    return Record(
        time=1_800_000_000.0,
        request_id="r-1",
        route="chat",
        method="POST",
        path="/v1/chat/completions",
        status=200,
        outcome=Outcome.COMPLETED,
        usage=Usage(input=1, output=2, total=3),
        usage_state="reported",
        attempts=attempts,
    )


def _odd() -> list[Record]:
    """What clients and providers can make of a record's fields."""
    odd: dict[str, list[Any]] = {
        "path": ["", "/\ud800", "/\x00\n\x1b[2J\"'\\", "/" + "x" * 100_000],
        "request_id": ["", "\u2028", "a" * 10_000],
        "client_request_id": ["a b\r\nc", "{}"],
        "model": ["\ud83d", "\U0001f600", '"'],
        "method": ["", "\udcff"],
        "status": [0, -1, 999],
        "time": [0.0, -1.0, float("nan"), float("inf"), 1e300],
        "total_ms": [float("nan"), -1.0],
        "first_token_ms": [None, 0.0, float("-inf")],
        "sent": [0, 2**70],
        "outcome": [None, *Outcome],
        "usage": [None, Usage(), Usage(input=2**70)],
        "prompt": [b"", b"{", b"\xff\xfe", b"null", b'"\xed\xa0\x80"'],
        "text": ["", "\ud800", "x" * 100_000],
        "dropped_fields": [("a", "\ud800"), ("x",) * 1000],
        "attempts": [[], [AttemptRecord("\ud800", uri="\x00")] * 100],
    }
    records: list[Record] = []
    for name, values in odd.items():
        for value in values:
            record = copy.deepcopy(_usual())
            setattr(record, name, value)
            record.summaries = len(records) % 2 == 0
            records.append(record)
    return records
