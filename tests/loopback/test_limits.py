"""What the gateway ends by itself: deadlines, limits, shutdown."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from aigw.model.outcome import Outcome

from .client import chat, post, reactor, until
from .conftest import Open
from .ends import BROKEN, TIMEOUT, cut, limited_after, refused, told
from .house import still

# -- deadlines and limits


@pytest.mark.parametrize(
    ("fields", "knobs", "reason"),
    [
        ({"timeouts": {"first_byte_ms": 100}}, "nohead", "first_byte"),
        ({"timeouts": {"first_byte_ms": 100}}, "n3-g60000", "first_byte"),
        ({"timeouts": {"total_ms": 100}}, "nohead", "total"),
        ({"timeouts": {"idle_ms": 100}}, "n3-g60000", "idle"),
        ({"timeout": 100}, "nohead", "read"),
        ({"timeout": 100}, "n3-g60000", "read"),
        ({"max_stream_duration_ms": 100}, "nohead", "max_stream_duration_ms"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_deadline_before_any_output_is_a_504(
    house: Open, fields: dict[str, object], knobs: str, reason: str
) -> None:
    here = house(**fields)
    client = await here.ask(post(chat(f"mock-{knobs}")))
    await refused(here, client, 504, Outcome.LIMIT, reason)
    seen = await here.seen()
    await until(lambda: seen.left)


@pytest.mark.parametrize(
    ("fields", "knobs", "reason"),
    [
        ({"timeouts": {"total_ms": 200}}, "n1000-d10", "total"),
        ({"timeouts": {"idle_ms": 100}}, "stall3", "idle"),
        ({"timeouts": {"idle_ms": 150}}, "stall3-comments-d20", "idle"),
        ({"timeout": 100}, "stall3", "read"),
        ({"max_stream_duration_ms": 200}, "n1000-d10", "max_stream_duration_ms"),
        ({"max_stream_duration_ms": 200}, "stall3", "max_stream_duration_ms"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_deadline_after_output_says_so_then_cuts(
    house: Open, fields: dict[str, object], knobs: str, reason: str
) -> None:
    here = house(**fields)
    client = await here.ask(post(chat(f"mock-{knobs}")))
    await limited_after(here, client, reason)


@pytest_twisted.ensureDeferred
async def test_a_client_that_did_not_read_finds_the_error_behind_what_was_queued(
    house: Open,
) -> None:
    # Where the usage chunk is looked for, only whole frames leave, so that an error
    # frame can always stand behind them.
    here = house(timeouts={"total_ms": 400}, stream_usage="hide")
    client = await here.ask(post(chat("mock-endless-s4096")), receive_buffer=8192)
    await client.events(1)
    client.pause()
    seen = await here.seen()
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.LIMIT, "total")
    assert seen.paused
    await until(lambda: seen.left)
    client.resume()
    await cut(here, client, Outcome.LIMIT, "total")
    assert told(client)["code"] == TIMEOUT
    before_error = client.answer.body.rpartition(b"data: ")[0]
    assert len(before_error) > 100_000
    assert bytes(seen.sent).startswith(before_error)


@pytest_twisted.ensureDeferred
async def test_each_read_starts_the_read_deadline_afresh(house: Open) -> None:
    here = house(timeout=150)
    client = await here.ask(post(chat("mock-n5-d100")))
    await client.ended()
    assert client.looks_complete
    assert (await here.record()).outcome is Outcome.COMPLETED


@pytest_twisted.ensureDeferred
async def test_too_many_bytes_say_so_then_cut(house: Open) -> None:
    here = house(max_response_bytes=5000)
    client = await here.ask(post(chat("mock-endless-s500-d5")))
    await limited_after(here, client, "max_response_bytes", BROKEN)
    before_error = client.answer.body.rpartition(b"data: ")[0]
    assert 4000 < len(before_error) <= 5000


@pytest_twisted.ensureDeferred
async def test_too_many_bytes_announced_are_a_502(house: Open) -> None:
    here = house(max_response_bytes=5000)
    client = await here.ask(post(chat("mock-n100-s500", stream=False)))
    await refused(here, client, 502, Outcome.LIMIT, "max_response_bytes")
    seen = await here.seen()
    await until(lambda: seen.state != "sending")


@pytest_twisted.ensureDeferred
async def test_a_client_that_takes_nothing_is_dropped(house: Open) -> None:
    here = house(timeouts={"client_stall_ms": 200})
    client = await here.ask(post(chat("mock-endless-s4096")), receive_buffer=8192)
    await client.events(1)
    client.pause()
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.LIMIT, "client_stall")
    seen = await here.seen()
    await until(lambda: seen.left)
    client.resume()
    await client.closed()
    assert not client.looks_complete


@pytest_twisted.ensureDeferred
async def test_the_providers_deadlines_stand_still_while_the_client_does_not_read(
    house: Open,
) -> None:
    here = house(timeout=200, timeouts={"idle_ms": 200})
    asked = post(chat("mock-n16000-s1000"))
    client = await here.ask(asked, receive_buffer=65536)
    await client.events(1)
    client.pause()
    seen = await here.seen()
    await still(seen)
    assert seen.state == "sending"
    await deferLater(reactor, 0.6)
    assert not seen.left
    client.resume()
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes(seen.sent)


@pytest_twisted.ensureDeferred
async def test_heartbeats_go_between_frames_and_cost_the_status(house: Open) -> None:
    here = house(heartbeat_interval_ms=60, timeouts={"first_byte_ms": 300})
    client = await here.ask(post(chat("mock-nohead")))
    await client.closed()
    answer = client.answer
    assert answer.status == 200  # told with the first heartbeat
    assert answer.headers[b"content-type"].startswith(b"text/event-stream")
    assert answer.body.startswith(b":")
    assert told(client)["code"] == TIMEOUT
    assert not client.looks_complete
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.LIMIT, "first_byte")
    assert record.sent == len(answer.body)


@pytest_twisted.ensureDeferred
async def test_an_error_behind_a_heartbeat_is_told_in_the_stream(house: Open) -> None:
    here = house(heartbeat_interval_ms=50)
    client = await here.ask(post(chat("mock-f200-status429")))
    await client.closed()
    assert client.answer.status == 200  # told with the first heartbeat
    assert "429" in told(client)["message"]
    assert not client.looks_complete
    assert (await here.record()).outcome is Outcome.BROKEN


# -- shutdown


@pytest_twisted.ensureDeferred
async def test_a_service_that_stops_tells_all_its_clients(house: Open) -> None:
    here = house()
    models = ("mock-n1000-d10", "mock-nohead", "mock-stall3", "mock-f60000")
    clients = [await here.ask(post(chat(model))) for model in models]
    await clients[0].events(3)
    await here.gateway.stopService()
    statuses = [(await client.ended()).status for client in clients]
    assert statuses == [200, 503, 200, 503]
    assert [client.looks_complete for client in clients] == [False, True, False, True]
    outcomes = [record.outcome for record in here.kept.records]
    assert outcomes == [Outcome.SHUTDOWN] * 4
    assert not here.mock.connections


@pytest_twisted.ensureDeferred
async def test_a_stream_that_ends_within_the_graceful_timeout_is_whole(
    house: Open,
) -> None:
    here = house(server={"graceful_timeout_ms": 5000})
    client = await here.ask(post(chat("mock-n10-d20")))
    await client.events(2)
    await here.gateway.drain(5.0)
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    assert (await here.record()).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("knobs", ["n1000-d10", "stall3"])
@pytest_twisted.ensureDeferred
async def test_a_stream_past_the_graceful_timeout_is_told_then_cut(
    house: Open, knobs: str
) -> None:
    here = house()
    client = await here.ask(post(chat(f"mock-{knobs}")))
    await client.events(2)
    await here.gateway.drain(0.1)
    await cut(here, client, Outcome.SHUTDOWN, "shutdown")
    assert told(client)["code"] == "service_unavailable"


@pytest_twisted.ensureDeferred
async def test_a_request_without_answer_at_the_graceful_timeout_gets_a_503(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-nohead")))
    await here.seen()
    await here.gateway.drain(0.1)
    await refused(here, client, 503, Outcome.SHUTDOWN, "shutdown")


@pytest_twisted.ensureDeferred
async def test_a_stopped_service_lets_go_of_a_client_that_does_not_read(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-endless-s4096")), receive_buffer=8192)
    await client.events(1)
    client.pause()
    seen = await here.seen()
    await still(seen)
    await here.gateway.drain(0.1)
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.SHUTDOWN, "shutdown")
    await until(lambda: seen.left)
    client.resume()
    await client.closed()
    assert not client.looks_complete
