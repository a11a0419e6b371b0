"""Clients of Gemini's own API: a provider of theirs, and one of another dialect."""

from __future__ import annotations

import msgspec

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
