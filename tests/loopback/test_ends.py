"""
What ends a stream: one test or more for each row of the table in docs/streaming.md. In
all of them a truncated stream must not look complete to the client.
"""

from __future__ import annotations

import json

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from aigw.model.outcome import Outcome

from .client import Client, chat, post, reactor, stream, until
from .conftest import Open
from .house import House, still

BROKEN = "upstream_error"
TIMEOUT = "timeout"


def told(client: Client) -> dict[str, str]:
    """The error that the stream's last frame tells."""
    body = client.answer.body
    assert body.endswith(b"\n\n")
    last = body[:-2].rpartition(b"\n\n")[2]
    error: dict[str, str] = json.loads(last.removeprefix(b"data: "))["error"]
    assert b"[DONE]" not in body
    return error


async def cut(here: House, client: Client, outcome: Outcome, reason: str) -> None:
    """The answer must end without looking complete, and be recorded so."""
    await client.closed()
    assert not client.looks_complete
    record = await here.record()
    assert (record.outcome, record.reason) == (outcome, reason)
    assert record.status == client.answer.status == 200
    assert record.sent == len(client.answer.body)
    assert [attempt.outcome for attempt in record.attempts] == [outcome]


async def broken_after(here: House, client: Client, reason: str) -> None:
    """The provider broke off: what it had sent, an error frame, a cut."""
    await cut(here, client, Outcome.BROKEN, reason)
    assert told(client)["code"] == BROKEN
    assert client.answer.body.startswith(bytes((await here.seen()).sent))


async def limited_after(
    here: House, client: Client, reason: str, code: str = TIMEOUT
) -> None:
    """A limit ended it: what had come, an error frame, a cut, and the provider left."""
    await cut(here, client, Outcome.LIMIT, reason)
    assert told(client)["code"] == code
    seen = await here.seen()
    await until(lambda: seen.left)


async def refused(
    here: House,
    client: Client,
    status: int,
    outcome: Outcome,
    reason: str,
) -> None:
    """A failure before any output: a status, and a complete answer that tells it."""
    answer = await client.ended()
    assert client.looks_complete
    assert answer.status == status
    assert answer.headers[b"content-type"] == b"application/json"
    assert answer.json["error"]["message"]
    record = await here.record()
    assert (record.status, record.outcome) == (status, outcome)
    assert record.reason == reason
    assert record.sent == len(answer.body)


# -- the terminal frame


@pytest_twisted.ensureDeferred
async def test_terminal_frame_completes_and_parks_the_connection(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n3")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert (await here.record()).outcome is Outcome.COMPLETED
    # The client's connection and the provider's both serve the next request.
    client.reads.clear()
    client.send(post(chat("mock-n3")))
    assert (await client.ended()).body == answer.body
    assert [seen.connection for seen in here.mock.requests] == [1, 1]


@pytest_twisted.ensureDeferred
async def test_end_of_http_is_awaited_no_longer_than_250_ms(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n3-linger")))
    await client.events(6)
    seen_done = reactor.seconds()
    answer = await client.ended()
    assert 0.2 < reactor.seconds() - seen_done < 1.0
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    assert (await here.record()).outcome is Outcome.COMPLETED
    seen = await here.seen()
    await until(lambda: seen.left)  # not parked: its end never came


@pytest_twisted.ensureDeferred
async def test_a_cut_behind_the_terminal_frame_is_no_cut(house: Open) -> None:
    here = house()
    # Role, three texts, finish, [DONE]: six events, then a reset.
    client = await here.ask(post(chat("mock-n3-rst6")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert (await here.record()).outcome is Outcome.COMPLETED


# -- the provider broke off


@pytest.mark.parametrize(
    ("knob", "reason"), [("fin", "closed_early"), ("rst", "reset")]
)
@pytest.mark.parametrize("flush", [0, 50])
@pytest_twisted.ensureDeferred
async def test_broken_on_a_frame_boundary_says_so_then_cuts(
    house: Open, knob: str, reason: str, flush: int
) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat(f"mock-n20-{knob}5")))
    await broken_after(here, client, reason)
    assert client.answer.body.count(b"data: ") == 6


@pytest_twisted.ensureDeferred
async def test_broken_in_mid_frame_cuts_at_once(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n20-mid5")))
    await cut(here, client, Outcome.BROKEN, "closed_early")
    assert client.answer.body == bytes((await here.seen()).sent)
    assert not client.answer.body.endswith(b"\n\n")


@pytest_twisted.ensureDeferred
async def test_broken_while_usage_is_hidden_says_so_then_cuts(house: Open) -> None:
    here = house(stream_usage="hide")
    client = await here.ask(post(chat("mock-n20-mid5")))
    await cut(here, client, Outcome.BROKEN, "closed_early")
    # The half of a frame was still held, so that an error frame can stand behind the
    # whole ones.
    assert told(client)["code"] == BROKEN


@pytest.mark.parametrize("knob", ["fin5", "mid5", "rst5"])
@pytest_twisted.ensureDeferred
async def test_broken_towards_a_client_without_chunks_is_a_reset(
    house: Open, knob: str
) -> None:
    here = house()
    body = post(chat(f"mock-n20-{knob}"), version="1.0")
    client = await here.ask(body)
    await client.closed()
    assert not client.answer.framed
    reason = "reset" if knob == "rst5" else "closed_early"
    await cut(here, client, Outcome.BROKEN, reason)
    if knob != "mid5":
        assert told(client)["code"] == BROKEN


@pytest_twisted.ensureDeferred
async def test_a_body_that_ends_with_its_connection_is_broken_by_a_reset(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n20-eof-rst5")))
    await broken_after(here, client, "reset")


@pytest.mark.parametrize("knob", ["fin0", "rst0"])
@pytest_twisted.ensureDeferred
async def test_broken_before_any_output_is_a_502(house: Open, knob: str) -> None:
    here = house()
    client = await here.ask(post(chat(f"mock-n20-{knob}")))
    reason = "reset" if knob == "rst0" else "closed_early"
    await refused(here, client, 502, Outcome.BROKEN, reason)


@pytest_twisted.ensureDeferred
async def test_a_json_answer_that_breaks_off_does_not_look_complete(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n100-mid0", stream=False)))
    await client.closed()
    answer = client.answer
    assert answer.framed
    assert not answer.ended
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.BROKEN, "closed_early")


@pytest.mark.parametrize("knob", ["mid5", "fin5", "rst5"])
@pytest_twisted.ensureDeferred
async def test_an_eventstream_of_a_dialect_nobody_knows_is_cut_without_a_word(
    house: Open, knob: str
) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", f"n20-{knob}"))
    await client.closed()
    assert not client.looks_complete
    assert client.answer.body == bytes((await here.seen()).sent)
    assert (await here.record()).outcome is Outcome.BROKEN


@pytest_twisted.ensureDeferred
async def test_a_deadline_in_an_eventstream_cuts_without_a_word(house: Open) -> None:
    here = house(timeouts={"idle_ms": 100})
    client = await here.ask(stream("aws-eventstream", "stall3"))
    await cut(here, client, Outcome.LIMIT, "idle")
    assert client.answer.body == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_an_sse_stream_of_a_dialect_nobody_knows_is_told_in_openais_words(
    house: Open,
) -> None:
    here = house()
    body = b'{"model":"mock-n20-fin5","prompt":"hi","stream":true}'
    client = await here.ask(post(body, path="/v1/completions"))
    await broken_after(here, client, "closed_early")


# -- it ended properly, without its terminal frame


@pytest.mark.parametrize("knobs", ["n3-noterm", "n3-nofinish", "n3-noterm-eof"])
@pytest_twisted.ensureDeferred
async def test_a_proper_end_without_terminal_frame_passes_as_it_came(
    house: Open, knobs: str
) -> None:
    here = house()
    client = await here.ask(post(chat(f"mock-{knobs}")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    assert (await here.record()).outcome is Outcome.INCOMPLETE


@pytest_twisted.ensureDeferred
async def test_dialects_nobody_knows_are_complete_when_http_is(house: Open) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", "n3-noterm"))
    await client.ended()
    assert client.looks_complete
    assert (await here.record()).outcome is Outcome.COMPLETED


@pytest_twisted.ensureDeferred
async def test_an_error_in_the_stream_is_passed_on_and_recorded(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n9-error3")))
    answer = await client.ended()
    assert client.looks_complete  # the provider ended it properly
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.FAILED, "error_in_stream")


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


# -- frames that cannot be read


@pytest_twisted.ensureDeferred
async def test_a_bad_checksum_is_relayed_as_it_came(house: Open) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", "n9-badcrc4"))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "none")


@pytest_twisted.ensureDeferred
async def test_an_impossible_frame_is_relayed_as_it_came(house: Open) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", "n9-malformed4"))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_an_sse_event_that_is_no_json_is_relayed_and_the_rest_metered(
    house: Open,
) -> None:
    here = house(stream_usage="inject")
    client = await here.ask(post(chat("mock-n9-malformed4")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert record.outcome is Outcome.COMPLETED
    assert record.usage is not None


@pytest.mark.parametrize("flush", [0, 10])
@pytest_twisted.ensureDeferred
async def test_an_event_too_large_is_relayed_and_not_looked_into(
    house: Open, flush: int
) -> None:
    here = house(
        max_event_bytes=2048, stream_usage="inject", streaming_flush_interval_ms=flush
    )
    client = await here.ask(post(chat("mock-n9-s5000-d5")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "partial")
    assert record.usage is not None
    assert record.usage.output == 9
