from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest, GatewayError, Unavailable
from aigw.model.usage import Usage

from .requests import request

OPENAI_SHAPED = ["openai-chat", "openai-embeddings", "passthrough"]


@pytest.mark.parametrize("name", OPENAI_SHAPED)
def test_errors_have_openais_shape_and_the_references_key(name: str) -> None:
    error = BadRequest("no", key="error_msg")
    status, headers, body = dialects.get(name).problem(error, "r-1")
    assert status == 400
    assert headers == [(b"content-type", b"application/json")]
    told = {
        "message": "no",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert msgspec.json.decode(body) == {"error": told, "error_msg": "no"}


def test_retry_after_is_told_in_whole_seconds() -> None:
    error = Unavailable("later", retry_after=1.2)
    status, headers, body = dialects.get("openai-chat").problem(error, "r-1")
    assert status == 503
    assert (b"retry-after", b"2") in headers
    assert list(msgspec.json.decode(body)) == ["error"]


@pytest.mark.parametrize(
    ("status", "kind", "type", "code"),
    [
        (401, "authentication", "authentication_error", "invalid_api_key"),
        (429, "rate_limit", "rate_limit_error", "rate_limit_exceeded"),
        (404, "model_not_found", "invalid_request_error", "model_not_found"),
        (418, "teapot", "invalid_request_error", "teapot"),
        (599, "odd", "server_error", "odd"),
    ],
)
def test_neutral_kinds_become_openais_words(
    status: int, kind: str, type: str, code: str
) -> None:
    error = GatewayError("m", status=status, kind=kind)
    got, _, body = dialects.get("openai-chat").problem(error, "r")
    told = msgspec.json.decode(body)["error"]
    assert (got, told["type"], told["code"]) == (status, type, code)


def test_error_in_a_stream_is_one_frame_without_terminal() -> None:
    (frame,) = dialects.get("openai-chat").broken(Unavailable("m"), "r")
    assert frame.type == "message"
    assert msgspec.json.decode(frame.data)["error"]["message"] == "m"


@pytest.mark.parametrize(
    ("body", "tools", "user"),
    [
        ({"messages": [], "tools": [{}, {}], "user": "u"}, 2, "u"),
        ({"messages": [], "user": "u", "safety_identifier": "s"}, 0, "s"),
        ({"messages": [], "tools": {"a": 1}, "user": 3}, 0, ""),
    ],
)
def test_tools_and_end_user_are_read_for_the_record(
    body: dict[str, Any], tools: int, user: str
) -> None:
    envelope = request("/v1/chat/completions", msgspec.json.encode(body))
    chat = dialects.get("openai-chat")
    assert chat.tool_count(envelope) == tools
    assert chat.end_user(envelope) == user


def test_prompt_is_the_clients_own_json() -> None:
    envelope = request("/v1/chat/completions", b'{"messages": [ 1.0 ], "n":1}')
    assert dialects.get("openai-chat").prompt(envelope) == b"[ 1.0 ]"
    envelope = request("/v1/embeddings", b'{"input": "x"}')
    assert dialects.get("openai-embeddings").prompt(envelope) == b'"x"'
    assert dialects.get("passthrough").prompt(envelope) is None


def test_only_true_asks_for_a_stream_and_embeddings_never_do() -> None:
    chat, embeddings = dialects.get("openai-chat"), dialects.get("openai-embeddings")
    asked = request("/v1/x", b'{"messages":[],"input":"a","stream":true}')
    not_asked = request("/v1/x", b'{"messages":[],"stream":1}')
    assert chat.streams(asked)
    assert not chat.streams(not_asked)
    assert not embeddings.streams(asked)


def test_embeddings_usage_counts_input_alone() -> None:
    tap = dialects.get("openai-embeddings").tap()
    usage = b'{"prompt_tokens":8,"total_tokens":8}'
    tap.whole(b'{"model":"e","data":[{"embedding":[0.1]}],"usage":' + usage + b"}")
    assert tap.usage == Usage(input=8, total=8)
    assert tap.model == "e"
