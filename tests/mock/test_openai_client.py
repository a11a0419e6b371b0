"""OpenAI's own client against the mock provider: the fixtures are what it expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from .client import Served

ASK: list[Any] = [{"role": "user", "content": "What is a stream?"}]


def run(served: Served, work: Callable[[openai.OpenAI], Any]) -> Any:
    """Fires with what ``work`` returns, done in a thread."""

    def connected() -> Any:
        url = f"{served.url}/v1"
        with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            return work(client)

    return deferToThread(connected)


@pytest_twisted.ensureDeferred
async def test_chat_whole_and_streamed(served: Served) -> None:
    def whole(client: openai.OpenAI) -> Any:
        return client.chat.completions.create(model="mock", messages=ASK)

    def streamed(client: openai.OpenAI) -> Any:
        return list(
            client.chat.completions.create(
                model="mock",
                messages=ASK,
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    answer = await run(served, whole)
    chunks = await run(served, streamed)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == answer.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage == answer.usage


@pytest_twisted.ensureDeferred
async def test_tool_calls_are_put_together(served: Served) -> None:
    def work(client: openai.OpenAI) -> Any:
        with client.chat.completions.stream(model="mock-tools", messages=ASK) as stream:
            for _ in stream:
                pass
            return stream.get_final_completion()

    answer = await run(served, work)
    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert calls[0].function.arguments == '{"location":"Paris, France"}'
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest_twisted.ensureDeferred
async def test_the_other_endpoints(served: Served) -> None:
    def work(client: openai.OpenAI) -> Any:
        vectors = client.embeddings.create(model="mock", input=["a", "b", "a"]).data
        assert vectors[0].embedding == vectors[2].embedding != vectors[1].embedding
        assert len(vectors[0].embedding) == 16
        assert not client.moderations.create(input="a").results[0].flagged
        assert client.models.retrieve("mock").id == "mock"
        words = client.completions.create(model="mock-n3", prompt="a", stream=True)
        text = "".join(chunk.choices[0].text for chunk in words)
        answer = client.completions.create(model="mock-n3", prompt="a")
        assert answer.choices[0].text == text == "A stream is"
        return [model.id for model in client.models.list()]

    assert await run(served, work) == ["mock", "mock-d20", "mock-tools"]


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("mock-status400", openai.BadRequestError),
        ("mock-status401", openai.AuthenticationError),
        ("mock-status404", openai.NotFoundError),
        ("mock-status429-retry7", openai.RateLimitError),
        ("mock-status500", openai.InternalServerError),
        ("mock-rst0", openai.APIConnectionError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_of_their_class(
    model: str, error: type[openai.APIError], served: Served
) -> None:
    def work(client: openai.OpenAI) -> Any:
        with pytest.raises(error) as raised:
            client.chat.completions.create(model=model, messages=ASK)
        return raised.value

    raised = await run(served, work)
    if isinstance(raised, openai.RateLimitError):
        assert raised.response.headers["retry-after"] == "7"
