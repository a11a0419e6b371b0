"""OpenAI's Responses, as the official client reads them."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai
import pytest
import pytest_twisted

from .client import Served, post
from .using import using_openai

ASKED = "What is a stream?"
PATH = "/v1/responses"
SHOWN: dict[str, Any] = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
}


def whole(client: openai.OpenAI, model: str, given: Any = ASKED) -> Any:
    return client.responses.create(model=model, input=given, **SHOWN)


def streamed(client: openai.OpenAI, model: str) -> list[Any]:
    return list(client.responses.create(model=model, input=ASKED, stream=True, **SHOWN))


def joined(events: list[Any]) -> list[Any]:
    """The items that the events between come to, without the last event's word."""
    items: list[Any] = []
    for event in events:
        held = event.to_dict()
        match event.type:
            case "response.output_item.added":
                items.append(held["item"])
            case "response.content_part.added":
                items[-1]["content"].append(held["part"])
            case "response.reasoning_summary_part.added":
                items[-1]["summary"].append(held["part"])
            case "response.output_text.delta":
                items[-1]["content"][-1]["text"] += event.delta
            case "response.output_text.annotation.added":
                items[-1]["content"][-1]["annotations"].append(held["annotation"])
            case "response.refusal.delta":
                items[-1]["content"][-1]["refusal"] += event.delta
            case "response.reasoning_summary_text.delta":
                items[-1]["summary"][-1]["text"] += event.delta
            case "response.function_call_arguments.delta":
                items[-1]["arguments"] += event.delta
            case "response.custom_tool_call_input.delta":
                items[-1]["input"] += event.delta
            case "response.output_item.done":
                if "status" in held["item"]:
                    items[-1]["status"] = held["item"]["status"]
                assert items[-1] == held["item"]
    return items


@pytest.mark.parametrize(
    ("model", "kinds", "end"),
    [
        ("mock", ["message"], "completed"),
        ("mock-n5", ["message"], "completed"),
        ("mock-n40-s300", ["message"], "completed"),
        ("mock-tool", ["function_call"], "completed"),
        ("mock-tools", ["function_call", "function_call"], "completed"),
        ("mock-thinking", ["reasoning", "message"], "completed"),
        (
            "mock-thinktools",
            ["reasoning", "function_call", "function_call"],
            "completed",
        ),
        ("mock-cached", ["message"], "completed"),
        ("mock-refusal", ["message"], "completed"),
        ("mock-filter", ["message"], "incomplete"),
        ("mock-length", ["message"], "incomplete"),
        ("mock-empty", [], "completed"),
        ("mock-failed", [], "failed"),
        ("mock-hosted", ["web_search_call", "message"], "completed"),
        ("mock-custom", ["custom_tool_call"], "completed"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_to_what_the_whole_answer_says(
    served: Served, model: str, kinds: list[str], end: str
) -> None:
    one = await using_openai(served, lambda client: whole(client, model))
    events = await using_openai(served, lambda client: streamed(client, model))
    assert [item.type for item in one.output] == kinds
    assert [event.sequence_number for event in events] == [*range(len(events))]
    assert [event.type for event in events[:2]] == [
        "response.created",
        "response.in_progress",
    ]
    assert events[-1].type == f"response.{end}"
    assert events[-1].response.to_dict() == one.to_dict()
    assert joined(events) == one.to_dict()["output"]
    if model == "mock-n40-s300":
        texts = [e.delta for e in events if e.type == "response.output_text.delta"]
        assert [int(text[:8]) for text in texts] == [*range(40)]


@pytest_twisted.ensureDeferred
async def test_an_event_has_the_size_that_is_asked_for(served: Served) -> None:
    body = {"model": "mock-n12-s300", "input": ASKED, "stream": True}
    got = await served.ask(post(PATH, body))
    deltas = [event for event in got.events if b"output_text.delta" in event]
    assert [len(event) + 2 for event in deltas] == [300] * 12


@pytest_twisted.ensureDeferred
async def test_the_settings_are_told_as_given(served: Served) -> None:
    tool = {"type": "function", "name": "f", "parameters": {}, "strict": True}
    settings: dict[str, Any] = {
        "instructions": "Be brief.",
        "max_output_tokens": 100,
        "metadata": {"a": "b"},
        "tools": [tool],
        "temperature": 0.5,
        "store": False,
    }
    body = {"model": "mock", "input": ASKED, **settings}
    answer = (await served.ask(post(PATH, body))).json
    assert {name: answer[name] for name in settings} == settings


@pytest_twisted.ensureDeferred
async def test_reasoning_is_told_only_to_who_asks(served: Served) -> None:
    body = {"model": "mock-thinking", "input": ASKED}
    answer = (await served.ask(post(PATH, body))).json
    assert answer["output"][0]["summary"] == []
    assert "encrypted_content" not in answer["output"][0]


@pytest_twisted.ensureDeferred
async def test_tokens_are_counted_and_an_answer_can_be_got_again(
    served: Served,
) -> None:
    def work(client: openai.OpenAI) -> Any:
        counted = client.responses.input_tokens.count(model="mock", input=ASKED)
        assert counted.input_tokens == 14
        first = client.responses.create(model="mock", input=ASKED)
        assert client.responses.retrieve(first.id).output_text == first.output_text
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve("resp_other")
        again = client.responses.create(
            model="mock", input="And?", previous_response_id=first.id
        )
        return again.previous_response_id == first.id

    assert await using_openai(served, work)


@pytest.mark.parametrize("model", ["mock-tools", "mock-thinktools"])
@pytest_twisted.ensureDeferred
async def test_calls_and_their_results_come_back(served: Served, model: str) -> None:
    def work(client: openai.OpenAI) -> Any:
        first = whole(client, model)
        results = [
            {
                "type": "function_call_output",
                "call_id": item.call_id,
                "output": f"result of {item.name}",
            }
            for item in first.output
            if item.type == "function_call"
        ]
        asked = {"role": "user", "content": ASKED}
        return whole(client, "mock", [asked, *first.output, *results]).output_text

    told = await using_openai(served, work)
    reasoned = "My reasoning came back as I sealed it. "
    assert told == (
        f"{reasoned * (model == 'mock-thinktools')}"
        "get_weather returned: result of get_weather "
        "get_time returned: result of get_time"
    )


@pytest_twisted.ensureDeferred
async def test_a_picture_is_told(served: Served) -> None:
    png = b"\x89PNG\r\n\x1a\n and so on"
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    part = {"type": "input_image", "image_url": url, "detail": "auto"}
    given = [{"role": "user", "content": [part]}]
    told = await using_openai(served, lambda client: whole(client, "mock", given))
    assert told.output_text == f"I was shown image/png of {len(png)} bytes."


CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
USER = {"role": "user", "content": ASKED}
REASONED = {"type": "reasoning", "summary": [], "id": "rs_1"}


def part(**held: Any) -> list[Any]:
    return [{"role": "user", "content": [held]}]


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ({"input": ASKED, "foo": 1}, "Unknown parameter: 'foo'", "unknown_parameter"),
        ({}, "required parameter: 'input'", "missing_required_parameter"),
        (
            {"input": ASKED, "max_output_tokens": 5},
            "Expected a value >= 16",
            "integer_below_min_value",
        ),
        (
            {"input": ASKED, "previous_response_id": "resp_x"},
            "'resp_x' not found",
            "previous_response_not_found",
        ),
        ({"input": [USER, CALL]}, "No tool output found for function call", None),
        ({"input": [USER, RESULT]}, "No tool call found for function call", None),
        (
            {"input": [USER, {**CALL, "id": "call_1"}, RESULT]},
            "begins with 'fc'",
            "invalid_value",
        ),
        (
            {"input": [USER, {**CALL, "call_id": "c" * 65}]},
            "string too long",
            "string_above_max_length",
        ),
        (
            {"input": [USER, {**CALL, "name": "a.b"}]},
            "does not match pattern",
            "invalid_value",
        ),
        (
            {"input": ASKED, "tools": [{"type": "function", "name": "a b"}]},
            "does not match pattern",
            "invalid_value",
        ),
        (
            {"input": [USER, {**REASONED, "encrypted_content": "gAAAother"}, CALL]},
            "could not be verified",
            "invalid_encrypted_content",
        ),
        ({"input": part(type="text", text="a")}, "Invalid value: 'text'", None),
        (
            {"input": part(type="input_image", image_url={"url": "https://x"})},
            "image_url",
            "missing_required_parameter",
        ),
        (
            {"input": part(type="input_image", image_url="data:image/png;base64,.")},
            "base64",
            "invalid_base64",
        ),
        (
            {"input": [{"role": "tool", "content": "a"}]},
            "Invalid value: 'tool'",
            "invalid_value",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_openai_refuses_is_refused(
    served: Served, body: Any, words: str, code: str | None
) -> None:
    got = await served.ask(post(PATH, {"model": "mock", **body}))
    assert got.status == 400
    error = got.json["error"]
    assert error["type"] == "invalid_request_error"
    assert words in error["message"]
    assert code is None or error["code"] == code


@pytest_twisted.ensureDeferred
async def test_reasoning_goes_with_what_followed_it(served: Served) -> None:
    first = (
        await served.ask(post(PATH, {"model": "mock-thinking", "input": "?"}))
    ).json
    body = {"model": "mock", "input": [USER, first["output"][0], USER]}
    got = await served.ask(post(PATH, body))
    assert got.status == 400
    assert "required following item" in got.json["error"]["message"]
    stranger = {"model": "mock", "input": [USER, REASONED, first["output"][1]]}
    assert (await served.ask(post(PATH, stranger))).status == 404


@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_told_as_an_event(served: Served) -> None:
    body = {"model": "mock-error4", "input": ASKED, "stream": True}
    got = await served.ask(post(PATH, body))
    name, data = got.events[-1].split(b"\ndata: ")
    assert name == b"event: error"
    assert json.loads(data)["sequence_number"] == 4
    with pytest.raises(openai.APIError):
        await using_openai(
            served, lambda client: _read(client, model="mock-error4", input=ASKED)
        )


def _read(client: openai.OpenAI, **asked: Any) -> None:
    with client.responses.stream(**asked) as stream:
        for event in stream:
            if event.type == "error":
                raise openai.APIError(event.message, request=None, body=None)  # type: ignore[arg-type]
