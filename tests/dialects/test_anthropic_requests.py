"""What Messages tells of requests, and of errors in Anthropic's words."""

from __future__ import annotations

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest, GatewayError, Unavailable
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.part import Signature
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import chat, write

BODY = b'{"model":"m","messages":[],"tools":[{},{}],"metadata":{"user_id":"u"}}'


@pytest.mark.parametrize(
    "path", ["/v1/messages", "/v1/messages/", "/proxy/v1/messages"]
)
def test_messages_are_known_by_their_path(path: str) -> None:
    dialect = dialects.detect(request(path, BODY))
    assert dialect.name == "anthropic-messages"
    assert dialect.tool_count(request(path, BODY)) == 2
    assert dialect.end_user(request(path, BODY)) == "u"
    assert dialect.prompt(request(path, BODY)) == b"[]"


@pytest.mark.parametrize("metadata", [b"3", b"{}", b'{"user_id":3}'])
def test_odd_metadata_names_no_user(metadata: bytes) -> None:
    body = b'{"messages":[],"metadata":' + metadata + b"}"
    assert chat("anthropic-messages").end_user(request("/v1/messages", body)) == ""


def test_errors_have_anthropics_shape_and_the_references_key() -> None:
    error = BadRequest("no", key="error_msg")
    status, headers, body = chat("anthropic-messages").problem(error, "req-1")
    assert status == 400
    assert (b"request-id", b"req-1") in headers
    assert msgspec.json.decode(body) == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "no"},
        "request_id": "req-1",
        "error_msg": "no",
    }


@pytest.mark.parametrize(
    ("status", "kind", "told", "type"),
    [
        (402, "billing", 402, "billing_error"),
        (403, "permission", 403, "permission_error"),
        (404, "model_not_found", 404, "not_found_error"),
        (413, "too_large", 413, "request_too_large"),
        (429, "rate_limit", 429, "rate_limit_error"),
        (503, "overloaded", 529, "overloaded_error"),
        (503, "unavailable", 503, "overloaded_error"),
        (504, "timeout", 504, "timeout_error"),
        (502, "upstream", 502, "api_error"),
        (418, "teapot", 418, "invalid_request_error"),
    ],
)
def test_neutral_kinds_become_anthropics_words(
    status: int, kind: str, told: int, type: str
) -> None:
    error = GatewayError("m", status=status, kind=kind)
    got, _, body = chat("anthropic-messages").problem(error, "r")
    assert (got, msgspec.json.decode(body)["error"]["type"]) == (told, type)


def test_error_in_a_stream_is_an_error_event() -> None:
    error = Unavailable("m", retry_after=1.5)
    (frame,) = chat("anthropic-messages").broken(error, "r")
    assert frame.type == "error"
    assert msgspec.json.decode(frame.data)["error"]["message"] == "m"
    _, headers, _ = chat("anthropic-messages").problem(error, "r")
    assert (b"retry-after", b"2") in headers


@pytest.mark.parametrize(
    ("dialect", "status", "body", "kind"),
    [
        ("openai-chat", 429, b'{"error":{"code":"insufficient_quota"}}', "billing"),
        (
            "openai-chat",
            404,
            b'{"error":{"code":"model_not_found"}}',
            "model_not_found",
        ),
        ("openai-chat", 401, b"<html>", "authentication"),
        ("openai-chat", 422, b'{"detail":[{"msg":"x"}]}', "invalid_request"),
        ("anthropic-messages", 529, b"", "overloaded"),
        (
            "anthropic-messages",
            400,
            b'{"type":"error","error":{"type":"billing_error","message":"m"}}',
            "billing",
        ),
    ],
)
def test_providers_errors_are_told_in_neutral_words(
    dialect: str, status: int, body: bytes, kind: str
) -> None:
    headers = [(b"retry-after-ms", b"1500")]
    failed = chat(dialect).reader(Rendered(b"")).problem(status, headers, body)
    assert (failed.status, failed.kind, failed.retry_after) == (status, kind, 1.5)
    assert failed.message


def test_tap_knows_events_without_names() -> None:
    tap = chat("anthropic-messages").tap()
    data = b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}'
    assert tap.feed(SSEFrame(data=data)) == sights.PROGRESS
    assert tap.finished
    assert tap.feed(SSEFrame(data=b'{"type":"message_stop"}')) == sights.TERMINAL


def test_signatures_of_others_travel_in_the_signature_and_come_out_again() -> None:
    told: list[events.Event] = [
        events.Started("r", "m"),
        events.BlockOpened(0, 0, "thinking"),
        events.Thinking(0, 0, "hm"),
        events.Signature(0, 0, Signature("openai", "rs_1:gAAA")),
        events.BlockClosed(0, 0),
        events.Ended(),
    ]
    frames = write("anthropic-messages", told)
    assert any(b'"aigw.openai.rs_1:gAAA"' in frame.data for frame in frames)
    block = {"type": "thinking", "thinking": "hm", "signature": "aigw.openai.rs_1:gAAA"}
    body = {"max_tokens": 9, "messages": [{"role": "assistant", "content": [block]}]}
    call = chat("anthropic-messages").parse(
        request("/v1/messages", msgspec.json.encode(body))
    )
    sent = chat("openai-responses").render(call, Target())
    (item,) = msgspec.json.decode(sent.body)["input"]
    assert (item["id"], item["encrypted_content"]) == ("rs_1", "gAAA")
    own = chat("anthropic-messages").render(call, Target())
    assert own.dropped == ("messages[].content[].thinking",)
