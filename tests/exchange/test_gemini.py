"""Clients of Gemini's own API: a provider of theirs, and one of another dialect."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.framing import get
from aigw.model.instance import Endpoint, Instance, Streaming
from aigw.model.route import Route

from .site import JSON, SSE, Site

ASKED = b'{"contents":[{"parts":[{"text":"hi"}]}],  "safetySettings":[]}'
PLAIN = b"/v1beta/models/g:generateContent"
STREAM = b"/v1beta/models/g:streamGenerateContent?alt=sse"
CHUNK = (
    b'data: {"id":"c","model":"served","choices":[{"index":0,"delta":'
    b'{"content":"hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


def site(provider: str) -> Site:
    one = Instance(
        name="one",
        provider=provider,
        endpoint=Endpoint("http", "provider.test", 80),
        streaming=Streaming(flush=0.0),
    )
    return Site(Route("gemini", ("/*",), (one,)))


def test_googles_own_provider_gets_every_byte() -> None:
    place = site("gemini")
    place.ask(ASKED, target=STREAM, headers=list(JSON))
    outbound = place.call.outbound
    assert (outbound.target, outbound.body) == (STREAM, ASKED)
    assert outbound.stream


def test_another_provider_is_asked_for_the_model_in_the_path() -> None:
    place = site("openai-compatible")
    asked = place.ask(ASKED, target=STREAM, headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target == b"/v1/chat/completions"
    sent = msgspec.json.decode(outbound.body)
    assert (sent["model"], sent["stream"]) == ("g", True)
    place.call.head(200, SSE)
    place.call.body(CHUNK)
    place.call.ended()
    frames = get("sse").decode(asked.written)
    told = [msgspec.json.decode(frame.data or b"") for frame in frames]
    assert told[0]["candidates"][0]["content"]["parts"] == [{"text": "hello"}]
    assert told[-1]["candidates"][0]["finishReason"] == "STOP"


def test_stream_without_sse_is_refused_where_it_must_be_converted() -> None:
    place = site("openai-compatible")
    asked = place.ask(ASKED, target=STREAM.partition(b"?")[0], headers=list(JSON))
    told = msgspec.json.decode(asked.written)["error"]
    assert place.record.status == told["code"] == 400
    assert told["status"] == "INVALID_ARGUMENT"
    assert "alt=sse" in told["message"]


def native(**settings: Any) -> Site:
    one = Instance(name="one", provider="gemini", **settings)
    return Site(Route("gemini", ("/*",), (one,)))


def test_no_heartbeat_gets_into_a_json_array() -> None:
    place = native(streaming=Streaming(flush=0.0, heartbeat=0.5))
    target = STREAM.partition(b"?")[0]
    asked = place.ask(ASKED, target=target, headers=list(JSON))
    assert place.call.outbound.target == target
    place.wait(2)
    assert asked.status is None
    place.call.head(200, JSON)
    place.call.body(b'[{"candidates":[]}')
    place.wait(2)
    place.call.body(b"]")
    place.call.ended()
    assert asked.written == b'[{"candidates":[]}]'
    assert asked.ended == "finish"


def test_a_heartbeat_keeps_clients_of_sse_waiting() -> None:
    place = native(streaming=Streaming(flush=0.0, heartbeat=0.5))
    asked = place.ask(ASKED, target=STREAM, headers=list(JSON))
    place.wait(1)
    assert asked.status == 200
    assert asked.written.startswith(b":")


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        (
            {"auth_headers": [(b"x-goog-api-key", b"k")], "has_auth": True},
            b"/v1beta/models/g:streamGenerateContent?alt=sse",
        ),
        (
            {"auth_query": {"key": "k"}, "has_auth": True},
            b"/v1beta/models/g:streamGenerateContent?alt=sse&key=k",
        ),
        ({}, b"/v1beta/openai/chat/completions"),
    ],
)
def test_messages_are_converted_to_what_the_key_is_for(
    settings: dict[str, Any], target: bytes
) -> None:
    place = native(**settings)
    body = (
        b'{"model":"g","max_tokens":9,"stream":true,'
        b'"messages":[{"role":"user","content":"hi"}]}'
    )
    place.ask(body, target=b"/v1/messages", headers=list(JSON))
    outbound = place.call.outbound
    assert outbound.target == target
    assert outbound.stream
    assert (b'"stream"' in outbound.body) is (b"openai" in target)
