"""What Amazon Bedrock is sent."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.errors import BadRequest
from aigw.model.instance import Endpoint
from aigw.model.outbound import Outbound
from aigw.model.outcome import Verdict
from aigw.providers import built_in

from .uses import CHAT, body_of, prepared

CONVERSE = b'{ "messages": [{"role":"user","content":[{"text":"hi"}]}] }'
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.claude-v1:0"
ENCODED = (
    b"arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2F"
    b"us.claude-v1%3A0"
)


def bedrock(body: bytes, *arguments: Any, **settings: Any) -> Outbound:
    settings.setdefault("provider_conf", {"region": "us-west-2"})
    return prepared("bedrock", body, *arguments, **settings)


@pytest.mark.parametrize("dialect", ["passthrough", "bedrock-converse"])
@pytest.mark.parametrize(
    ("operation", "streams"), [(b"converse", False), (b"converse-stream", True)]
)
def test_converse_keeps_its_bytes_and_names_the_model_in_one_segment(
    dialect: str, operation: bytes, streams: bool
) -> None:
    target = b"/model/us.claude-v1%3A0/" + operation
    outbound = bedrock(CONVERSE, target, dialect)
    assert outbound.origin.host == "bedrock-runtime.us-west-2.amazonaws.com"
    assert (outbound.method, outbound.target) == ("POST", target)
    assert outbound.body == CONVERSE
    assert outbound.stream is streams
    assert outbound.framing == ("aws-eventstream" if streams else "")
    assert outbound.model == "us.claude-v1:0"


@pytest.mark.parametrize("came", [b"us.claude:0", b"us.claude%3A0", b"us%2Eclaude%3a0"])
def test_the_model_is_encoded_once_however_it_came(came: bytes) -> None:
    outbound = bedrock(CONVERSE, b"/model/%s/converse" % came)
    assert outbound.target == b"/model/us.claude%3A0/converse"


def test_no_model_has_a_name_that_long() -> None:
    body = b'{"model": "%b", "messages": []}'
    assert bedrock(body % (b"m" * 2048), b"/v1/x", "bedrock-converse").model
    with pytest.raises(BadRequest, match="too long"):
        bedrock(body % (b"m" * 2049), b"/v1/x", "bedrock-converse")


def test_arns_are_one_segment() -> None:
    target = b"/model/x/converse"
    outbound = bedrock(CONVERSE, target, options={"model": ARN})
    assert outbound.target == b"/model/" + ENCODED + b"/converse"
    assert outbound.body == CONVERSE
    assert outbound.model == ARN
    again = bedrock(CONVERSE, b"/model/" + ENCODED + b"/converse")
    assert (again.target, again.model) == (outbound.target, ARN)


def test_stream_and_model_are_only_ways_to_ask() -> None:
    body = b'{"model":"m:0","messages":[],"stream":true}'
    outbound = bedrock(body, b"/model/n/converse")
    assert outbound.target == b"/model/n/converse-stream"
    assert body_of(outbound) == {"messages": []}
    other = bedrock(body, dialect="bedrock-converse")
    assert other.target == b"/model/m%3A0/converse-stream"
    plain = bedrock(body, dialect="bedrock-converse", options={"stream": False})
    assert plain.target == b"/model/m%3A0/converse"


def test_a_conversions_path_is_filled_in_from_the_body() -> None:
    path = built_in()["bedrock"].dialects["bedrock-converse"].encode()
    body = b'{"model":"m:0","messages":[],"stream":true}'
    outbound = bedrock(body, path, "bedrock-converse")
    assert outbound.target == b"/model/m%3A0/converse-stream"
    assert outbound.model == "m:0"


def test_the_cap_stands_in_inference_config() -> None:
    target = b"/model/m/converse"
    outbound = bedrock(CONVERSE, target, max_tokens=5)
    assert body_of(outbound)["inferenceConfig"] == {"maxTokens": 5}
    body = b'{"messages":[],"inferenceConfig":{"maxTokens":9,"topP":1.0}}'
    outbound = bedrock(body, target, max_tokens=5)
    assert outbound.body == (
        b'{"messages":[],"inferenceConfig":{"maxTokens":5,"topP":1.0}}'
    )


@pytest.mark.parametrize(
    ("operation", "streams"),
    [(b"invoke", False), (b"invoke-with-response-stream", True)],
)
def test_invoke_keeps_the_models_own_body(operation: bytes, streams: bool) -> None:
    body = b'{"anthropic_version":"bedrock-2023-05-31","messages":[],"max_tokens":9}'
    target = b"/model/m/" + operation
    outbound = bedrock(body, target, max_tokens=5)
    assert (outbound.target, outbound.body) == (target, body)
    assert outbound.stream is streams


def test_an_endpoints_own_path_says_itself_whether_it_streams() -> None:
    path = "/model/arn%3Aaws%2Fx/converse-stream"
    endpoint = Endpoint("https", "h", 443, path)
    outbound = bedrock(CONVERSE, b"/model/m/converse", endpoint=endpoint)
    assert outbound.target == path.encode()
    assert outbound.stream


def test_other_operations_are_passed_through() -> None:
    target = b"/guardrail/g/version/1/apply"
    outbound = bedrock(b'{"source":"INPUT"}', target)
    assert (outbound.target, outbound.body) == (target, b'{"source":"INPUT"}')


def test_without_a_model_there_is_no_path() -> None:
    with pytest.raises(BadRequest, match="could not resolve upstream path"):
        bedrock(b'{"messages":[]}', dialect="bedrock-converse")
    with pytest.raises(BadRequest, match="could not resolve upstream host"):
        bedrock(CHAT, dialect="bedrock-converse", provider_conf={})


@pytest.mark.parametrize(
    ("status", "headers", "body", "verdict"),
    [
        (400, b"ThrottlingException:http://x/", None, Verdict.THROTTLED),
        (429, b"ThrottlingException", b"{}", Verdict.THROTTLED),
        (429, b"ModelNotReadyException", b"{}", Verdict.OVERLOADED),
        (424, b"ModelErrorException", b"{}", Verdict.BROKEN),
        (403, b"ExpiredTokenException", b"{}", Verdict.REFUSED),
        (400, b"ValidationException", b'{"message":"m"}', Verdict.REJECTED),
        (400, None, b'{"__type":"a.b#ThrottlingException"}', Verdict.THROTTLED),
        (503, None, None, Verdict.OVERLOADED),
    ],
)
def test_errors_are_judged_by_their_type(
    status: int, headers: bytes | None, body: bytes | None, verdict: Verdict
) -> None:
    fields = [(b"x-amzn-errortype", headers)] if headers else []
    assert built_in()["bedrock"].judge(status, fields, body).verdict is verdict


# -- invoke, with bodies of Anthropic's models


def test_a_conversions_messages_are_invoked() -> None:
    path = built_in()["bedrock"].dialects["bedrock-invoke"].encode()
    body = (
        b'{"model":"m:0","max_tokens":9,"messages":[],"stream":%b,'
        b'"anthropic_version":"bedrock-2023-05-31"}'
    )
    plain = bedrock(body % b"false", path, "bedrock-invoke", max_tokens=5)
    assert plain.target == b"/model/m%3A0/invoke"
    assert body_of(plain) == {
        "max_tokens": 5,
        "messages": [],
        "anthropic_version": "bedrock-2023-05-31",
    }
    assert not plain.stream
    stream = bedrock(body % b"true", path, "bedrock-invoke")
    assert stream.target == b"/model/m%3A0/invoke-with-response-stream"
    assert (stream.stream, stream.framing) == (True, "aws-eventstream")
    assert stream.model == "m:0"


def test_anthropics_bodies_are_capped_and_others_left_alone() -> None:
    target = b"/model/m/invoke"
    claude = b'{"anthropic_version":"v","messages":[],"max_tokens":9}'
    capped = bedrock(claude, target, "bedrock-invoke", max_tokens=5)
    assert body_of(capped)["max_tokens"] == 5
    other = b'{"inputText":"hi","max_tokens":9}'
    kept = bedrock(other, target, "bedrock-invoke", max_tokens=5)
    assert kept.body == other
