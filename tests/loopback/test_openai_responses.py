"""The official ``openai`` client speaks Responses to providers that do not."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
import pytest_twisted

from aigw.model.outcome import Outcome

from .conftest import Open
from .test_openai import using

ASKED = "What is a stream?"
TOOLS: Any = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
]

#: One that is spoken to in openai-chat, one in anthropic-messages.
providers = pytest.mark.parametrize("provider", ["mistral", "anthropic"])


@providers
@pytest_twisted.ensureDeferred
async def test_whole_answer(house: Open, provider: str) -> None:
    here = house(provider=provider)
    answer = await using(
        here, lambda client: client.responses.create(model="mock", input=ASKED)
    )
    assert answer.output_text
    assert answer.status == "completed"
    assert answer.usage is not None
    record = await here.record()
    assert record.usage is not None
    assert record.usage.output == answer.usage.output_tokens
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "openai-responses")


@providers
@pytest_twisted.ensureDeferred
async def test_streamed_answer(house: Open, provider: str) -> None:
    here = house(provider=provider)

    def call(client: openai.OpenAI) -> Any:
        with client.responses.stream(model="mock-n7-d5", input=ASKED) as stream:
            told = list(stream)
            return told, stream.get_final_response()

    told, final = await using(here, call)
    deltas = [one.delta for one in told if one.type == "response.output_text.delta"]
    assert len(deltas) == 7
    assert final.output_text == "".join(deltas)
    assert final.usage is not None
    assert [one.sequence_number for one in told] == list(range(len(told)))
    assert (await here.record()).outcome is Outcome.COMPLETED


@providers
@pytest_twisted.ensureDeferred
async def test_tool_calls_and_their_results(house: Open, provider: str) -> None:
    here = house(provider=provider)

    def call(client: openai.OpenAI) -> Any:
        with client.responses.stream(
            model="mock-tools", input=ASKED, tools=TOOLS
        ) as stream:
            told = list(stream)
            first = stream.get_final_response()
        calls = [one for one in first.output if one.type == "function_call"]
        turn: list[Any] = [{"role": "user", "content": ASKED}]
        turn += [one.model_dump(exclude_none=True) for one in first.output]
        turn += [
            {
                "type": "function_call_output",
                "call_id": one.call_id,
                "output": f"result of {one.call_id}",
            }
            for one in calls
        ]
        again = client.responses.create(model="mock", input=turn, tools=TOOLS)
        return told, calls, again

    told, calls, again = await using(here, call)
    assert calls
    for one in calls:
        assert isinstance(json.loads(one.arguments), dict)
    deltas = [
        one.delta
        for one in told
        if one.type == "response.function_call_arguments.delta"
    ]
    assert "".join(deltas) == "".join(one.arguments for one in calls)
    assert again.output_text
    sent = (await here.seen()).body.decode()
    for one in calls:
        assert f"result of {one.call_id}" in sent


@pytest_twisted.ensureDeferred
async def test_signed_reasoning_comes_back_to_its_vendor(house: Open) -> None:
    here = house(provider="anthropic")

    def call(client: openai.OpenAI) -> Any:
        with client.responses.stream(
            model="mock-thinking", input=ASKED, reasoning={"effort": "low"}
        ) as stream:
            list(stream)
            first = stream.get_final_response()
        turn: list[Any] = [{"role": "user", "content": ASKED}]
        turn += [one.model_dump(exclude_none=True) for one in first.output]
        turn.append({"role": "user", "content": "And then?"})
        client.responses.create(model="mock", input=turn, reasoning={"effort": "low"})
        return first

    first = await using(here, call)
    (thought,) = [one for one in first.output if one.type == "reasoning"]
    assert thought.summary[0].text
    marked = thought.encrypted_content
    assert marked.startswith("aigw.signed.anthropic.")
    body = json.loads((await here.seen()).body)
    block = body["messages"][1]["content"][0]
    assert block["type"] == "thinking"
    assert block["thinking"] == thought.summary[0].text
    assert block["signature"] == marked.removeprefix("aigw.signed.anthropic.")


@providers
@pytest_twisted.ensureDeferred
async def test_error_in_a_stream_is_raised(house: Open, provider: str) -> None:
    here = house(provider=provider)

    def call(client: openai.OpenAI) -> Any:
        told = []
        try:
            for one in client.responses.create(
                model="mock-n7-d20-error5", input=ASKED, stream=True
            ):
                told.append(one.type)
        except openai.APIError as error:
            return told, error
        return told, None

    told, error = await using(here, call)
    assert "response.created" in told
    assert "response.completed" not in told
    assert error is not None
    assert error.message


@providers
@pytest_twisted.ensureDeferred
async def test_state_that_openai_keeps_is_refused_by_name(
    house: Open, provider: str
) -> None:
    here = house(provider=provider)

    def call(client: openai.OpenAI) -> Any:
        with pytest.raises(openai.BadRequestError) as raised:
            client.responses.create(
                model="mock", input=ASKED, previous_response_id="resp_1"
            )
        return raised.value.message

    assert "previous_response_id cannot be sent" in await using(here, call)
    assert not here.mock.requests
