"""
What ends a stream, when the provider does: a test or more for each row of the table in
docs/streaming.md. In all of them a truncated stream must not look complete to the
client. What the gateway ends by itself is in test_limits.py, and clients that leave are
in test_leaving.py.
"""

from __future__ import annotations

import pytest
import pytest_twisted

from aigw.framing import get
from aigw.model.outcome import Outcome

from .client import chat, post, reactor, stream, until
from .conftest import Open
from .ends import BROKEN, broken_after, cut, refused, told

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
async def test_a_stream_that_ends_before_it_begins_is_a_502(house: Open) -> None:
    here = house()
    # Without a length, the close of the connection is the proper end of an empty body.
    client = await here.ask(post(chat("mock-eof-fin0")))
    await refused(here, client, 502, Outcome.BROKEN, "empty_stream")


@pytest_twisted.ensureDeferred
async def test_json_for_a_stream_passes_as_what_it_is(house: Open) -> None:
    here = house(stream_usage="hide")
    client = await here.ask(post(chat("mock-json")))
    answer = await client.ended()
    assert answer.headers[b"content-type"] == b"application/json"
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "reported")


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


def behind(body: bytes, sent: bytes) -> list[str]:
    """The message types of what follows ``sent`` in an EventStream."""
    assert body.startswith(sent)
    rest = get("aws-eventstream").decode(body[len(sent) :])
    return [frame.headers[":message-type"] for frame in rest]


@pytest.mark.parametrize(
    ("knob", "frames"), [("mid5", []), ("fin5", ["exception"]), ("rst5", ["exception"])]
)
@pytest_twisted.ensureDeferred
async def test_a_broken_eventstream_is_told_by_an_exception_on_a_boundary(
    house: Open, knob: str, frames: list[str]
) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", f"n20-{knob}"))
    await client.closed()
    assert not client.looks_complete
    assert behind(client.answer.body, bytes((await here.seen()).sent)) == frames
    assert (await here.record()).outcome is Outcome.BROKEN


@pytest_twisted.ensureDeferred
async def test_a_deadline_in_an_eventstream_is_told_by_an_exception(
    house: Open,
) -> None:
    here = house(timeouts={"idle_ms": 100})
    client = await here.ask(stream("aws-eventstream", "stall3"))
    await cut(here, client, Outcome.LIMIT, "idle")
    sent = bytes((await here.seen()).sent)
    assert behind(client.answer.body, sent) == ["exception"]


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
async def test_an_eventstream_without_its_terminal_frame_is_incomplete(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", "n3-noterm"))
    await client.ended()
    assert client.looks_complete
    assert (await here.record()).outcome is Outcome.INCOMPLETE


@pytest_twisted.ensureDeferred
async def test_an_error_in_the_stream_is_passed_on_and_recorded(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n9-error3")))
    answer = await client.ended()
    assert client.looks_complete  # the provider ended it properly
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.FAILED, "error_in_stream")


# -- frames that cannot be read


@pytest_twisted.ensureDeferred
async def test_a_bad_checksum_is_relayed_as_it_came(house: Open) -> None:
    here = house()
    client = await here.ask(stream("aws-eventstream", "n9-badcrc4"))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.INCOMPLETE, "none")


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
