"""A client and a provider of different dialects: each sees its own vendor's words."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.framing import get
from aigw.model.headers import Headers, first
from aigw.model.instance import Endpoint, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.route import Route

from .site import JSON, SSE, Site

ASKED = (
    b'{"model":"m","max_tokens":100,"system":"Be brief.",'
    b'"messages":[{"role":"user","content":"hi"}]}'
)
STREAMED = ASKED[:-1] + b',"stream":true}'
ANSWER = (
    b'{"id":"c","object":"chat.completion","model":"served","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'
)
HELLO = (
    b'data: {"id":"c","model":"served","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"hello"}}]}\n\n'
)
STOP = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = (
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,'
    b'"total_tokens":15}}\n\n'
)
DONE = b"data: [DONE]\n\n"
CLIENT: Headers = [
    (b"content-type", b"application/json"),
    (b"anthropic-version", b"2023-06-01"),
    (b"x-stainless-lang", b"python"),
    (b"x-team", b"blue"),
]


def site(**settings: Any) -> Site:
    settings.setdefault("streaming", Streaming(flush=0.0))
    one = Instance(
        name="one",
        provider="openai-compatible",
        endpoint=Endpoint("http", "provider.test", 80),
        **settings,
    )
    return Site(Route("messages", ("/v1/*",), (one,)))


def ask(place: Site, body: bytes = ASKED) -> Any:
    return place.ask(body, target=b"/v1/messages", headers=CLIENT)


def types(written: bytes) -> list[str]:
    return [frame.type for frame in get("sse").decode(written)]


def test_request_is_rendered_for_the_provider() -> None:
    place = site()
    ask(place)
    outbound = place.call.outbound
    assert outbound.target == b"/v1/chat/completions"
    sent = msgspec.json.decode(outbound.body)
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]
    assert sent["max_tokens"] == 100  # openai-compatible's name of the cap
    names = [name for name, _ in outbound.headers]
    assert b"anthropic-version" not in names
    assert first(outbound.headers, b"x-team") == b"blue"


def test_answer_is_written_for_the_client() -> None:
    place = site()
    client = ask(place)
    length = (b"content-length", b"%d" % len(ANSWER))
    place.call.answer(200, [*JSON, length], ANSWER)
    told = msgspec.json.decode(client.written)
    assert told["type"] == "message"
    assert told["content"] == [{"type": "text", "text": "hello"}]
    assert told["stop_reason"] == "end_turn"
    assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (10, 5)
    assert first(client.answer, b"content-length") is None
    assert client.ended == "finish"
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage is not None
    assert record.usage.all == 15
    assert record.usage_state == "reported"
    assert record.dialect == "anthropic-messages"


def test_stream_is_converted_as_it_comes() -> None:
    place = site()
    client = ask(place, STREAMED)
    place.call.head(200, SSE)
    place.call.body(HELLO)
    assert "content_block_delta" in types(client.written)
    for piece in (STOP, USAGE, DONE):
        place.call.body(piece)
    place.call.ended()
    assert types(client.written) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert first(client.answer, b"content-type") == b"text/event-stream"
    assert client.ended == "finish"
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage_state == "reported"
    assert record.stream


def test_error_answer_is_told_in_the_clients_words() -> None:
    place = site()
    client = ask(place)
    body = b'{"error":{"message":"slow down","type":"rate_limit_error"}}'
    place.call.answer(429, [*JSON, (b"retry-after", b"7")], body)
    assert client.status == 429
    told = msgspec.json.decode(client.written)
    assert told["type"] == "error"
    assert told["error"] == {"type": "rate_limit_error", "message": "slow down"}
    assert first(client.answer, b"retry-after") == b"7"
    assert place.record.outcome is Outcome.FAILED
    assert place.record.attempts[0].status == 429


def test_an_error_answers_advice_on_coming_again_crosses() -> None:
    place = site()
    client = ask(place)
    advice: Headers = [
        (b"retry-after-ms", b"450"),
        (b"x-should-retry", b"false"),
        (b"x-ratelimit-remaining-requests", b"0"),
    ]
    others: Headers = [(b"set-cookie", b"a=b"), (b"openai-model", b"m")]
    place.call.answer(429, [*JSON, *advice, *others], b"{}")
    assert client.status == 429
    given = client.answer
    assert [pair for pair in given if pair in advice] == advice
    assert [name for name, _ in given].count(b"content-type") == 1
    assert not [pair for pair in given if pair in others]


def test_error_inside_a_whole_answer_of_200_is_an_error() -> None:
    place = site()
    client = ask(place)
    place.call.answer(200, JSON, b'{"error":{"message":"no","type":"server_error"}}')
    assert client.status >= 400
    assert msgspec.json.decode(client.written)["type"] == "error"
    assert place.record.outcome is Outcome.FAILED


def test_error_in_a_stream_begun_is_told_then_cut() -> None:
    place = site()
    client = ask(place, STREAMED)
    place.call.head(200, SSE)
    place.call.body(HELLO)
    place.call.body(b'data: {"error":{"message":"no","type":"server_error"}}\n\n')
    assert types(client.written)[-1] == "error"
    assert client.ended == "cut"
    assert place.call.stopped
    assert place.record.outcome is Outcome.FAILED


def test_stream_that_ends_early_is_told_then_cut() -> None:
    place = site()
    client = ask(place, STREAMED)
    place.call.head(200, SSE)
    place.call.body(HELLO)
    place.call.ended()
    assert types(client.written)[-1] == "error"
    assert "message_stop" not in types(client.written)
    assert client.ended == "cut"


def test_stream_without_terminal_frame_but_with_a_finish_is_completed() -> None:
    place = site()
    client = ask(place, STREAMED)
    place.call.head(200, SSE)
    place.call.body(HELLO + STOP)
    place.call.ended()
    assert types(client.written)[-1] == "message_stop"
    assert client.ended == "finish"


def test_whole_answer_to_a_stream_asked_for_becomes_one() -> None:
    place = site()
    client = ask(place, STREAMED)
    place.call.answer(200, JSON, ANSWER)
    assert types(client.written)[-1] == "message_stop"
    assert first(client.answer, b"content-type") == b"text/event-stream"


def test_answer_that_is_neither_json_nor_a_stream_is_502() -> None:
    place = site()
    client = ask(place)
    place.call.answer(200, [(b"content-type", b"text/html")], b"<html>")
    assert client.status == 502
    assert msgspec.json.decode(client.written)["type"] == "error"


def test_what_cannot_be_carried_is_recorded() -> None:
    place = site()
    ask(place, ASKED[:-1] + b',"top_k":5}')
    place.call.answer(200, JSON, ANSWER)
    assert place.record.dropped_fields == ("top_k",)


def test_malformed_call_is_400_in_the_clients_words() -> None:
    place = site()
    client = ask(place, b'{"model":"m","max_tokens":5,"messages":[]}')
    assert client.status == 400
    told = msgspec.json.decode(client.written)
    assert told["error"]["type"] == "invalid_request_error"
    assert not place.upstream.calls
