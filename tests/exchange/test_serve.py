"""One request straight down: what is sent, what comes back, exactly one record."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.errors import ConnectFailed, UpstreamBroke, UpstreamTimeout
from aigw.model.headers import Headers, first
from aigw.model.instance import Deadlines, Logging, Streaming
from aigw.model.outcome import Outcome
from aigw.model.route import Route

from .site import CHAT, JSON, SSE, STREAM, Site, instance

ANSWER = (
    b'{"id":"c","object":"chat.completion","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,'
    b'"prompt_tokens_details":{"cached_tokens":4}}}'
)
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = (
    b'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,'
    b'"total_tokens":15}}\n\n'
)
DONE = b"data: [DONE]\n\n"


def value(headers: Headers, name: bytes) -> bytes | None:
    return first(headers, name)


def error_of(body: bytes) -> Any:
    return msgspec.json.decode(body)["error"]


# -- plain answers


def test_answer_comes_back_as_it_is() -> None:
    site = Site()
    client = site.ask()
    site.call.answer(200, [*JSON, (b"content-length", b"%d" % len(ANSWER))], ANSWER)
    assert client.status == 200
    assert client.written == ANSWER
    assert client.ended == "finish"
    assert value(client.answer, b"content-length") == b"%d" % len(ANSWER)
    record = site.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage is not None
    assert (record.usage.input, record.usage.cache_read) == (6, 4)
    assert (record.usage.prompt, record.usage.output, record.usage.all) == (10, 5, 15)
    assert record.usage_state == "reported"
    assert (record.received, record.sent) == (len(CHAT), len(ANSWER))
    assert record.request_type == "ai_chat"
    assert [attempt.status for attempt in record.attempts] == [200]


def test_body_is_forwarded_byte_for_byte() -> None:
    site = Site()
    site.ask()
    assert site.call.outbound.body == CHAT
    assert site.call.outbound.target == b"/v1/chat/completions"


def test_request_ids_are_told() -> None:
    site = Site()
    client = site.ask(headers=[*JSON, (b"x-request-id", b"mine")])
    site.call.answer(200, JSON, ANSWER)
    own = value(client.answer, b"x-aigw-request-id")
    assert own == site.record.request_id.encode()
    assert value(client.answer, b"x-request-id") == b"mine"
    assert site.record.client_request_id == "mine"


def test_providers_request_id_is_kept() -> None:
    site = Site()
    client = site.ask(headers=[*JSON, (b"x-request-id", b"mine")])
    site.call.answer(200, [*JSON, (b"x-request-id", b"theirs")], ANSWER)
    assert value(client.answer, b"x-request-id") == b"theirs"


def test_request_ids_differ() -> None:
    site = Site()
    for _ in range(3):
        site.ask()
        site.call.answer(200, JSON, ANSWER)
    assert len({record.request_id for record in site.kept.records}) == 3


def test_providers_error_is_passed_on_and_recorded_as_failed() -> None:
    site = Site()
    client = site.ask()
    headers = [*JSON, (b"retry-after", b"7"), (b"set-cookie", b"no")]
    site.call.answer(429, headers, b'{"error":{"message":"slow down"}}')
    assert client.status == 429
    assert client.written == b'{"error":{"message":"slow down"}}'
    assert value(client.answer, b"retry-after") == b"7"
    assert value(client.answer, b"set-cookie") is None
    assert site.record.outcome is Outcome.FAILED
    assert site.record.usage_state == "none"


def test_coded_answer_is_relayed_with_its_coding_and_not_metered() -> None:
    site = Site()
    client = site.ask()
    headers = [*JSON, (b"content-encoding", b"gzip")]
    site.call.answer(200, headers, b"\x1f\x8b...")
    assert value(client.answer, b"content-encoding") == b"gzip"
    assert client.written == b"\x1f\x8b..."
    assert site.record.usage_state == "none"


def test_answer_without_body() -> None:
    site = Site()
    client = site.ask(b"", method="DELETE", target=b"/v1/files/f", headers=[])
    site.call.answer(204, [], b"")
    assert client.status == 204
    assert client.ended == "finish"
    assert site.call.outbound.method == "DELETE"


def test_stream_asked_but_json_answered_is_taken_for_json() -> None:
    site = Site()
    client = site.ask(STREAM)
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    assert value(client.answer, b"x-accel-buffering") is None
    assert site.record.usage_state == "reported"
    assert site.record.outcome is Outcome.COMPLETED


# -- streams


def test_stream_is_relayed_and_metered() -> None:
    site = Site()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    assert client.status is None
    for piece in (ROLE, HELLO, STOP):
        site.call.body(piece)
        site.wait(0.02)
    assert client.writes == [ROLE, HELLO, STOP]
    assert value(client.answer, b"content-type") == b"text/event-stream; charset=utf-8"
    assert value(client.answer, b"cache-control") == b"no-cache"
    assert value(client.answer, b"x-accel-buffering") == b"no"
    site.call.body(USAGE)
    site.call.body(DONE)
    site.call.ended()
    assert client.written == ROLE + HELLO + STOP + DONE
    assert client.ended == "finish"
    record = site.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage_state == "reported"
    assert record.usage is not None
    assert record.usage.all == 15
    assert record.request_type == "ai_stream"
    assert record.stream


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_usage_chunk_is_hidden_however_the_bytes_are_cut(size: int) -> None:
    site = Site()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    data = ROLE + HELLO + STOP + USAGE + DONE
    for at in range(0, len(data), size):
        site.call.body(data[at : at + size])
    site.call.ended()
    assert client.written == ROLE + HELLO + STOP + DONE
    assert site.record.usage_state == "reported"


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_usage_chunk_the_client_asked_for_is_shown(size: int) -> None:
    asked = STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
    site = Site()
    client = site.ask(asked)
    assert site.call.outbound.body == asked
    site.call.head(200, SSE)
    data = ROLE + HELLO + STOP + USAGE + DONE
    for at in range(0, len(data), size):
        site.call.body(data[at : at + size])
    site.call.ended()
    assert client.written == data
    assert site.record.usage_state == "reported"


def test_broken_stream_ends_with_an_error_frame_and_a_cut() -> None:
    site = Site()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    site.call.failed(UpstreamBroke("the provider broke off", reason="reset"))
    assert client.ended == "cut"
    tail = client.written.removeprefix(ROLE + HELLO)
    assert tail.startswith(b"data: ")
    assert tail.endswith(b"\n\n")
    assert b"[DONE]" not in tail
    assert error_of(tail[6:])["message"] == "the provider broke off"
    record = site.record
    assert (record.outcome, record.reason) == (Outcome.BROKEN, "reset")
    assert record.usage_state == "none"


def test_oversize_event_costs_metering_not_the_stream() -> None:
    streaming = Streaming(max_event_bytes=1000, usage="client")
    site = Site(streaming=streaming)
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    large = HELLO.replace(b"hello", b"x" * 5000)
    pieces = [ROLE, large[:2000], large[2000:], HELLO, USAGE, DONE]
    for piece in pieces:
        site.call.body(piece)
    site.call.ended()
    assert client.written == b"".join(pieces)
    record = site.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage_state == "partial"
    assert record.usage is not None
    assert record.usage.all == 15


# -- failures before output


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectFailed("the provider could not be reached", reason="connect"), 502),
        (UpstreamTimeout("the provider did not answer", reason="read"), 504),
    ],
)
def test_provider_that_fails_is_told_by_status(error: Any, status: int) -> None:
    site = Site()
    client = site.ask()
    site.call.failed(error)
    assert client.status == status
    assert client.ended == "finish"
    assert error_of(client.written)["message"] == error.message
    record = site.record
    assert record.status == status
    assert record.reason == error.reason
    assert len(record.attempts) == 1
    assert record.attempts[0].reason == error.reason


@pytest.mark.parametrize(
    ("deadlines", "reason"),
    [
        (Deadlines(first_byte=1.0), "first_byte"),
        (Deadlines(total=1.0), "total"),
        (Deadlines(stream=1.0), "max_stream_duration_ms"),
    ],
)
def test_deadline_before_output_is_504(deadlines: Deadlines, reason: str) -> None:
    site = Site(deadlines=deadlines)
    client = site.ask(STREAM)
    site.wait(1.1)
    assert site.call.stopped
    assert client.status == 504
    assert (site.record.outcome, site.record.reason) == (Outcome.LIMIT, reason)


@pytest.mark.parametrize(
    ("deadlines", "reason"),
    [
        (Deadlines(idle=1.0), "idle"),
        (Deadlines(total=1.0), "total"),
        (Deadlines(stream=1.0), "max_stream_duration_ms"),
    ],
)
def test_deadline_after_output_is_told_then_cut(
    deadlines: Deadlines, reason: str
) -> None:
    site = Site(deadlines=deadlines)
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(HELLO)
    site.wait(1.1)
    assert site.call.stopped
    assert client.ended == "cut"
    assert b'"error"' in client.written
    assert (site.record.outcome, site.record.reason) == (Outcome.LIMIT, reason)


def test_first_byte_deadline_is_met_by_the_first_byte() -> None:
    site = Site(deadlines=Deadlines(first_byte=1.0))
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE)
    site.wait(2)
    assert client.ended is None


def test_announced_length_over_the_limit_is_502() -> None:
    site = Site(streaming=Streaming(max_response_bytes=10))
    client = site.ask()
    site.call.head(200, [*JSON, (b"content-length", b"11")])
    assert client.status == 502
    assert site.call.stopped
    assert site.record.reason == "max_response_bytes"


# -- the client's leaving


def test_client_that_leaves_before_the_head_stops_the_provider() -> None:
    site = Site()
    client = site.ask(STREAM)
    client.leave()
    assert site.call.stopped
    assert site.record.outcome is Outcome.CLIENT_GONE
    assert site.record.attempts[0].outcome is Outcome.CLIENT_GONE


def test_client_that_leaves_in_mid_stream_stops_the_provider() -> None:
    site = Site()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(HELLO)
    client.leave()
    assert site.call.stopped
    assert site.record.outcome is Outcome.CLIENT_GONE
    assert not site.serve.open


def test_shutdown_in_every_phase() -> None:
    site = Site()
    waiting = site.ask(STREAM)
    streaming = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(HELLO)
    for exchange in list(site.serve.open):
        exchange.shut_down()
    assert waiting.status == 503
    assert streaming.ended == "cut"
    assert not site.serve.open
    outcomes = {record.outcome for record in site.kept.records}
    assert outcomes == {Outcome.SHUTDOWN}


# -- requests that are refused


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "request body is empty"),
        (b"{", "could not parse JSON request body"),
        (b"1", "could not parse JSON request body"),
        (b'{"model":"a","model":"b","messages":[]}', "repeated"),
        (b'{"messages":["\xff"]}', "invalid UTF-8"),
        (b'{"messages":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deep"),
        (b"{}", "no matching AI protocol for the request"),
    ],
)
def test_bad_body_is_400_and_recorded(body: bytes, text: str) -> None:
    site = Site()
    client = site.ask(body)
    assert client.status == 400
    assert text in error_of(client.written)["message"]
    assert not site.upstream.calls
    assert site.record.outcome is Outcome.REFUSED
    assert site.record.status == 400


def test_other_media_types_are_400() -> None:
    site = Site()
    client = site.ask(headers=[(b"content-type", b"text/plain")])
    assert client.status == 400
    message = error_of(client.written)["message"]
    assert message == (
        "unsupported content-type: text/plain, only application/json is supported"
    )


@pytest.mark.parametrize(
    "kind", [b"application/json", b"Application/JSON; charset=utf-8"]
)
def test_json_is_json_in_any_case(kind: bytes) -> None:
    site = Site()
    site.ask(headers=[(b"content-type", kind)])
    assert len(site.upstream.calls) == 1
    sent = [v for n, v in site.call.outbound.headers if n == b"content-type"]
    assert sent == [b"application/json"]


def test_missing_content_type_is_json() -> None:
    site = Site()
    site.ask(headers=[])
    assert len(site.upstream.calls) == 1


def test_body_over_the_limit_is_413() -> None:
    site = Site(max_body=10)
    client = site.ask()
    assert client.status == 413
    assert site.record.outcome is Outcome.REFUSED


def test_no_route_is_404() -> None:
    site = Site()
    client = site.ask(target=b"/elsewhere")
    assert client.status == 404
    assert site.record.route == ""


def test_wrong_method_is_405() -> None:
    route = Route("r", ("/v1/*",), (instance(),), methods=frozenset({"POST"}))
    client = Site(route).ask(b"", method="GET", target=b"/v1/models")
    assert client.status == 405
    assert value(client.answer, b"allow") == b"POST"


def test_prefix_before_a_dialects_own_path_is_taken_off() -> None:
    route = Route("r", ("/v1/*",), (instance(),), strip_prefix=True)
    site = Site(route)
    site.ask(b"", method="GET", target=b"/openai/v1/models/a%2Fb?x=1", headers=[])
    assert site.call.outbound.target == b"/v1/models/a%2Fb?x=1"


def test_dialect_the_provider_does_not_speak_is_400() -> None:
    site = Site()
    client = site.ask(b'{"input":"x"}', target=b"/v1/responses")
    if client.status is not None:
        assert client.status == 400
        assert "does not support" in error_of(client.written)["message"]


# -- browsers


def guarded(**settings: Any) -> Route:
    return Route("r", ("/v1/*",), (instance(has_auth=True),), injects=True, **settings)


def test_page_of_another_origin_is_refused_where_credentials_are_injected() -> None:
    site = Site(guarded())
    client = site.ask(headers=[*JSON, (b"origin", b"https://evil.test")])
    assert client.status == 403
    assert not site.upstream.calls


def test_allowed_origin_may_read_the_answer() -> None:
    site = Site(guarded(allow_origins=("https://app.test",)))
    client = site.ask(headers=[*JSON, (b"origin", b"https://app.test")])
    site.call.answer(200, JSON, ANSWER)
    allowed = value(client.answer, b"access-control-allow-origin")
    assert allowed == b"https://app.test"


def test_preflight_of_an_allowed_origin_is_answered() -> None:
    site = Site(
        guarded(allow_origins=("https://app.test",), methods=frozenset({"POST"}))
    )
    client = site.ask(
        b"",
        method="OPTIONS",
        headers=[
            (b"origin", b"https://app.test"),
            (b"access-control-request-method", b"POST"),
            (b"access-control-request-headers", b"authorization"),
        ],
    )
    assert client.status == 204
    assert value(client.answer, b"access-control-allow-methods") == b"POST"
    assert value(client.answer, b"access-control-allow-headers") == b"authorization"
    assert not site.upstream.calls


# -- heartbeats before there is an answer


def beating() -> Site:
    return Site(streaming=Streaming(heartbeat=1.0))


def test_waiting_client_is_kept_alive() -> None:
    site = beating()
    client = site.ask(STREAM)
    site.wait(2.3)
    assert client.status == 200
    assert client.written.count(b":") == 2
    site.call.head(200, SSE)
    site.call.body(HELLO + STOP + DONE)
    site.call.ended()
    assert client.written.endswith(HELLO + STOP + DONE)
    assert client.ended == "finish"


@pytest.mark.parametrize("head_after", [0.5, 1.5])
def test_a_heartbeat_is_not_the_first_byte(head_after: float) -> None:
    site = beating()
    site.ask(STREAM)
    site.wait(head_after)
    site.call.head(200, SSE)
    site.wait(3.0 - head_after)
    site.call.body(HELLO + STOP + DONE)
    site.call.ended()
    assert site.record.first_byte_ms == pytest.approx(3000)
    assert site.record.overhead_ms == pytest.approx(0)


def test_failure_behind_a_heartbeat_is_told_in_the_stream() -> None:
    site = beating()
    client = site.ask(STREAM)
    site.wait(1.2)
    site.call.answer(500, JSON, b"{}")
    assert client.status == 200
    assert b'"error"' in client.written
    assert client.ended == "cut"


def test_no_heartbeat_where_no_stream_was_asked_for() -> None:
    site = beating()
    client = site.ask(CHAT)
    site.wait(3)
    assert client.status is None


# -- records


def test_prompts_and_answers_stay_out_of_the_record() -> None:
    site = Site()
    site.ask()
    site.call.answer(200, JSON, ANSWER)
    assert (site.record.prompt, site.record.text) == (None, None)


def test_prompts_and_answers_are_recorded_where_asked() -> None:
    site = Site(logging=Logging(payloads=True))
    site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO + HELLO + STOP + USAGE + DONE)
    site.call.ended()
    assert site.record.prompt == b'[{"role":"user","content":"hi"}]'
    assert site.record.text == "hellohello"


def test_record_holds_the_phases() -> None:
    site = Site()
    site.ask(STREAM)
    site.wait(0.1)
    site.call.head(200, SSE)
    site.wait(0.1)
    site.call.body(ROLE)
    site.wait(0.1)
    site.call.body(HELLO + DONE)
    site.call.ended()
    record = site.record
    attempt = record.attempts[0]
    assert attempt.head_ms == pytest.approx(100)
    assert attempt.first_byte_ms == pytest.approx(200)
    assert attempt.first_token_ms == pytest.approx(300)
    assert record.first_byte_ms == pytest.approx(200)
    assert record.total_ms == pytest.approx(300)
    assert record.overhead_ms == pytest.approx(0, abs=1)


def test_health_is_answered_on_the_public_front() -> None:
    site = Site()
    client = site.ask(b"", method="GET", target=b"/healthz/ready", headers=[])
    assert client.status == 200
    site.serve.ready = False
    client = site.ask(b"", method="GET", target=b"/healthz/ready", headers=[])
    assert client.status == 503


@pytest.mark.parametrize(
    ("target", "word"),
    [
        (b"/v1/messages", b'"type":"error"'),
        (b"/anthropic/v1/messages", b'"type":"error"'),
        (b"/v1/model/m/converse", b'{"message":'),
        (b"/v1/model/m/invoke", b'{"message":'),
        (b"/v1/models/m:generateContent", b'"status":"INVALID_ARGUMENT"'),
        (b"/v1/chat/completions", b'"type":"invalid_request_error"'),
    ],
)
@pytest.mark.parametrize("body", [b"{", b'{"model":"a","model":"b"}'])
def test_what_cannot_be_read_is_refused_in_words_of_the_paths_dialect(
    target: bytes, word: bytes, body: bytes
) -> None:
    here = Site(Route("all", ("/*",), (instance(),), strip_prefix=True))
    client = here.ask(body, target=target)
    assert client.status == 400
    assert word in client.written
    assert here.record.dialect == ""


def test_a_path_without_a_route_is_told_in_words_of_its_dialect() -> None:
    client = Site(Route("one", ("/one",), (instance(),))).ask(target=b"/v1/messages")
    assert client.status == 404
    assert b'"type":"error"' in client.written
