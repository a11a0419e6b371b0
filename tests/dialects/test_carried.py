"""Messages in the envelopes of Bedrock and of Vertex AI."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest
from aigw.framing import get
from aigw.interfaces import ICarriedDialect, IChatDialect
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.frame import EventStreamFrame, SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage
from tests.testing.samples import REFUSED, chunk, chunks, streams

MESSAGES = IChatDialect(dialects.get("anthropic-messages"))
INVOKE = ICarriedDialect(dialects.get("bedrock-invoke"))
RAW = ICarriedDialect(dialects.get("vertex-raw-predict"))
STREAMED = "/model/us.claude:0/invoke-with-response-stream"
VERTEX = "/v1/projects/p/locations/l/publishers/anthropic/models/claude:"
BODY = (
    b'{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b-2"],'
    b'"max_tokens":1e2,"messages":[ ],"unheard_of":{"b":1,"a":2.50}}'
)
USED = (
    b'"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3,'
    b'"cacheReadInputTokenCount":2,"invocationLatency":10,"firstByteLatency":5}}'
)


def request(path: str, body: bytes, headers: Headers | None = None) -> Envelope:
    envelope = Envelope("POST", path, path.encode(), b"", headers or [])
    envelope.open(body)
    return envelope


def frames(data: bytes) -> list[Any]:
    return get("aws-eventstream").decode(data)


def read(data: bytes) -> list[Event]:
    reader = INVOKE.reader(Rendered(b"{}"))
    told = [event for frame in frames(data) for event in reader.feed(frame)]
    return told + reader.end()


# -- requests


def test_a_body_for_bedrock_becomes_messages_and_keeps_its_values_bytes() -> None:
    fields: Headers = [(b"x-amz-date", b"1"), (b"x-team", b"blue")]
    opened = INVOKE.opened(request(STREAMED, BODY, fields))
    assert opened.body == (
        b'{"max_tokens":1e2,"messages":[ ],"unheard_of":{"b":1,"a":2.50},'
        b'"model":"us.claude:0","stream":true}'
    )
    assert (opened.model, opened.stream) == ("us.claude:0", True)
    assert opened.headers == [(b"x-team", b"blue"), (b"anthropic-beta", b"a-1,b-2")]
    plain = INVOKE.opened(request(STREAMED.split("-with")[0], BODY))
    assert b'"stream"' not in plain.body


def test_messages_become_a_body_for_bedrock() -> None:
    fields: Headers = [
        (b"anthropic-version", b"2023-06-01"),
        (b"anthropic-beta", b"a-1, b-2"),
        (b"anthropic-beta", b"c-3"),
        (b"x-stainless-os", b"Linux"),
        (b"x-team", b"blue"),
    ]
    body = b'{"model":"m","stream":true,"messages":[ ],"max_tokens":1e2}'
    closed = INVOKE.closed(request("/v1/messages", body, fields))
    assert closed.body == body[:-1] + (
        b',"anthropic_version":"bedrock-2023-05-31",'
        b'"anthropic_beta":["a-1","b-2","c-3"]}'
    )
    assert closed.headers == [(b"x-team", b"blue")]
    assert (closed.model, closed.stream) == ("m", True)


def test_raw_predictions_are_opened_and_closed() -> None:
    body = b'{"anthropic_version":"vertex-2023-10-16","messages":[ ],"stream":true}'
    opened = RAW.opened(request(f"{VERTEX}streamRawPredict", body))
    assert opened.body == b'{"messages":[ ],"model":"claude","stream":true}'
    again = RAW.closed(opened)
    assert msgspec.json.decode(again.body)["anthropic_version"] == "vertex-2023-10-16"
    # The path alone says whether an answer streams.
    assert not RAW.opened(request(f"{VERTEX}rawPredict", body)).stream


@pytest.mark.parametrize("dialect", [INVOKE, RAW])
def test_other_vendors_bodies_are_not_opened(dialect: ICarriedDialect) -> None:
    path = STREAMED if dialect is INVOKE else f"{VERTEX}rawPredict"
    with pytest.raises(BadRequest, match="anthropic_version: missing"):
        dialect.opened(request(path, b'{"inputText":"hi"}'))


@pytest.mark.parametrize("dialect", [INVOKE, RAW])
def test_a_version_that_is_a_date_is_the_apis(dialect: ICarriedDialect) -> None:
    path = STREAMED if dialect is INVOKE else f"{VERTEX}rawPredict"
    said: Headers = [(b"x-team", b"blue"), (b"anthropic-version", b"2023-06-01")]
    opened = dialect.opened(request(path, b'{"anthropic_version":"2026-10-21"}', said))
    assert opened.headers == [said[0], (b"anthropic-version", b"2026-10-21")]
    odd = dialect.opened(request(path, b'{"anthropic_version":"2026-10-21\\n"}'))
    assert odd.headers == []


@pytest.mark.parametrize("betas", ['"a"', "[1]", '["a\\r\\nx: y"]', '["\\u00e9"]'])
def test_names_of_betas_that_are_none_are_refused(betas: str) -> None:
    body = b'{"anthropic_version":"v","anthropic_beta":%b}' % betas.encode()
    with pytest.raises(BadRequest, match="anthropic_beta"):
        INVOKE.opened(request(STREAMED, body))


# -- answers


@pytest.mark.parametrize("stream", streams("anthropic-messages"))
def test_chunks_are_read_and_wrapped_as_the_events_they_hold(stream: bytes) -> None:
    plain = get("sse").decode(stream)
    held = [INVOKE.unwrap(frame) for frame in frames(chunks(stream))]
    assert held == plain
    wrapped = [INVOKE.wrap(frame, None) for frame in plain]
    kept = [frame for frame in plain if frame.type != "ping"]
    assert [INVOKE.unwrap(frame) for frame in wrapped if frame is not None] == kept
    reader = MESSAGES.reader(Rendered(b"{}"))
    told = [event for frame in plain for event in reader.feed(frame)] + reader.end()
    assert read(chunks(stream)) == told


def test_bedrocks_own_figures_do_not_reach_clients_of_messages() -> None:
    frame = frames(chunk(b'{"type":"message_stop",' + USED))[0]
    assert INVOKE.unwrap(frame) == SSEFrame("message_stop", b'{"type":"message_stop"}')


def test_an_exception_is_a_failure_in_bedrocks_words() -> None:
    failed = read(REFUSED)[-1]
    assert isinstance(failed, events.Failed)
    assert (failed.kind, failed.message) == ("rate_limit", "slow down")
    tap = INVOKE.tap()
    assert tap.feed(frames(REFUSED)[0]) == sights.ERROR
    assert tap.error is not None
    assert tap.error["message"] == "slow down"


def test_what_was_used_is_read_of_any_vendors_answer() -> None:
    tap = INVOKE.tap()
    (first, last) = frames(
        chunk(b'{"outputText":"hi"}') + chunk(b'{"outputText":"",' + USED)
    )
    assert tap.feed(first) == sights.CONTENT
    assert tap.feed(last) == sights.CONTENT | sights.TERMINAL
    assert tap.usage == Usage(input=7, cache_read=2, output=3)


def test_the_last_chunk_written_tells_what_was_used() -> None:
    writer = INVOKE.writer(Call("anthropic-messages", "m", ()), 0.0, "r")
    told: list[Event] = [
        events.Started("i", "m"),
        events.UsageReport(Usage(input=5, cache_read=4, output=3)),
        events.Finished(0, Finish.STOP),
        events.Ended(),
    ]
    written = [frame for event in told for frame in writer.feed(event)]
    assert all(isinstance(frame, EventStreamFrame) for frame in written)
    tap = INVOKE.tap()
    for frame in written:
        tap.feed(frame)
    metrics = json.loads(b64decode(json.loads(written[-1].payload)["bytes"]))[
        "amazon-bedrock-invocationMetrics"
    ]
    assert metrics["inputTokenCount"] == 5
    assert metrics["outputTokenCount"] == 3
