"""Anthropic's Messages, as the official client reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import anthropic
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from .client import Served, post

Result = TypeVar("Result")

ASKED: Any = [{"role": "user", "content": "What is a stream?"}]


async def using(
    served: Served, call: Callable[[anthropic.Anthropic], Result]
) -> Result:
    """What ``call`` returns when given a client, in a thread of its own."""

    def run() -> Result:
        with anthropic.Anthropic(
            api_key="sk-ant",
            base_url=f"http://127.0.0.1:{served.port}",
            max_retries=0,
            timeout=10,
        ) as client:
            return call(client)

    return await deferToThread(run)


def streamed(client: anthropic.Anthropic, model: str) -> anthropic.types.Message:
    with client.messages.stream(model=model, max_tokens=100, messages=ASKED) as stream:
        return stream.get_final_message()


def whole(client: anthropic.Anthropic, model: str) -> anthropic.types.Message:
    return client.messages.create(model=model, max_tokens=100, messages=ASKED)


@pytest.mark.parametrize(
    ("model", "kinds", "stop"),
    [
        ("mock", ["text"], "end_turn"),
        ("mock-n5", ["text"], "end_turn"),
        ("mock-tools", ["text", "tool_use", "tool_use"], "tool_use"),
        ("mock-thinking", ["thinking", "text"], "end_turn"),
        ("mock-cached", ["text"], "end_turn"),
        ("mock-tool", ["tool_use"], "tool_use"),
        ("mock-thinktools", ["thinking", "tool_use", "tool_use"], "tool_use"),
        ("mock-redacted", ["redacted_thinking", "text"], "end_turn"),
        ("mock-refusal", ["text"], "refusal"),
        ("mock-length", ["text"], "max_tokens"),
        ("mock-stopped", ["text"], "stop_sequence"),
        ("mock-empty", [], "end_turn"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_to_what_the_whole_answer_says(
    served: Served, model: str, kinds: list[str], stop: str
) -> None:
    one = await using(served, lambda client: whole(client, model))
    other = await using(served, lambda client: streamed(client, model))
    assert [block.type for block in one.content] == kinds
    assert one.stop_reason == stop

    def told(message: anthropic.types.Message) -> Any:
        return message.model_dump(exclude_none=True)

    assert told(other) == told(one)
    if model == "mock-n5":
        assert one.usage.output_tokens == 5


@pytest_twisted.ensureDeferred
async def test_models_are_listed(served: Served) -> None:
    def work(client: anthropic.Anthropic) -> Any:
        assert client.models.retrieve("mock-tools").id == "mock-tools"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("other")
        return [model.id for model in client.models.list()]

    assert await using(served, work) == ["mock", "mock-d20", "mock-tools"]


@pytest_twisted.ensureDeferred
async def test_tokens_are_counted(served: Served) -> None:
    counted = await using(
        served,
        lambda client: client.messages.count_tokens(model="mock", messages=ASKED),
    )
    assert counted.input_tokens == 14


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_the_vendors(
    served: Served, status: int, error: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(error) as refused:
        await using(served, lambda client: whole(client, f"mock-status{status}"))
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["type"] == "error"


@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_told_as_an_event(served: Served) -> None:
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        await using(served, lambda client: streamed(client, "mock-error3"))


@pytest_twisted.ensureDeferred
async def test_a_request_without_a_version_is_refused(served: Served) -> None:
    body = json.dumps({"model": "m", "max_tokens": 1, "messages": []}).encode()
    got = await served.ask(post("/v1/messages", body))
    assert got.status == 400
    assert b"anthropic-version" in got.body
