"""
Messages in Bedrock's envelope: boto3 and Anthropic's client for Bedrock invoke models
of whichever provider, and clients that know nothing of it invoke those of Bedrock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import anthropic
import openai
import pytest
import pytest_twisted
from botocore.exceptions import ClientError, EventStreamError
from twisted.internet.threads import deferToThread

from aigw.model.outcome import Outcome

from . import test_anthropic, test_bedrock, test_openai
from .client import post
from .conftest import Open
from .house import House
from .test_bedrock import SIGNED, verified

Result = TypeVar("Result")

INVOKING: Any = {
    **SIGNED,
    "provider_conf": {**SIGNED["provider_conf"], "dialect": "bedrock-invoke"},
}
BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "What is a stream?"}],
}
TOOL: Any = {
    "name": "get_weather",
    "description": "d",
    "input_schema": {"type": "object", "properties": {}},
}
#: Those asked in invoke, in Messages, in openai-chat and in Converse.
providers = pytest.mark.parametrize(
    "provider", ["bedrock", "anthropic", "mistral", "converse"]
)


def use(provider: str) -> Any:
    if provider in ("bedrock", "converse"):
        conf = dict(SIGNED["provider_conf"])
        if provider == "converse":
            conf["dialect"] = "bedrock-converse"
        return {**SIGNED, "provider_conf": conf}
    return {"provider": provider}


def invoked(client: Any, model: str, **more: Any) -> Any:
    answer = client.invoke_model(modelId=model, body=json.dumps({**BODY, **more}))
    with answer["body"] as body:
        return json.loads(body.read())


def streamed(client: Any, model: str, **more: Any) -> list[Any]:
    body = json.dumps({**BODY, **more})
    answer = client.invoke_model_with_response_stream(modelId=model, body=body)
    try:
        return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    finally:
        answer["body"].close()


async def from_bedrock(
    here: House, call: Callable[[anthropic.AnthropicBedrock], Result]
) -> Result:
    """What ``call`` returns when given Anthropic's own client for Bedrock."""

    def run() -> Result:
        with anthropic.AnthropicBedrock(
            aws_access_key="dummy",
            aws_secret_key="dummy",
            aws_region="us-east-1",
            base_url=f"http://127.0.0.1:{here.port}",
            max_retries=0,
            timeout=10,
        ) as client:
            return call(client)

    return await deferToThread(run)


# -- boto3


@providers
@pytest_twisted.ensureDeferred
async def test_a_model_is_invoked(house: Open, provider: str) -> None:
    here = house(**use(provider))
    answer = await test_bedrock.using(here, lambda c: invoked(c, "mock-n5"))
    assert answer["type"] == "message"
    assert answer["content"][0]["text"]
    assert answer["usage"]["output_tokens"] == 5
    record = await here.record()
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "bedrock-invoke")
    assert record.model == "mock-n5"
    assert record.usage is not None
    assert record.usage.output == 5


@providers
@pytest_twisted.ensureDeferred
async def test_a_model_is_invoked_with_a_stream(house: Open, provider: str) -> None:
    here = house(**use(provider))
    events = await test_bedrock.using(here, lambda c: streamed(c, "mock-n7-d5"))
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_delta") == 7
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["outputTokenCount"] == 7
    record = await here.record()
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, True)
    assert record.usage is not None
    assert record.usage.output == 7


@providers
@pytest_twisted.ensureDeferred
async def test_an_error_has_bedrocks_name(house: Open, provider: str) -> None:
    here = house(**use(provider))

    def call(client: Any) -> Any:
        # The traceback would hold the connection; so it ends here.
        try:
            return invoked(client, "mock-status429")
        except ClientError as error:
            return error.response

    error = await test_bedrock.using(here, call)
    assert error["Error"]["Code"] == "ThrottlingException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429


@providers
@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_an_exception(house: Open, provider: str) -> None:
    here = house(**use(provider))

    def call(client: Any) -> str:
        try:
            return str(streamed(client, "mock-n7-d5-error3"))
        except EventStreamError as error:
            return str(error.response["Error"]["Code"])

    assert (await test_bedrock.using(here, call)).endswith("Exception")
    assert (await here.record()).outcome is Outcome.FAILED


@pytest_twisted.ensureDeferred
async def test_chunks_are_relayed_byte_for_byte(house: Open) -> None:
    here = house(**SIGNED)
    body = json.dumps(BODY).encode()
    target = "/model/mock-tools/invoke-with-response-stream"
    client = await here.ask(post(body, path=target))
    answer = await client.ended()
    assert answer.headers[b"content-type"] == b"application/vnd.amazon.eventstream"
    seen = await here.seen()
    assert answer.body == bytes(seen.sent)
    assert seen.body == body
    verified(seen)


# -- Anthropic's client for Bedrock


@providers
@pytest_twisted.ensureDeferred
async def test_anthropics_client_for_bedrock_streams(
    house: Open, provider: str
) -> None:
    here = house(**use(provider))

    def call(client: anthropic.AnthropicBedrock) -> Any:
        with client.messages.stream(
            model="mock-tools",
            max_tokens=100,
            messages=test_anthropic.ASKED,
            tools=[TOOL],
        ) as stream:
            return stream.get_final_message()

    message = await from_bedrock(here, call)
    assert message.stop_reason == "tool_use"
    assert [block.type for block in message.content][-1] == "tool_use"
    assert (await here.record()).outcome is Outcome.COMPLETED


# -- clients that know nothing of Bedrock


@pytest.mark.parametrize("model", ["mock-n7-d5", "mock-tools", "mock-thinking"])
@pytest_twisted.ensureDeferred
async def test_anthropics_client_invokes_models(house: Open, model: str) -> None:
    here = house(**INVOKING)

    def call(client: anthropic.Anthropic) -> Any:
        with client.messages.stream(
            model=model,
            max_tokens=100,
            messages=test_anthropic.ASKED,
            tools=[TOOL],
            extra_headers={"anthropic-beta": "a-1,b-2"},
        ) as stream:
            return stream.get_final_message()

    message = await test_anthropic.using(here, call)
    assert message.content
    assert message.usage.output_tokens
    seen = await here.seen()
    target = f"POST /model/{model}/invoke-with-response-stream HTTP/1.1"
    assert seen.line == target.encode()
    body = json.loads(seen.body)
    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert body["anthropic_beta"] == ["a-1", "b-2"]
    verified(seen)
    assert (await here.record()).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, anthropic.RateLimitError), (400, anthropic.BadRequestError)],
)
@pytest_twisted.ensureDeferred
async def test_anthropics_client_knows_bedrocks_errors(
    house: Open, status: int, error: type[anthropic.APIStatusError]
) -> None:
    here = house(**INVOKING)

    def call(client: anthropic.Anthropic) -> Any:
        try:
            return client.messages.create(
                model=f"mock-status{status}",
                max_tokens=9,
                messages=test_anthropic.ASKED,
            )
        except anthropic.APIStatusError as raised:
            return type(raised), raised.type

    kind, word = await test_anthropic.using(here, call)
    assert kind is error
    assert word in ("rate_limit_error", "invalid_request_error")


@pytest_twisted.ensureDeferred
async def test_openais_client_invokes_models(house: Open) -> None:
    here = house(**INVOKING)

    def call(client: openai.OpenAI) -> Any:
        return list(
            client.chat.completions.create(
                model="mock-n5",
                messages=test_openai.ASKED,
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    chunks = await test_openai.using(here, call)
    said = [
        chunk.choices[0].delta.content
        for chunk in chunks
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(said) == 5
    assert chunks[-1].usage.completion_tokens == 5
    seen = await here.seen()
    assert seen.line.startswith(b"POST /model/mock-n5/invoke-with-response-stream ")
