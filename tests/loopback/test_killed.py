"""
A provider is killed under 200 concurrent streams, and comes back: what had not begun to
answer is answered by the other; where the route has streams gone on with, so is what
had.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from .many import Many

Open = Callable[..., "Many"]

STREAMS = 200
#: Told for longer than two seconds, from the first moment on.
TOLD = "mock-n40-d60"
#: Silent for almost as long.
SILENT = "mock-f2000-n3"


def two(many: Open, port: int, **fields: str) -> Many:
    """A gateway with two equal instances, ``b`` at ``port``."""
    return many(
        {"a": "", "b": ""},
        {"b": port},
        {"prefill": True},
        fallback_strategy=["http_429", "http_5xx"],
        breaker={"failures": 3, "open_ms": 300},
        **fields,
    )


@pytest.mark.parametrize("after", ["end", "continue"])
@pytest_twisted.ensureDeferred
async def test_nothing_is_lost_that_had_not_begun(many: Open, after: str) -> None:
    from .client import chat, post, until
    from .many import Second

    second = Second()
    here = two(many, second.port, on_stream_failure=after)
    clients = [await here.connect() for _ in range(STREAMS)]
    for number, client in enumerate(clients):  # both instances get both kinds
        client.send(post(chat(SILENT if number & 2 else TOLD)))
    begun = [client for number, client in enumerate(clients) if not number & 2]
    await until(lambda: all(client.reads for client in begun))
    assert len(here.gateway.serve.open) == STREAMS
    assert sum(bool(client.reads) for client in clients) == len(begun)
    await second.kill()
    for client in clients:
        await client.ended(10)
    await until(lambda: len(here.kept.records) == STREAMS)
    lost = [each for each in here.kept.records if str(each.outcome) != "completed"]
    whole = sum(client.looks_complete for client in clients)
    assert whole == STREAMS - len(lost)
    if after == "continue":
        assert not lost
        assert any(each.attempts[-1].seam for each in here.kept.records)
    for record in lost:
        assert record.attempts[-1].instance == "b"
        assert record.attempts[-1].first_token_ms is not None
    # Every failure before an answer had begun was answered by the other.
    moved = [each for each in here.kept.records if len(each.attempts) > 1]
    assert moved
    assert {each.attempts[-1].instance for each in moved} == {"a"}
    assert [each["in_flight"] for each in here.told().values()] == [0, 0]


@pytest_twisted.ensureDeferred
async def test_the_breaker_opens_and_closes_once(many: Open) -> None:
    from twisted.internet.task import LoopingCall

    from .client import chat, post
    from .many import Second

    second = Second()
    here = two(many, second.port)
    phases: list[str] = []
    watching = LoopingCall(lambda: phases.append(here.told()["b"]["breaker"]))
    watched = watching.start(0.002)
    clients = [await here.ask(post(chat("mock-n5-d4"))) for _ in range(STREAMS)]
    await second.kill()
    for client in clients:
        await client.ended(10)
    assert here.told()["b"]["breaker"] != "closed"
    second.revive()
    while here.told()["b"]["breaker"] != "closed":
        await (await here.ask(post(chat("mock-n5-d4")))).ended()
    answered = len(second.mock.requests)
    again = [await here.ask(post(chat("mock-n5-d4"))) for _ in range(40)]
    for client in again:
        await client.ended()
    assert all(client.looks_complete for client in again)
    assert len(second.mock.requests) - answered == 20
    watching.stop()
    await watched
    changes = [phase for phase, _ in groupby(phases)]
    # Trials while it is still down may fail; once it is back there is no way back.
    assert changes[:2] == ["closed", "open"]
    assert changes[-1] == "closed"
    assert changes.count("closed") == 2
    await second.kill()
