"""A client that leaves stops the provider at once, whatever was going on."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from aigw.mock.seen import Seen
from aigw.model.outcome import Outcome

from .client import Client, chat, post, reactor, until
from .conftest import Open
from .house import House, still

#: 100 ms, and a factor of four for a busy machine.
SOON = 0.4

flushes = pytest.mark.parametrize("flush", [0, 10, 50])
ways = pytest.mark.parametrize("way", ["fin", "rst"])


async def leave(here: House, client: Client, seen: Seen, way: str) -> None:
    """Let ``client`` leave; the provider must notice, and the record say so."""
    left = reactor.seconds()
    getattr(client, way)()
    await until(lambda: seen.left)
    assert seen.left_at is not None
    assert seen.left_at - left < SOON
    record = await here.record()
    assert record.outcome is Outcome.CLIENT_GONE
    assert [attempt.outcome for attempt in record.attempts] == [Outcome.CLIENT_GONE]


@flushes
@ways
@pytest_twisted.ensureDeferred
async def test_while_frames_come(house: Open, flush: int, way: str) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat("mock-n1000-d10")))
    await client.events(3)
    await leave(here, client, await here.seen(), way)


@flushes
@pytest_twisted.ensureDeferred
async def test_while_frames_come_faster_than_the_flush(house: Open, flush: int) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat("mock-endless-d1")))
    await client.events(3)
    await leave(here, client, await here.seen(), "rst")


@flushes
@ways
@pytest_twisted.ensureDeferred
async def test_while_the_provider_is_silent(house: Open, flush: int, way: str) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat("mock-stall3")))
    await client.events(3)
    await leave(here, client, await here.seen(), way)


@flushes
@ways
@pytest_twisted.ensureDeferred
async def test_before_the_providers_head(house: Open, flush: int, way: str) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat("mock-nohead")))
    seen = await here.seen()
    await leave(here, client, seen, way)
    assert client.received == 0


@ways
@pytest_twisted.ensureDeferred
async def test_between_head_and_first_bytes(house: Open, way: str) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n3-g60000")))
    seen = await here.seen()
    await here.mock.until(lambda: seen.head_at is not None)
    await deferLater(reactor, 0.02)
    await leave(here, client, seen, way)


@flushes
@ways
@pytest_twisted.ensureDeferred
async def test_while_it_does_not_read(house: Open, flush: int, way: str) -> None:
    here = house(streaming_flush_interval_ms=flush)
    body = post(chat("mock-endless-s4096"))
    client = await here.ask(body, receive_buffer=8192)
    await client.events(3)
    client.pause()
    seen = await here.seen()
    await still(seen)
    assert seen.paused
    await leave(here, client, seen, way)


@ways
@pytest_twisted.ensureDeferred
async def test_while_an_answer_that_is_no_stream_comes(house: Open, way: str) -> None:
    here = house()
    # 2 MB of JSON in small pieces.
    body = post(chat("mock-n2000-s1000-c1000-d5", stream=False))
    client = await here.ask(body)
    await until(lambda: client.received > 3000)
    await leave(here, client, await here.seen(), way)


@ways
@pytest_twisted.ensureDeferred
async def test_while_an_answer_that_is_no_stream_is_awaited(
    house: Open, way: str
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-f60000", stream=False)))
    await leave(here, client, await here.seen(), way)


@pytest_twisted.ensureDeferred
async def test_while_its_own_request_is_not_complete(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock"))[:-10])
    await deferLater(reactor, 0.02)
    client.fin()
    await client.closed()
    assert not here.mock.requests
    if here.front == "channel":  # twisted.web tells of complete requests alone
        assert (await here.record()).outcome is Outcome.CLIENT_GONE


@pytest_twisted.ensureDeferred
async def test_a_drain_reads_on_for_the_usage(house: Open) -> None:
    here = house(on_client_disconnect="drain", stream_usage="inject")
    client = await here.ask(post(chat("mock-n20-d10")))
    await client.events(3)
    client.rst()
    seen = await here.seen()
    await until(lambda: seen.state == "complete")
    record = await here.record()
    assert record.outcome is Outcome.CLIENT_GONE
    assert record.usage is not None
    assert record.usage.output == 20
    assert not seen.left


@pytest_twisted.ensureDeferred
async def test_a_drain_of_a_client_that_did_not_read_goes_on(house: Open) -> None:
    limits = {"max_bytes": 300_000, "max_ms": 60_000}
    here = house(on_client_disconnect="drain", drain_limits=limits)
    body = post(chat("mock-endless-s4096"))
    client = await here.ask(body, receive_buffer=8192)
    await client.events(3)
    client.pause()
    seen = await here.seen()
    await still(seen)
    client.rst()
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.CLIENT_GONE, "drain_limit")
    await until(lambda: seen.left)


@pytest_twisted.ensureDeferred
async def test_a_drain_of_a_silent_provider_ends_in_time(house: Open) -> None:
    limits = {"max_bytes": 300_000, "max_ms": 100}
    here = house(on_client_disconnect="drain", drain_limits=limits)
    client = await here.ask(post(chat("mock-stall3")))
    await client.events(3)
    client.rst()
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.CLIENT_GONE, "drain_limit")
    seen = await here.seen()
    await until(lambda: seen.left)
