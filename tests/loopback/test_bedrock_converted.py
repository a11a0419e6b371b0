"""
boto3 asks providers that know nothing of Bedrock, and clients that know nothing of it
ask Bedrock.
"""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest
import pytest_twisted
from botocore.exceptions import ClientError

from aigw.model.outcome import Outcome

from . import test_anthropic, test_openai
from .conftest import Open
from .test_bedrock import ASKED, SIGNED, using, verified

#: One that is spoken to in openai-chat, one in anthropic-messages.
providers = pytest.mark.parametrize("provider", ["mistral", "anthropic"])

TOOLS: Any = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "inputSchema": {"json": {"type": "object", "properties": {}}},
            }
        }
    ]
}


def told(client: Any, **more: Any) -> list[tuple[str, Any]]:
    stream = client.converse_stream(messages=ASKED, **more)["stream"]
    try:
        return [next(iter(event.items())) for event in stream]
    finally:
        stream.close()


# -- boto3, asking others


@providers
@pytest_twisted.ensureDeferred
async def test_whole_answer(house: Open, provider: str) -> None:
    here = house(provider=provider)
    answer = await using(here, lambda c: c.converse(modelId="mock", messages=ASKED))
    assert answer["output"]["message"]["content"][0]["text"]
    assert answer["stopReason"] == "end_turn"
    record = await here.record()
    assert record.usage is not None
    assert record.usage.output == answer["usage"]["outputTokens"]
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "bedrock-converse")
    assert (record.request_model, record.model) == ("mock", "mock")


@providers
@pytest_twisted.ensureDeferred
async def test_streamed_answer(house: Open, provider: str) -> None:
    here = house(provider=provider)
    events = await using(here, lambda c: told(c, modelId="mock-n7-d5"))
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "messageStart"
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert kinds.count("contentBlockDelta") == 7
    usage = events[-1][1]["usage"]
    assert usage["outputTokens"] == 7
    assert b'"stream":true' in (await here.seen()).body
    record = await here.record()
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, True)
    assert record.usage is not None
    assert record.usage.output == 7


@providers
@pytest_twisted.ensureDeferred
async def test_tool_call_with_streamed_arguments(house: Open, provider: str) -> None:
    here = house(provider=provider)
    events = await using(
        here, lambda c: told(c, modelId="mock-tools", toolConfig=TOOLS)
    )
    starts = [event["start"] for kind, event in events if kind == "contentBlockStart"]
    assert starts[0]["toolUse"]["name"]
    assert starts[0]["toolUse"]["toolUseId"]
    pieces = [
        event["delta"]["toolUse"]["input"]
        for kind, event in events
        if kind == "contentBlockDelta" and "toolUse" in event["delta"]
    ]
    assert "".join(pieces).startswith("{")
    stops = [event["stopReason"] for kind, event in events if kind == "messageStop"]
    assert stops == ["tool_use"]


@providers
@pytest_twisted.ensureDeferred
async def test_errors_have_bedrocks_names(house: Open, provider: str) -> None:
    here = house(provider=provider)

    def call(client: Any) -> Any:
        # The traceback would hold the connection; so it ends here.
        try:
            return client.converse(modelId="mock-status429", messages=ASKED)
        except ClientError as error:
            return error.response

    error = await using(here, call)
    assert error["Error"]["Code"] == "ThrottlingException"
    assert error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429


@providers
@pytest_twisted.ensureDeferred
async def test_error_in_a_stream_is_an_exception(house: Open, provider: str) -> None:
    here = house(provider=provider)

    def call(client: Any) -> Any:
        try:
            return told(client, modelId="mock-n7-d5-error3")
        except ClientError as error:
            return error.response["Error"]

    error = await using(here, call)
    assert error["Code"].endswith("Exception")
    record = await here.record()
    assert record.outcome is Outcome.FAILED


@pytest_twisted.ensureDeferred
async def test_guardrails_are_refused_where_there_are_none(house: Open) -> None:
    here = house(provider="mistral")
    guard = {"guardrailIdentifier": "g1", "guardrailVersion": "1"}

    def call(client: Any) -> Any:
        try:
            return client.converse(
                modelId="mock", messages=ASKED, guardrailConfig=guard
            )
        except ClientError as error:
            return error.response["Error"]

    error = await using(here, call)
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("guardrailConfig cannot be sent")


# -- others, asking Bedrock


@pytest_twisted.ensureDeferred
async def test_openais_client_streams_from_bedrock(house: Open) -> None:
    here = house(**SIGNED)

    def call(client: openai.OpenAI) -> Any:
        return list(
            client.chat.completions.create(
                model="us.mock-n5:0",
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
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].id.startswith("chatcmpl-")
    seen = await here.seen()
    assert seen.line == b"POST /model/us.mock-n5%3A0/converse-stream HTTP/1.1"
    assert b'"stream"' not in seen.body
    assert b'"model"' not in seen.body
    verified(seen)


@pytest_twisted.ensureDeferred
async def test_anthropics_client_calls_a_tool_at_bedrock(house: Open) -> None:
    here = house(**SIGNED)

    def call(client: anthropic.Anthropic) -> Any:
        with client.messages.stream(
            model="mock-tools",
            max_tokens=100,
            messages=test_anthropic.ASKED,
            tools=[{"name": "get_weather", "input_schema": {"type": "object"}}],
        ) as stream:
            return stream.get_final_message()

    message = await test_anthropic.using(here, call)
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if block.type == "tool_use"]
    assert calls
    assert all(isinstance(block.input, dict) for block in calls)
    assert message.usage.input_tokens > 0
    assert message.id.startswith("msg_")
    verified(await here.seen())


@pytest.mark.parametrize(
    ("status", "raised"), [(429, openai.RateLimitError), (400, openai.BadRequestError)]
)
@pytest_twisted.ensureDeferred
async def test_bedrocks_errors_are_the_clients_own(
    house: Open, status: int, raised: type[Exception]
) -> None:
    here = house(**SIGNED)

    def call(client: openai.OpenAI) -> Any:
        try:
            return client.chat.completions.create(
                model=f"mock-status{status}", messages=test_openai.ASKED
            )
        except openai.APIStatusError as error:
            return type(error), error.status_code

    assert await test_openai.using(here, call) == (raised, status)
