"""Anthropic's client for Vertex AI, answered by whichever provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anthropic
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from aigw.model.outcome import Outcome

from .conftest import Open
from .house import House
from .test_anthropic import ASKED
from .test_invoke import INVOKING, TOOL

Result = TypeVar("Result")

#: Those asked in Messages, in invoke and in openai-chat.
providers = pytest.mark.parametrize("provider", ["anthropic", "bedrock", "mistral"])


def use(provider: str) -> Any:
    return INVOKING if provider == "bedrock" else {"provider": provider}


async def using(
    here: House, call: Callable[[anthropic.AnthropicVertex], Result]
) -> Result:
    """What ``call`` returns when given a client, in a thread of its own."""

    def run() -> Result:
        with anthropic.AnthropicVertex(
            region="us-east1",
            project_id="p",
            access_token="token",
            base_url=f"http://127.0.0.1:{here.port}/v1",
            max_retries=0,
            timeout=10,
        ) as client:
            return call(client)

    return await deferToThread(run)


@providers
@pytest_twisted.ensureDeferred
async def test_a_raw_prediction_is_answered(house: Open, provider: str) -> None:
    here = house(**use(provider))
    message = await using(
        here,
        lambda c: c.messages.create(model="mock-n5", max_tokens=9, messages=ASKED),
    )
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 5
    record = await here.record()
    assert record.outcome is Outcome.COMPLETED
    assert (record.dialect, record.model) == ("vertex-raw-predict", "mock-n5")


@providers
@pytest_twisted.ensureDeferred
async def test_a_raw_prediction_is_streamed(house: Open, provider: str) -> None:
    here = house(**use(provider))

    def call(client: anthropic.AnthropicVertex) -> Any:
        with client.messages.stream(
            model="mock-tools", max_tokens=100, messages=ASKED, tools=[TOOL]
        ) as stream:
            return stream.get_final_message()

    message = await using(here, call)
    assert message.stop_reason == "tool_use"
    assert message.content[-1].type == "tool_use"
    record = await here.record()
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, True)


@providers
@pytest_twisted.ensureDeferred
async def test_errors_are_anthropics(house: Open, provider: str) -> None:
    here = house(**use(provider))

    def call(client: anthropic.AnthropicVertex) -> Any:
        # The traceback would hold the connection; so it ends here.
        try:
            return client.messages.create(
                model="mock-status429", max_tokens=9, messages=ASKED
            )
        except anthropic.APIStatusError as error:
            return type(error), error.body

    kind, body = await using(here, call)
    assert kind is anthropic.RateLimitError
    assert body["error"]["type"] == "rate_limit_error"
