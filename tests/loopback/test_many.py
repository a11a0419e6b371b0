"""
Several instances on real sockets: whatever one of them does, the client sees one clean
answer from another, nothing is asked for twice that had begun to answer, and it does
not take long.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from .many import Many

#: Makes a gateway with these models and fields.
Open = Callable[..., "Many"]

MOVING = ["http_429", "http_5xx"]

#: What the first instance does instead of answering, and how long it may take to be
#: left for the other, seconds.
FAILURES = {
    "500": ("mock-status500", 1.0),
    "429": ("mock-status429-retry30", 1.0),
    "503": ("mock-status503", 1.0),
    "reset before the head": ("mock-rst0", 1.0),
    "closed before the head": ("mock-fin0", 1.0),
    "no head": ("mock-nohead", 1.5),
    "head, then silence": ("mock-stall0", 1.5),
    "error instead of content": ("mock-error0", 1.0),
    "reset after the role": ("mock-rst1", 1.0),
    "half a frame": ("mock-mid0", 1.0),
}


async def plain(here: Many) -> bytes:
    """The mock's plain stream, as a client without a gateway would see it."""
    from .client import chat, connect, post

    port = here._mock_port.getHost().port
    client = await connect(port)
    client.send(post(chat("mock"), "Connection: close"))
    answer = await client.ended()
    here.mock.reset()
    return answer.body


@pytest.mark.parametrize("how", sorted(FAILURES))
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_whole_from_the_other(many: Open, how: str) -> None:
    from .client import chat, post, reactor, until

    model, seconds = FAILURES[how]
    here = many(
        {"a": model, "b": "mock"},
        fallback_strategy=MOVING,
        timeouts={"first_byte_ms": 300},
        timeout=500,
    )
    whole = await plain(here)
    for number in range(4):
        begun = reactor.seconds()
        client = await here.ask(post(chat("any")))
        answer = await client.ended()
        assert reactor.seconds() - begun < seconds
        assert (answer.status, answer.body) == (200, whole)
        assert client.looks_complete
        await until(lambda number=number: len(here.kept.records) == number + 1)
    for record in here.kept.records:
        assert str(record.outcome) == "completed"
        assert record.attempts[-1].instance == "b"
        assert len(record.attempts) in (1, 2)
    # Each request was answered once, and asked of the failing one at most once.
    assert here.asked().count("mock") == 4
    assert here.asked().count(model) == sum(
        len(record.attempts) == 2 for record in here.kept.records
    )
    assert here.asked().count(model) >= 1


@pytest.mark.parametrize("how", sorted(FAILURES))
@pytest_twisted.ensureDeferred
async def test_a_converted_stream_comes_whole_from_the_other(
    many: Open, how: str
) -> None:
    from .client import chat, post, until

    model, _ = FAILURES[how]
    here = many(
        {"a": model, "b": "mock"},
        fallback_strategy=MOVING,
        timeouts={"first_byte_ms": 300},
        timeout=500,
    )
    request = post(
        chat("any", max_tokens=9), "anthropic-version: 2023-06-01", path="/v1/messages"
    )
    for number in range(2):
        client = await here.ask(request)
        answer = await client.ended()
        assert answer.status == 200
        assert answer.body.count(b"event: message_start") == 1
        assert answer.body.endswith(
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        )
        assert b"event: error" not in answer.body
        await until(lambda number=number: len(here.kept.records) == number + 1)
    assert here.asked().count("mock") == 2


@pytest.mark.parametrize("how", ["500", "429", "reset before the head", "no head"])
@pytest_twisted.ensureDeferred
async def test_other_dialects_come_whole_too(many: Open, how: str) -> None:
    from .client import post, until

    model, _ = FAILURES[how]
    here = many(
        {"a": model, "b": "mock"},
        fallback_strategy=MOVING,
        timeouts={"first_byte_ms": 300},
        timeout=500,
    )
    body = json.dumps({"model": "any", "input": "hello"}).encode()
    for number in range(2):
        client = await here.ask(post(body, path="/v1/embeddings"))
        answer = await client.ended()
        assert answer.status == 200
        assert answer.json["data"]
        await until(lambda number=number: len(here.kept.records) == number + 1)
    assert here.asked().count("mock") == 2


@pytest_twisted.ensureDeferred
async def test_an_eventstream_comes_whole_from_the_other(many: Open) -> None:
    from .client import post, until
    from .many import Second

    dead = Second()
    await dead.kill()
    here = many({"a": "", "b": ""}, {"a": dead.port}, fallback_strategy=MOVING)
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "x"}]}]})
    request = post(body.encode(), path="/model/mock/converse-stream")
    for number in range(2):
        client = await here.ask(request)
        answer = await client.ended()
        assert answer.status == 200
        assert b"messageStop" in answer.body
        await until(lambda number=number: len(here.kept.records) == number + 1)
    assert len(here.mock.requests) == 2


@pytest_twisted.ensureDeferred
async def test_what_had_begun_to_answer_is_not_asked_again(many: Open) -> None:
    from .client import chat, post, until

    here = many({"a": "mock-n20-rst5", "b": "mock-n20-rst5"}, fallback_strategy=MOVING)
    client = await here.ask(post(chat("any")))
    await client.closed()
    assert not client.looks_complete
    await until(lambda: here.kept.records)
    assert len(here.mock.requests) == 1
    assert str(here.kept.records[0].outcome) == "broken"


@pytest_twisted.ensureDeferred
async def test_all_throttled_is_429_with_the_smallest_wait(many: Open) -> None:
    from .client import chat, post

    here = many(
        {"a": "mock-status429-retry9", "b": "mock-status429-retry4"},
        fallback_strategy=MOVING,
    )
    answer = await (await here.ask(post(chat("any")))).ended()
    assert answer.status == 429
    assert answer.headers[b"retry-after"] == b"4"
    assert answer.json["error"]["type"] == "rate_limit_error"


@pytest_twisted.ensureDeferred
async def test_all_failing_is_502_with_the_providers_last_word(many: Open) -> None:
    from .client import chat, post

    here = many(
        {"a": "mock-status429-retry9", "b": "mock-status500"}, fallback_strategy=MOVING
    )
    answer = await (await here.ask(post(chat("any")))).ended()
    assert answer.status == 502
    assert answer.json["error"]["message"]
    assert len(here.mock.requests) == 2


@pytest_twisted.ensureDeferred
async def test_the_deadline_of_the_whole_is_504(many: Open) -> None:
    from .client import chat, post, reactor

    here = many(
        {"a": "mock-nohead", "b": "mock-nohead"},
        fallback_strategy=MOVING,
        timeouts={"first_byte_ms": 300, "total_ms": 450},
    )
    begun = reactor.seconds()
    answer = await (await here.ask(post(chat("any")))).ended()
    assert answer.status == 504
    assert 0.4 < reactor.seconds() - begun < 1.0
    assert len(here.mock.requests) == 2


@pytest_twisted.ensureDeferred
async def test_an_instance_killed_and_revived_under_load_loses_nothing(
    many: Open,
) -> None:
    from twisted.internet.task import deferLater

    from .client import Client, chat, post, reactor, until
    from .many import Second

    second = Second()
    here = many(
        {"a": "mock-n5-d4", "b": "mock-n5-d4"},
        {"b": second.port},
        fallback_strategy=MOVING,
        breaker={"failures": 3, "open_ms": 300},
    )
    clients: list[Client] = []

    async def load(count: int) -> None:
        for _ in range(count):
            clients.append(await here.ask(post(chat("any"))))

    phases: set[str] = set()
    await load(60)
    await second.kill()
    await load(80)
    phases.add(here.told()["b"]["breaker"])
    second.revive()
    for client in clients:
        await client.ended()
    await deferLater(reactor, 0.35)
    while here.told()["b"]["breaker"] != "closed":
        await load(1)
        await clients[-1].ended()
    before = len(second.mock.requests)
    await load(200 - len(clients))
    for client in clients:
        await client.ended()
    await until(lambda: len(here.kept.records) == 200, 10)
    assert "open" in phases
    assert here.told()["b"]["breaker"] == "closed"
    assert len(second.mock.requests) - before >= 15
    # Lost is only what had begun to answer at the one that was killed.
    lost = [
        record for record in here.kept.records if str(record.outcome) != "completed"
    ]
    for record in lost:
        assert record.attempts[-1].instance == "b"
        assert record.attempts[-1].first_token_ms is not None
    whole = [client for client in clients if client.looks_complete]
    assert len(whole) == 200 - len(lost)
    # While it was down it was left alone, but for a trial or two.
    failed = [
        attempt
        for record in here.kept.records
        for attempt in record.attempts[:-1]
        if attempt.instance == "b"
    ]
    assert 3 <= len(failed) <= 60
    assert [each["in_flight"] for each in here.told().values()] == [0, 0]
    await second.kill()


@pytest_twisted.ensureDeferred
async def test_what_a_request_says_decides_who_is_asked(many: Open) -> None:
    from .client import chat, post, reactor
    from .many import Second

    # The mock's vectors are the same for the same text, and unlike for any other.
    embeddings = Second()
    here = many(
        {"plain": "mock-n1", "coder": "mock-n2"},
        each={"examples": ["hi", "hello"]},
        balancer={"algorithm": "semantic"},
        semantic_opts={
            "embeddings": {
                "provider": "openai",
                "model": "mock",
                "endpoint": f"http://127.0.0.1:{embeddings.port}",
                "auth": {},
            },
            "threshold": 0.9,
            "fallback": "coder",
            "debugging": True,
        },
    )
    answer = await (await here.ask(post(chat("any")))).ended()
    assert answer.status == 200
    assert answer.headers[b"x-ai-semantic-picked-instance"] == b"plain"
    other = chat("any", messages=[{"role": "user", "content": "something else"}])
    answer = await (await here.ask(post(other))).ended()
    assert answer.headers[b"x-ai-semantic-picked-instance"] == b"fallback"
    assert here.asked() == ["mock-n1", "mock-n2"]
    assert len(embeddings.mock.requests) == 3
    await embeddings.kill()
    begun = reactor.seconds()
    again = chat("any", messages=[{"role": "user", "content": "once more"}])
    answer = await (await here.ask(post(again))).ended()
    assert (answer.status, here.asked()[-1]) == (200, "mock-n2")
    assert reactor.seconds() - begun < 1
