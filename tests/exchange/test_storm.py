"""
Whatever the weather (see storm.py), each exchange keeps the promises that
:func:`settled` and :func:`told_well` check.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from aigw.model.headers import first
from aigw.model.outcome import Outcome
from aigw.model.record import Record
from aigw.testing.downstream import MemoryDownstream

from .storm import WORD, Storm

#: How a frame of a stream may begin.
FRAME = re.compile(rb"(event: [a-z_]+\n)?data: [{[]|: (ping|continued)\Z")
#: Seeds: enough that all kinds of ends are met, few enough for two seconds.
SEEDS = 400


def settled(storm: Storm) -> None:
    """Nothing is left: no exchange, call, slot, timer; one record for each client."""
    site = storm.site
    assert not site.failures
    assert not site.serve.open
    assert len(site.kept.records) == len(storm.clients)
    assert all(call.done for call in site.upstream.calls)
    for cluster in site.clusters:
        for standing in cluster.standings.values():
            assert (standing.slots.taken, standing.slots.waiting) == (0, 0)
    for client in storm.clients:
        assert client.lost or client.ended is not None
        assert client.producer is None
    site.wait(1)
    assert not site.clock.getDelayedCalls()
    told = sum(len(record.attempts) for record in site.kept.records)
    assert told == len(site.upstream.calls)


def told_well(storm: Storm, number: int) -> None:
    """
    A client's answer is one attempt's, from its first word on, or several attempts'
    that went on from each other, with no word lost or told twice; its record agrees.
    """
    client = storm.clients[number]
    record = record_of(storm, number)
    words = [(int(a), int(b)) for a, b in WORD.findall(client.written)]
    calls = list(dict.fromkeys(call for call, _ in words))
    assert words == [
        (call, word)
        for call in calls
        for word in range(sum(1 for of, _ in words if of == call))
    ]
    assert all(asker(storm, call) == number for call in calls)
    if len(calls) > 1:
        assert storm.policy is not None
        assert storm.policy.continues
        told = b""
        for earlier, later in pairwise(calls):
            script = storm.scripts[earlier]
            assert script.call.done
            assert storm.witnesses[earlier].words == words_of(words, earlier)
            told += b"".join(b"[%d:%d]" % one for one in words if one[0] == earlier)
            assert told in storm.scripts[later].call.outbound.body
    assert record.outcome is not None
    asked = [n for n in range(len(storm.scripts)) if asker(storm, n) == number]
    complete = 0
    for call, attempt in zip(asked, record.attempts, strict=True):
        script, witness = storm.scripts[call], storm.witnesses[call]
        assert script.call.outbound.origin.host == f"{attempt.instance}.test"
        assert attempt.outcome is not None
        assert attempt.received <= len(witness.data)
        if attempt.outcome is Outcome.COMPLETED:
            complete += 1
            assert attempt.received == len(witness.data)
            assert words_of(words, call) == witness.words
        elif attempt.outcome is Outcome.HEDGED:
            assert call not in calls
    assert complete <= 1
    assert (record.outcome is Outcome.COMPLETED) == bool(complete)
    if client.status is not None:
        assert record.status == client.status
    if not client.lost:
        assert record.sent == len(client.written)
    if not client.lost and client.ended == "finish":
        assert record.outcome not in (Outcome.CLIENT_GONE, Outcome.HEDGED)
        assert (record.outcome is Outcome.COMPLETED) <= (client.status == 200)
    if client.ended == "cut":
        assert record.outcome is not Outcome.COMPLETED


def words_of(words: list[tuple[int, int]], call: int) -> int:
    return sum(1 for of, _ in words if of == call)


def asker(storm: Storm, call: int) -> int:
    """Whose request ``call`` carries."""
    match = re.search(rb"client (\d)", storm.scripts[call].call.outbound.body)
    assert match is not None
    return int(match[1])


def record_of(storm: Storm, number: int) -> Record:
    """Records stand in the order of ends; ids are given in that of requests."""
    ordered = sorted(storm.site.kept.records, key=lambda one: one.request_id)
    return ordered[number]


def framed(client: MemoryDownstream) -> None:
    """An answer is what its head says: frames, or no frame."""
    if not client.written:
        return
    kind = first(client.answer, b"content-type") or b""
    if not kind.startswith(b"text/event-stream"):
        assert FRAME.match(client.written) is None
        return
    frames = client.written.split(b"\n\n")[:-1]
    assert all(FRAME.match(frame) for frame in frames), client.written


def test_in_any_weather_the_promises_are_kept() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        storm = Storm(seed)
        storm.blow()
        try:
            settled(storm)
            for number, client in enumerate(storm.clients):
                told_well(storm, number)
                framed(client)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
        for record in storm.site.kept.records:
            seen[str(record.outcome)] += 1
            seen.update(str(attempt.outcome) for attempt in record.attempts)
            seen["seam"] += sum(bool(attempt.seam) for attempt in record.attempts)
    assert set(seen) >= {*map(str, Outcome), "seam"}, seen
