"""What passes through, whole, however the provider sends it and the client asks."""

from __future__ import annotations

import gzip
import json

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from aigw.model.outcome import Outcome

from .client import chat, parse, post, reactor, until
from .conftest import Open


@pytest.mark.parametrize(
    "knobs",
    ["c1", "c1-crlf", "c1-cr", "n9-crlf-b4", "n9-cr", "n9-comments", "n9-hints-close"],
)
@pytest.mark.parametrize("flush", [0, 10])
@pytest_twisted.ensureDeferred
async def test_any_cut_and_any_line_end_passes_byte_for_byte(
    house: Open, knobs: str, flush: int
) -> None:
    here = house(streaming_flush_interval_ms=flush, stream_usage="inject")
    client = await here.ask(post(chat(f"mock-{knobs}")))
    answer = await client.ended()
    assert answer.status == 200
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "reported")


@pytest.mark.parametrize("ends", ["", "-crlf", "-cr"])
@pytest.mark.parametrize("cut", ["", "-c1", "-c7", "-b40"])
@pytest_twisted.ensureDeferred
async def test_the_hidden_usage_chunk_is_all_that_is_taken_out(
    house: Open, ends: str, cut: str
) -> None:
    here = house(stream_usage="hide")
    client = await here.ask(post(chat(f"mock-n9{cut}{ends}")))
    answer = await client.ended()
    assert client.looks_complete
    blank = {"": b"\n\n", "-crlf": b"\r\n\r\n", "-cr": b"\r\r"}[ends]
    sent = bytes((await here.seen()).sent).split(blank)
    kept = [block for block in sent if b'"choices":[]' not in block]
    assert len(kept) == len(sent) - 1
    assert answer.body == blank.join(kept)
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "reported")


@pytest.mark.parametrize(
    "knobs",
    ["n3-s200000", "n3-s200000-c1000", "n40-s65600-c65536", "n3-s200000-crlf-c999"],
)
@pytest_twisted.ensureDeferred
async def test_events_too_large_to_be_held_pass_and_usage_is_still_found(
    house: Open, knobs: str
) -> None:
    here = house(stream_usage="hide")
    client = await here.ask(post(chat(f"mock-{knobs}")))
    answer = await client.ended()
    assert client.looks_complete
    blank = b"\r\n\r\n" if "crlf" in knobs else b"\n\n"
    sent = bytes((await here.seen()).sent).split(blank)
    kept = [block for block in sent if b'"choices":[]' not in block]
    assert len(kept) == len(sent) - 1
    assert answer.body == blank.join(kept)
    assert (await here.record()).usage_state == "reported"


@pytest_twisted.ensureDeferred
async def test_a_coded_stream_passes_as_it_is_and_is_not_metered(house: Open) -> None:
    here = house(stream_usage="inject")
    client = await here.ask(post(chat("mock-n9-gzip-d5")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.headers[b"content-encoding"] == b"gzip"
    assert answer.body == bytes((await here.seen()).sent)
    assert gzip.decompress(answer.body).endswith(b"data: [DONE]\n\n")
    record = await here.record()
    assert (record.outcome, record.usage_state) == (Outcome.COMPLETED, "none")


@pytest_twisted.ensureDeferred
async def test_a_coded_stream_that_breaks_off_is_cut_without_a_word(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n20-gzip-fin5")))
    await client.closed()
    assert not client.looks_complete
    assert client.answer.body == bytes((await here.seen()).sent)
    assert (await here.record()).outcome is Outcome.BROKEN


@pytest_twisted.ensureDeferred
async def test_a_large_answer_that_is_no_stream_waits_for_its_client(
    house: Open,
) -> None:
    here = house()
    asked = post(chat("mock-n16000-s1000", stream=False))
    client = await here.ask(asked, receive_buffer=65536)
    await until(lambda: client.received > 100_000)
    client.pause()
    seen = await here.seen()
    await deferLater(reactor, 0.2)
    assert seen.state == "sending"
    client.resume()
    answer = await client.ended(20)
    assert client.looks_complete
    assert answer.body == bytes(seen.sent)
    assert len(answer.json["choices"][0]["message"]["content"]) > 10_000_000
    record = await here.record()
    assert record.outcome is Outcome.COMPLETED
    assert record.sent == len(answer.body)


@pytest_twisted.ensureDeferred
async def test_requests_sent_in_one_go_are_answered_in_order(house: Open) -> None:
    here = house()
    asked = [post(chat(f"mock-n{count}-d5")) for count in (9, 3)]
    client = await here.ask(b"".join(asked))
    await until(lambda: len(here.kept.records) == 2)
    await until(lambda: client.raw.endswith(b"0\r\n\r\n"))
    first, second = client.raw.split(b"HTTP/1.1 200 OK")[1:]
    for raw, count in ((first, 9), (second, 3)):
        answer = parse(b"HTTP/1.1 200 OK" + raw)
        assert answer is not None
        assert answer.ended
        assert answer.body.count(b"data: ") == count + 3


@pytest.mark.parametrize(
    "first",
    [
        b"HEAD /v1/models HTTP/1.1\r\nHost: gateway.test\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: gateway.test\r\n\r\n",
        post(chat("mock-status204", stream=False)),
        post(chat("mock-n2-close")),
        post(chat("mock-n2-eof", stream=False)),
    ],
    ids=["HEAD", "GET", "204", "closed by the provider", "ended by the connection"],
)
@pytest_twisted.ensureDeferred
async def test_the_clients_connection_serves_on_behind(
    house: Open, first: bytes
) -> None:
    here = house()
    client = await here.ask(first)
    await until(lambda: here.kept.records)
    await until(lambda: client.reads)
    assert client.answer.status in (200, 204)
    assert (await here.record()).outcome is Outcome.COMPLETED
    # Whatever connection to the provider was parked, is gone when it is wanted.
    for connection in list(here.mock.connections):
        connection.drop()
    client.reads.clear()
    client.send(post(chat("mock-n2")))
    answer = await client.ended()
    assert client.looks_complete
    assert answer.body == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_a_client_without_chunks_gets_its_stream_until_the_close(
    house: Open,
) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n5-d5"), version="1.0"))
    await client.closed()
    assert not client.answer.framed
    assert client.looks_complete
    assert client.answer.body == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_who_waits_for_a_go_ahead_gets_it(house: Open) -> None:
    here = house()
    body = chat("mock-n3")
    head = post(body, "Expect: 100-continue").removesuffix(body)
    client = await here.ask(head)
    await until(lambda: client.raw == b"HTTP/1.1 100 Continue\r\n\r\n")
    client.reads.clear()
    client.send(body)
    answer = await client.ended()
    assert answer.status == 200
    assert (await here.seen()).body == body


@pytest_twisted.ensureDeferred
async def test_a_request_in_chunks_arrives_whole(house: Open) -> None:
    here = house()
    body = chat("mock-n3")
    head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    client = await here.ask(head)
    for at in range(0, len(body), 10):
        piece = body[at : at + 10]
        client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await deferLater(reactor, 0)
    client.send(b"0\r\n\r\n")
    answer = await client.ended()
    assert answer.status == 200
    assert (await here.seen()).body == body
    assert (await here.record()).received == len(body)


@pytest_twisted.ensureDeferred
async def test_heartbeats_stand_between_frames_of_a_silent_stream(house: Open) -> None:
    here = house(heartbeat_interval_ms=60)
    client = await here.ask(post(chat("mock-n3-d200")))
    answer = await client.ended()
    assert client.looks_complete
    blocks = answer.body.split(b"\n\n")
    beats = [block for block in blocks if block.startswith(b":")]
    assert len(beats) >= 5
    rest = [block for block in blocks if not block.startswith(b":")]
    assert b"\n\n".join(rest) == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_a_provider_nobody_can_reach_is_a_502(house: Open) -> None:
    here = house(override={"endpoint": "http://127.0.0.1:1"})
    client = await here.ask(post(chat("mock")))
    answer = await client.ended()
    assert answer.status == 502
    assert b"127.0.0.1" not in answer.body
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.BROKEN, "connect")
    assert [attempt.status for attempt in record.attempts] == [0]


@pytest_twisted.ensureDeferred
async def test_the_record_tells_our_own_time_from_the_providers(house: Open) -> None:
    here = house()
    client = await here.ask(post(chat("mock-n3-f200-d20")))
    await client.ended()
    record = await here.record()
    (attempt,) = record.attempts
    assert attempt.head_ms is not None
    assert attempt.head_ms >= 190
    assert record.overhead_ms is not None
    assert record.overhead_ms < 50
    assert record.first_byte_ms is not None
    assert 190 <= record.first_byte_ms <= record.total_ms
    assert attempt.received == record.sent == len(client.answer.body)


@pytest_twisted.ensureDeferred
async def test_many_clients_that_leave_at_once_leave_nothing(house: Open) -> None:
    here = house()
    clients = [await here.ask(post(chat("mock-n1000-d20"))) for _ in range(60)]
    for client in clients:
        await client.events(1)
    for number, client in enumerate(clients):
        if number % 2:
            client.rst()
        else:
            client.fin()
    await until(lambda: all(seen.left for seen in here.mock.requests))
    await until(lambda: len(here.kept.records) == 60)
    assert {record.outcome for record in here.kept.records} == {Outcome.CLIENT_GONE}
    assert not here.gateway.serve.open
    await until(lambda: not here.mock.connections)


@pytest_twisted.ensureDeferred
async def test_health_and_streams_go_on_beside_clients_that_do_not_read(
    house: Open,
) -> None:
    here = house()
    asked = post(chat("mock-endless-s4096"))
    for _ in range(10):
        stuck = await here.ask(asked, receive_buffer=8192)
        stuck.pause()
    began = reactor.seconds()
    client = await here.ask(post(chat("mock-n9-d5")))
    assert (await client.ended()).body.endswith(b"data: [DONE]\n\n")
    check = await here.ask(b"GET /healthz/ready HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
    assert json.loads((await check.ended()).body)
    assert reactor.seconds() - began < 1.0
