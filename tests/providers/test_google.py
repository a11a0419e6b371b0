"""What the Gemini API and Vertex AI are sent."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.errors import BadRequest
from aigw.model.instance import Endpoint, Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Verdict
from aigw.providers import built_in

from .uses import CHAT, STREAM, body_of, prepared

NATIVE = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
PLACE = {"project_id": "my-project", "region": "europe-west1"}
BELOW = b"/projects/my-project/locations/europe-west1/publishers/"


def vertex(body: bytes = CHAT, *arguments: Any, **settings: Any) -> Outbound:
    settings.setdefault("provider_conf", PLACE)
    return prepared("vertex-ai", body, *arguments, **settings)


# -- the Gemini API


@pytest.mark.parametrize("dialect", ["passthrough", "gemini"])
@pytest.mark.parametrize(
    ("target", "streams"),
    [
        (b"/v1beta/models/gemini-2.5-pro:generateContent", False),
        (b"/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", True),
        (b"/v1/models/gemini-2.5-pro:countTokens", False),
        (b"/v1beta/tunedModels/my-model:generateContent", False),
    ],
)
def test_native_calls_keep_bytes_path_and_query(
    dialect: str, target: bytes, streams: bool
) -> None:
    outbound = prepared("gemini", NATIVE, target, dialect)
    assert (outbound.method, outbound.target) == ("POST", target)
    assert outbound.body == NATIVE
    assert outbound.stream is streams
    assert outbound.model in ("gemini-2.5-pro", "my-model")


def test_the_configured_model_replaces_the_one_in_the_path() -> None:
    target = b"/v1beta/models/other:generateContent"
    outbound = prepared("gemini", NATIVE, target, options={"model": "mine"})
    assert outbound.target == b"/v1beta/models/mine:generateContent"
    assert outbound.body == NATIVE
    assert outbound.model == "mine"


def test_a_path_that_names_no_model_is_made_of_the_body() -> None:
    outbound = prepared("gemini", STREAM, b"/v1/chat/completions?x=1", "gemini")
    assert outbound.target == b"/v1beta/models/m:streamGenerateContent?alt=sse"
    assert body_of(outbound) == {"messages": []}
    plain = prepared("gemini", CHAT, dialect="gemini")
    assert plain.target == b"/v1beta/models/m:generateContent"


@pytest.mark.parametrize("provider", ["gemini", "vertex-ai"])
@pytest.mark.parametrize(
    ("body", "verb"),
    [(CHAT, b":generateContent"), (STREAM, b":streamGenerateContent?alt=sse")],
)
def test_a_conversions_path_is_filled_in_from_the_body(
    provider: str, body: bytes, verb: bytes
) -> None:
    path = built_in()[provider].dialects["gemini"].encode()
    outbound = prepared(provider, body, path, "gemini", provider_conf=PLACE)
    assert outbound.target.endswith(b"/models/m" + verb)
    assert outbound.model == "m"


def test_the_cap_stands_in_generation_config() -> None:
    body = b'{"contents":[],"generationConfig":{"topK":3,"maxOutputTokens":9}}'
    target = b"/v1beta/models/m:generateContent"
    outbound = prepared("gemini", body, target, max_tokens=5)
    assert body_of(outbound)["generationConfig"] == {"topK": 3, "maxOutputTokens": 5}
    counted = prepared("gemini", body, b"/v1beta/models/m:countTokens", max_tokens=5)
    assert counted.body == body


def test_models_are_listed_where_the_client_looks() -> None:
    assert prepared("gemini", b"", b"/v1beta/models").target == b"/v1beta/models"
    assert prepared("gemini", b"", b"/v1/models").target == b"/v1beta/openai/models"


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_no_model_leads_out_of_its_place(name: str) -> None:
    with pytest.raises(BadRequest, match="could not resolve upstream path"):
        prepared(
            "gemini",
            b'{"model":"%s","messages":[]}' % name.encode(),
            dialect="gemini",
        )


# -- Vertex AI


def test_vertex_is_asked_in_its_region() -> None:
    outbound = vertex(dialect="openai-chat")
    assert outbound.origin.host == "europe-west1-aiplatform.googleapis.com"
    assert outbound.target == (
        b"/v1beta1/projects/my-project/locations/europe-west1"
        b"/endpoints/openapi/chat/completions"
    )
    assert outbound.body == CHAT


def test_global_is_a_region_without_a_host_of_its_own() -> None:
    place = {**PLACE, "region": "global"}
    outbound = vertex(dialect="openai-chat", provider_conf=place)
    assert outbound.origin.host == "aiplatform.googleapis.com"
    assert b"/locations/global/" in outbound.target


def test_predict_names_the_model_in_the_path() -> None:
    body = b'{"instances":[{"content":"x"}],"model":"text-embedding-005"}'
    outbound = vertex(body, b"/v1/embeddings", "vertex-predict")
    model = b"google/models/text-embedding-005:predict"
    assert outbound.target == b"/v1" + BELOW + model
    assert body_of(outbound) == {"instances": [{"content": "x"}]}


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        (b"/v1beta/models/g:generateContent", b"/v1beta1%sgoogle/models/g:"),
        (
            b"/v1/projects/other/locations/us/publishers/google/models/g:"
            b"generateContent",
            b"/v1%sgoogle/models/g:",
        ),
        (
            b"/v1beta1/projects/o/locations/us/publishers/mistralai/models/g:"
            b"generateContent",
            b"/v1beta1%smistralai/models/g:",
        ),
    ],
)
def test_native_calls_go_to_the_configured_project(came: bytes, goes: bytes) -> None:
    outbound = vertex(NATIVE, came)
    assert outbound.target == goes % BELOW + b"generateContent"
    assert outbound.body == NATIVE


def test_the_clients_project_serves_where_none_is_configured() -> None:
    came = b"/v1/projects/other/locations/us/publishers/google/models/g:countTokens"
    endpoint = Endpoint("https", "h", 443)
    outbound = vertex(NATIVE, came, provider_conf={}, endpoint=endpoint)
    assert outbound.target == came


@pytest.mark.parametrize("dialect", ["passthrough", "anthropic-messages"])
@pytest.mark.parametrize(
    ("body", "verb"), [(CHAT, b"rawPredict"), (STREAM, b"streamRawPredict")]
)
def test_messages_are_raw_predictions(dialect: str, body: bytes, verb: bytes) -> None:
    outbound = vertex(body, b"/v1/messages?beta=true", dialect)
    assert outbound.target == b"/v1" + BELOW + b"anthropic/models/m:" + verb
    sent = body_of(outbound)
    assert sent["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in sent
    assert outbound.stream is sent.get("stream", False) is (body == STREAM)
    assert outbound.model == "m"


def test_clients_of_vertex_send_raw_predictions_themselves() -> None:
    body = b'{"anthropic_version":"vertex-2023-10-16","messages":[],"stream":true}'
    came = b"/v1/projects/x/locations/y/publishers/anthropic/models/c%404:"
    outbound = vertex(body, came + b"streamRawPredict")
    goes = b"/v1" + BELOW + b"anthropic/models/c%404:streamRawPredict"
    assert (outbound.target, outbound.body) == (goes, body)
    assert outbound.stream
    assert outbound.model == "c@4"


@pytest.mark.parametrize(
    "came",
    [
        b"/v1/messages/count_tokens",
        b"/v1/projects/x/locations/y/publishers/anthropic/models/count-tokens:"
        b"rawPredict",
    ],
)
def test_tokens_are_counted_for_the_bodys_model(came: bytes) -> None:
    outbound = vertex(CHAT, came, options={"model": "claude"})
    assert outbound.target == b"/v1" + BELOW + b"anthropic/models/count-tokens:" + (
        b"rawPredict"
    )
    assert body_of(outbound)["model"] == "claude"


def test_without_project_or_model_there_is_no_path() -> None:
    with pytest.raises(BadRequest, match="could not resolve upstream path"):
        vertex(dialect="openai-chat", provider_conf={"region": "r"})
    with pytest.raises(BadRequest, match="could not resolve upstream path"):
        vertex(b'{"instances":[]}', b"/v1/embeddings", "vertex-predict")


def test_an_endpoints_own_path_needs_neither() -> None:
    endpoint = Endpoint("https", "h", 443, "/custom:predict")
    for dialect in ("openai-chat", "vertex-predict", "anthropic-messages"):
        outbound = vertex(
            b'{"a":1}', dialect=dialect, provider_conf={}, endpoint=endpoint
        )
        assert outbound.target == b"/custom:predict"


# -- what answers mean


@pytest.mark.parametrize(
    ("status", "error", "verdict", "wait"),
    [
        (
            429,
            b'{"status":"RESOURCE_EXHAUSTED","details":[{"@type":'
            b'"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}',
            Verdict.THROTTLED,
            34.5,
        ),
        (503, b'{"status":"UNAVAILABLE"}', Verdict.OVERLOADED, None),
        (400, b'{"status":"INVALID_ARGUMENT"}', Verdict.REJECTED, None),
        (
            400,
            b'{"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}',
            Verdict.REFUSED,
            None,
        ),
        (403, b'{"status":"PERMISSION_DENIED"}', Verdict.REFUSED, None),
        (200, b'{"code":429,"status":"RESOURCE_EXHAUSTED"}', Verdict.THROTTLED, None),
    ],
)
@pytest.mark.parametrize("form", [b'{"error":%s}', b'[{"error":%s}]'])
@pytest.mark.parametrize("provider", ["gemini", "vertex-ai"])
def test_googles_errors_are_understood(
    provider: str,
    form: bytes,
    status: int,
    error: bytes,
    verdict: Verdict,
    wait: float | None,
) -> None:
    judgement = built_in()[provider].judge(status, [], form % error)
    assert (judgement.verdict, judgement.retry_after) == (verdict, wait)


def test_claude_on_vertex_has_anthropics_errors() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error"}}'
    judgement = built_in()["vertex-ai"].judge(529, [], body)
    assert judgement.verdict is Verdict.OVERLOADED


# -- what conversions speak


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({}, "openai-chat"),
        ({"auth_headers": [(b"authorization", b"Bearer k")]}, "openai-chat"),
        ({"auth_headers": [(b"x-goog-api-key", b"k")]}, "gemini"),
        ({"auth_query": {"key": "k"}}, "gemini"),
        (
            {"auth_query": {"key": "k"}, "endpoint": Endpoint("http", "h", 80, "/p")},
            "openai-chat",
        ),
    ],
)
def test_the_key_tells_which_of_googles_apis_is_spoken(
    settings: dict[str, Any], first: str
) -> None:
    provider = built_in()["gemini"]
    spoken = provider.speaks(Instance("one", "gemini", **settings), "m")
    assert spoken[0] == first
    assert set(spoken) == set(provider.dialects)


@pytest.mark.parametrize(
    ("model", "first"),
    [
        ("claude-opus-4@20250514", "anthropic-messages"),
        ("gemini-2.5-pro", "gemini"),
        ("google/gemini-2.5-pro", "openai-chat"),
        ("meta/llama-4", "openai-chat"),
        ("", "openai-chat"),
    ],
)
def test_the_model_tells_what_vertex_is_asked_in(model: str, first: str) -> None:
    spoken = built_in()["vertex-ai"].speaks(Instance("one", "vertex-ai"), model)
    assert spoken[0] == first
    claude = first == "anthropic-messages"
    assert ("anthropic-messages" in spoken) is claude
    assert ("openai-chat" in spoken) is not claude


def test_an_endpoint_with_a_path_may_be_anything() -> None:
    fixed = Instance("one", "vertex-ai", endpoint=Endpoint("http", "h", 80, "/p"))
    provider = built_in()["vertex-ai"]
    assert list(provider.speaks(fixed, "claude-x")) == list(provider.dialects)


@pytest.mark.parametrize("provider", ["gemini", "vertex-ai"])
@pytest.mark.parametrize(
    ("query", "framing"),
    [(b"?alt=sse", ""), (b"?key=k&%24alt=sse", ""), (b"", "json"), (b"?alt=x", "json")],
)
def test_a_stream_that_is_one_json_array_is_told(
    provider: str, query: bytes, framing: str
) -> None:
    target = b"/v1beta/models/g:streamGenerateContent" + query
    outbound = prepared(provider, NATIVE, target, "gemini", provider_conf=PLACE)
    assert outbound.stream
    assert outbound.framing == framing


def test_raw_predictions_are_capped_and_named_by_the_path() -> None:
    came = b"/v1/projects/x/locations/y/publishers/anthropic/models/c:rawPredict"
    body = b'{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}'
    outbound = vertex(body, came, "vertex-raw-predict", max_tokens=5)
    assert outbound.target == b"/v1" + BELOW + b"anthropic/models/c:rawPredict"
    assert body_of(outbound)["max_tokens"] == 5
    short = b"/publishers/anthropic/models/c:streamRawPredict"
    streamed = vertex(body[:-1] + b',"stream":true}', short, "vertex-raw-predict")
    assert streamed.target.endswith(b"anthropic/models/c:streamRawPredict")
    assert streamed.stream
