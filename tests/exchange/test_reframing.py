"""Messages within other APIs' envelopes: each side sees its own vendor's."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from aigw.framing import get
from aigw.model.headers import Headers, first
from aigw.model.instance import Endpoint, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.policy import Policy
from aigw.model.route import Route
from tests.testing.samples import REFUSED, chunk, chunks, streams

from .site import JSON, SSE, Site

EVENTS: Headers = [(b"content-type", b"application/vnd.amazon.eventstream")]
MESSAGES = (
    b'{"model":"m","max_tokens":9,"messages":[ {"role":"user","content":"hi"}],'
    b'"unheard_of":{"b":1,"a":2.50}}'
)
INVOKE = (
    b'{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":'
    b'[ {"role":"user","content":"hi"}],"unheard_of":{"b":1,"a":2.50}}'
)
INVOKED = b"/model/claude/invoke"
STREAMED = b"/model/claude/invoke-with-response-stream"
RAW = b"/v1/projects/p/locations/l/publishers/anthropic/models/claude:"
ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"c","content":'
    b'[{"type":"text","text":"hello"}],"stop_reason":"end_turn","new":1.50,'
    b'"usage":{"input_tokens":10,"output_tokens":5}}'
)
PLAIN = next(each for each in streams("anthropic-messages") if b"message_stop" in each)
CHAT = (
    b'data: {"id":"c","model":"g","choices":[{"index":0,"delta":{"content":"hello"},'
    b'"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,'
    b'"total_tokens":15}}\n\ndata: [DONE]\n\n'
)


def site(provider: str, **conf: str) -> Site:
    return Site(Route("all", ("/*",), (use(provider, **conf),)))


def use(provider: str, name: str = "one", **conf: str) -> Instance:
    return Instance(
        name=name,
        provider=provider,
        endpoint=Endpoint("http", "provider.test", 80),
        provider_conf={"region": "r", "project_id": "p", **conf},
        streaming=Streaming(flush=0.0),
    )


def invoking() -> Site:
    return site("bedrock", dialect="bedrock-invoke")


def held(written: bytes) -> list[Any]:
    """The events in the chunks that a client of Bedrock was sent."""
    frames = get("aws-eventstream").decode(written)
    return [json.loads(b64decode(json.loads(f.payload)["bytes"])) for f in frames]


def told(written: bytes) -> list[Any]:
    return [json.loads(frame.data or b"") for frame in get("sse").decode(written)]


# -- clients of Messages, invoking


def test_messages_are_sent_as_an_invocations_body() -> None:
    place = invoking()
    fields: Headers = [*JSON, (b"anthropic-beta", b"a-1"), (b"anthropic-version", b"v")]
    client = place.ask(MESSAGES, target=b"/v1/messages?beta=true", headers=fields)
    outbound = place.call.outbound
    assert outbound.target == b"/model/m/invoke"
    assert outbound.body == (
        MESSAGES.replace(b'"model":"m",', b"")[:-1]
        + b',"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1"]}'
    )
    assert not [name for name, _ in outbound.headers if name.startswith(b"anthropic")]
    place.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    record = place.record
    assert record.usage is not None
    assert (record.usage.all, record.usage_state) == (15, "reported")
    assert (record.dialect, record.model) == ("anthropic-messages", "m")
    assert record.dropped_fields == ()


def test_chunks_become_the_events_they_hold() -> None:
    place = invoking()
    body = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(body, target=b"/v1/messages", headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target == b"/model/m/invoke-with-response-stream"
    assert b'"stream"' not in outbound.body
    place.call.head(200, EVENTS)
    stream = chunks(PLAIN)
    for at in range(0, len(stream), 100):
        place.call.body(stream[at : at + 100])
    place.call.ended()
    assert get("sse").decode(client.written) == get("sse").decode(PLAIN)
    assert first(client.answer, b"content-type") == b"text/event-stream"
    assert client.ended == "finish"
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage_state == "reported"
    assert record.stream


def test_an_error_answer_is_told_in_anthropics_words() -> None:
    place = invoking()
    client = place.ask(MESSAGES, target=b"/v1/messages", headers=list(JSON))
    fields = [*JSON, (b"x-amzn-errortype", b"ThrottlingException:http://x/")]
    place.call.answer(429, fields, b'{"message":"slow down"}')
    assert client.status == 429
    error = json.loads(client.written)
    assert (error["type"], error["error"]["type"]) == ("error", "rate_limit_error")
    assert error["error"]["message"] == "slow down"


@pytest.mark.parametrize("body", [b"", chunk(b'{"type":"ping"}')])
def test_an_exception_before_content_is_a_status(body: bytes) -> None:
    place = invoking()
    asked = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(asked, target=b"/v1/messages", headers=list(JSON))
    place.call.head(200, EVENTS)
    place.call.body(REFUSED)
    assert client.status == 429
    assert json.loads(client.written)["error"]["type"] == "rate_limit_error"
    assert place.record.outcome is Outcome.FAILED


def test_an_error_with_status_200_is_told_in_the_clients_words() -> None:
    place = invoking()
    client = place.ask(MESSAGES, target=b"/v1/messages")
    place.call.answer(200, JSON, b'{"message":"The system is down."}')
    assert client.status == 502
    assert json.loads(client.written)["error"]["type"] == "api_error"
    assert place.record.outcome is Outcome.FAILED
    place = site("anthropic")
    client = place.ask(INVOKE, target=INVOKED)
    overloaded = b'{"type":"error","error":{"type":"overloaded_error","message":"O"}}'
    place.call.answer(200, JSON, overloaded)
    assert client.status == 503
    assert json.loads(client.written) == {"message": "O"}


def test_an_exception_behind_content_is_told_then_cut() -> None:
    place = invoking()
    asked = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(asked, target=b"/v1/messages", headers=list(JSON))
    place.call.head(200, EVENTS)
    events = PLAIN.split(b"\n\n")
    place.call.body(chunks(b"\n\n".join(events[:4]) + b"\n\n"))
    place.call.body(REFUSED)
    assert told(client.written)[-1]["error"]["message"] == "slow down"
    assert client.ended == "cut"
    assert place.call.stopped
    assert place.record.outcome is Outcome.FAILED


@pytest.mark.parametrize("cut", [1, 300])
def test_a_stream_that_ends_early_is_told_then_cut(cut: int) -> None:
    place = invoking()
    asked = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(asked, target=b"/v1/messages", headers=list(JSON))
    place.call.head(200, EVENTS)
    events = PLAIN.split(b"\n\n")
    stream = chunks(b"\n\n".join(events[:4]) + b"\n\n")
    place.call.body(stream[: -cut % len(stream)])
    place.call.ended()
    assert told(client.written)[-1]["type"] == "error"
    assert client.ended == "cut"


def test_a_corrupt_chunk_ends_the_stream_broken() -> None:
    place = invoking()
    asked = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(asked, target=b"/v1/messages", headers=list(JSON))
    place.call.head(200, EVENTS)
    good = chunks(PLAIN.split(b"\n\n")[0] + b"\n\n")
    place.call.body(good)
    place.call.body(good[:-1] + bytes([good[-1] ^ 1]))
    assert told(client.written)[-1]["type"] == "error"
    assert client.ended == "cut"


def test_before_the_commit_point_an_exception_is_a_failed_attempt() -> None:
    two = (
        use("bedrock", "one", dialect="bedrock-invoke"),
        use("anthropic", "two"),
    )
    policy = Policy(statuses=frozenset({429}))
    place = Site(Route("all", ("/*",), two, policy=policy))
    asked = MESSAGES[:-1] + b',"stream":true}'
    client = place.ask(asked, target=b"/v1/messages", headers=list(JSON))
    invoked = place.call
    assert b"/model/" in invoked.outbound.target
    invoked.head(200, EVENTS)
    invoked.body(chunks(PLAIN.split(b"\n\n")[0] + b"\n\n") + REFUSED)
    assert place.call is not invoked
    assert client.status is None
    place.call.head(200, SSE)
    place.call.body(PLAIN)
    place.call.ended()
    assert client.written == PLAIN
    first_try, second_try = place.record.attempts
    assert (first_try.instance, second_try.instance) == ("one", "two")
    assert first_try.outcome is Outcome.FAILED
    assert place.record.outcome is Outcome.COMPLETED


# -- clients of Bedrock


def test_an_invocation_reaches_bedrock_byte_for_byte() -> None:
    place = site("bedrock")
    client = place.ask(INVOKE, target=STREAMED, headers=list(JSON))
    outbound = place.call.outbound
    assert (outbound.target, outbound.body) == (STREAMED, INVOKE)
    stream = chunks(PLAIN)
    place.call.head(200, EVENTS)
    place.call.body(stream)
    place.call.ended()
    assert client.written == stream
    record = place.record
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "bedrock-invoke")
    assert record.usage_state == "reported"
    assert record.stream


def test_another_vendors_invocation_is_metered_too() -> None:
    place = site("bedrock")
    body = b'{"inputText":"hi"}'
    client = place.ask(body, target=STREAMED, headers=list(JSON))
    assert place.call.outbound.body == body
    stream = chunk(b'{"outputText":"hello"}') + chunk(
        b'{"outputText":"","amazon-bedrock-invocationMetrics":'
        b'{"inputTokenCount":3,"outputTokenCount":4}}'
    )
    place.call.head(200, EVENTS)
    place.call.body(stream)
    place.call.ended()
    assert client.written == stream
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage is not None
    assert (record.usage.input, record.usage.output) == (3, 4)


def test_an_invocation_is_served_by_anthropic() -> None:
    place = site("anthropic")
    client = place.ask(INVOKE, target=INVOKED, headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target == b"/v1/messages"
    assert outbound.body == (
        b'{"max_tokens":9,"messages":[ {"role":"user","content":"hi"}],'
        b'"unheard_of":{"b":1,"a":2.50},"model":"claude"}'
    )
    assert first(outbound.headers, b"anthropic-version") == b"2023-06-01"
    place.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


def test_events_become_chunks() -> None:
    place = site("anthropic")
    client = place.ask(INVOKE, target=STREAMED, headers=list(JSON))
    assert place.call.outbound.stream
    place.call.head(200, SSE)
    place.call.body(PLAIN)
    place.call.ended()
    plain = [event for event in told(PLAIN) if event["type"] != "ping"]
    sent = held(client.written)
    metrics = sent[-1].pop("amazon-bedrock-invocationMetrics")
    assert sent == plain
    assert metrics["outputTokenCount"] > 0
    assert first(client.answer, b"content-type") == EVENTS[0][1]
    assert client.ended == "finish"


def test_errors_are_told_as_bedrock_tells_them() -> None:
    place = site("anthropic")
    client = place.ask(INVOKE, target=INVOKED, headers=list(JSON))
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'
    place.call.answer(429, JSON, body)
    assert client.status == 429
    assert first(client.answer, b"x-amzn-errortype") == b"ThrottlingException"
    assert json.loads(client.written)["message"] == "slow"


def test_an_error_event_becomes_an_exception() -> None:
    place = site("anthropic")
    client = place.ask(INVOKE, target=STREAMED, headers=list(JSON))
    place.call.head(200, SSE)
    place.call.body(b"\n\n".join(PLAIN.split(b"\n\n")[:4]) + b"\n\n")
    place.call.body(
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded"}}\n\n'
    )
    last = get("aws-eventstream").decode(client.written)[-1]
    assert last.headers[":exception-type"] == "serviceUnavailableException"
    assert client.ended == "cut"


@pytest.mark.parametrize("target", [STREAMED, RAW + b"streamRawPredict"])
def test_an_answer_given_whole_becomes_the_stream_asked_for(target: bytes) -> None:
    place = site("anthropic")
    client = place.ask(INVOKE, target=target, headers=list(JSON))
    place.call.answer(200, JSON, ANSWER)
    written = held(client.written) if target is STREAMED else told(client.written)
    assert written[-1]["type"] == "message_stop"
    assert client.ended == "finish"


def test_an_invocation_is_served_by_a_provider_of_another_dialect() -> None:
    place = site("openai-compatible")
    client = place.ask(INVOKE, target=STREAMED, headers=list(JSON))
    sent = json.loads(place.call.outbound.body)
    assert place.call.outbound.target == b"/v1/chat/completions"
    assert (sent["model"], sent["stream"]) == ("claude", True)
    place.call.head(200, SSE)
    place.call.body(CHAT)
    place.call.ended()
    events = held(client.written)
    assert events[0]["type"] == "message_start"
    assert {"type": "text_delta", "text": "hello"} in [
        event.get("delta") for event in events
    ]
    assert events[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 5
    assert client.ended == "finish"


def test_other_vendors_bodies_are_refused_where_they_cannot_be_said() -> None:
    place = site("openai-compatible")
    client = place.ask(b'{"inputText":"hi"}', target=INVOKED, headers=list(JSON))
    assert client.status == 400
    assert first(client.answer, b"x-amzn-errortype") == b"ValidationException"
    assert "anthropic_version" in json.loads(client.written)["message"]


# -- clients of Vertex AI


def test_raw_predictions_are_served_by_anthropic() -> None:
    place = site("anthropic")
    body = INVOKE[:-1] + b',"stream":true}'
    client = place.ask(body, target=RAW + b"streamRawPredict", headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target == b"/v1/messages"
    assert b"anthropic_version" not in outbound.body
    assert outbound.body.endswith(b'"model":"claude","stream":true}')
    place.call.head(200, SSE)
    place.call.body(PLAIN)
    place.call.ended()
    assert client.written == PLAIN
    assert place.record.outcome is Outcome.COMPLETED


def test_raw_predictions_reach_vertex_byte_for_byte() -> None:
    place = site("vertex-ai", region="l")
    target = RAW + b"streamRawPredict"
    client = place.ask(INVOKE, target=target, headers=list(JSON))
    assert (place.call.outbound.target, place.call.outbound.body) == (target, INVOKE)
    place.call.head(200, SSE)
    place.call.body(PLAIN)
    place.call.ended()
    assert client.written == PLAIN
    assert place.record.usage_state == "reported"


def test_raw_predictions_are_invoked() -> None:
    place = invoking()
    target = RAW + b"streamRawPredict"
    client = place.ask(INVOKE, target=target, headers=list(JSON))
    assert place.call.outbound.target == (b"/model/claude/invoke-with-response-stream")
    place.call.head(200, EVENTS)
    place.call.body(chunks(PLAIN))
    place.call.ended()
    assert get("sse").decode(client.written) == get("sse").decode(PLAIN)


def test_claude_on_vertex_answers_whoever_asks() -> None:
    place = site("vertex-ai")
    body = b'{"model":"claude-x","messages":[{"role":"user","content":"hi"}]}'
    place.ask(body, target=b"/v1/chat/completions", headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target.endswith(b"/publishers/anthropic/models/claude-x:rawPredict")
    sent = json.loads(outbound.body)
    assert sent["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in sent
