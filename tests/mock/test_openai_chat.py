"""Every script of chat completions, and what OpenAI refuses of a request."""

from __future__ import annotations

import base64
from typing import Any

import openai
import pytest
import pytest_twisted

from .client import CHAT, Served, post
from .using import using_openai

USER = {"role": "user", "content": "What is a stream?"}
PNG = b"\x89PNG\r\n\x1a\n and so on"


def whole(
    client: openai.OpenAI, model: str, messages: Any = (USER,), **more: Any
) -> Any:
    return client.chat.completions.create(model=model, messages=list(messages), **more)


def streamed(client: openai.OpenAI, model: str) -> list[Any]:
    options: Any = {"include_usage": True}
    messages: Any = [USER]
    return list(
        client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options=options
        )
    )


def joined(chunks: list[Any], index: int) -> dict[str, Any]:
    """What the chunks of one choice come to."""
    told: dict[str, Any] = {"finish": [], "calls": []}
    for choice in (one for chunk in chunks for one in chunk.choices):
        if choice.index != index:
            continue
        if choice.finish_reason:
            told["finish"].append(choice.finish_reason)
        delta = choice.delta.to_dict()
        for detail in delta.get("reasoning_details", ()):
            held = told.setdefault("details", {}).setdefault(detail["index"], {})
            text = held.get("text", "") + detail.get("text", "")
            held.update({**detail, "text": text})
        for name in ("content", "refusal", "reasoning_content", "reasoning"):
            if delta.get(name):
                told[name] = told.get(name, "") + delta[name]
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                told["calls"].append([call["id"], call["function"]["name"], ""])
            told["calls"][call["index"]][2] += call["function"]["arguments"]
    return told


@pytest.mark.parametrize(
    ("model", "finish"),
    [
        ("mock", "stop"),
        ("mock-tool", "tool_calls"),
        ("mock-tools", "tool_calls"),
        ("mock-thinking", "stop"),
        ("mock-thinktools", "tool_calls"),
        ("mock-signed", "tool_calls"),
        ("mock-cached", "stop"),
        ("mock-refusal", "stop"),
        ("mock-filter", "content_filter"),
        ("mock-length", "length"),
        ("mock-empty", "stop"),
        ("mock-choices", "stop"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_to_what_the_whole_answer_says(
    served: Served, model: str, finish: str
) -> None:
    one = await using_openai(served, lambda client: whole(client, model))
    chunks = await using_openai(served, lambda client: streamed(client, model))
    assert len(one.choices) == (2 if model == "mock-choices" else 1)
    for choice in one.choices:
        message = choice.message.to_dict()
        told: dict[str, Any] = {
            "finish": [finish],
            "calls": [
                [call["id"], call["function"]["name"], call["function"]["arguments"]]
                for call in message.get("tool_calls", ())
            ],
        }
        if message.get("reasoning_details"):
            told["details"] = dict(enumerate(message["reasoning_details"]))
        for name in ("content", "refusal", "reasoning_content", "reasoning"):
            if message.get(name):
                told[name] = message[name]
        assert joined(chunks, choice.index) == told
        assert choice.finish_reason == finish
    assert chunks[-1].usage == one.usage
    assert one.usage.total_tokens == (
        one.usage.prompt_tokens + one.usage.completion_tokens
    )


@pytest_twisted.ensureDeferred
async def test_as_many_choices_come_as_are_asked_for(served: Served) -> None:
    answer = await using_openai(served, lambda client: whole(client, "mock", n=3))
    assert [choice.index for choice in answer.choices] == [0, 1, 2]


@pytest_twisted.ensureDeferred
async def test_the_answer_tells_results_and_pictures(served: Served) -> None:
    def work(client: openai.OpenAI) -> Any:
        first = whole(client, "mock-tools").choices[0].message
        results = [
            {
                "role": "tool",
                "tool_call_id": call.id,
                "content": f"result of {call.function.name}",
            }
            for call in first.tool_calls
        ]
        url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
        shown = {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": url}}],
        }
        told = whole(client, "mock", [USER, first, *results, shown])
        return told.choices[0].message.content

    assert await using_openai(served, work) == (
        "get_weather returned: result of get_weather "
        "get_time returned: result of get_time "
        f"I was shown image/png of {len(PNG)} bytes."
    )


@pytest_twisted.ensureDeferred
async def test_signed_reasoning_comes_back_as_it_was(served: Served) -> None:
    first = await served.ask(post(CHAT, {"model": "mock-signed", "messages": [USER]}))
    said = first.json["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "1"}
        for call in said["tool_calls"]
    ]
    body = {"model": "mock", "messages": [USER, said, *results]}
    told = (await served.ask(post(CHAT, body))).json["choices"][0]["message"]
    assert told["content"].startswith("My reasoning came back as I sealed it.")
    said["reasoning_details"][0]["text"] += "!"
    got = await served.ask(post(CHAT, body))
    assert got.status == 400
    assert "Invalid `signature`" in got.json["error"]["message"]


CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "1"}


def calling(**changed: Any) -> list[Any]:
    """A turn whose call differs in some members."""
    call = {**CALL, **changed}
    return [
        USER,
        {**CALLS, "tool_calls": [call]},
        {**RESULT, "tool_call_id": call["id"]},
    ]


def showing(part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [USER], "foo": 1}, "Unknown parameter: 'foo'"),
        (
            {"messages": [USER], "max_tokens": 1, "max_completion_tokens": 1},
            "at the same time",
        ),
        ({"messages": [{"role": "model", "content": "a"}]}, "Invalid value: 'model'"),
        ({"messages": [USER, RESULT]}, "must be a response to a preceeding message"),
        ({"messages": [USER, CALLS]}, "did not have response messages: call_1"),
        ({"messages": [USER, CALLS, USER]}, "did not have response messages: call_1"),
        ({"messages": calling(id="c" * 41)}, "maximum length 40"),
        (
            {"messages": calling(function={"name": "a.b", "arguments": "{}"})},
            "does not match pattern",
        ),
        (
            {"messages": calling(function={"name": "f", "arguments": {}})},
            "expected a string, but got an object",
        ),
        ({"messages": [{**CALLS, "tool_calls": []}]}, "empty array"),
        (
            {
                "messages": [USER],
                "tools": [{"type": "function", "function": {"name": "a b"}}],
            },
            "does not match pattern",
        ),
        ({"messages": [{"role": "user", "content": None}]}, "got null"),
        (showing({"type": "image", "source": {}}), "Invalid value: 'image'"),
        (
            showing({"type": "image_url", "image_url": "https://x"}),
            "expected an object, but got a string",
        ),
        (
            showing({"type": "image_url", "image_url": {"url": "AAAA"}}),
            "Expected a valid URL",
        ),
        (
            showing(
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,iVBORw0KGgo="},
                }
            ),
            "unsupported image",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_openai_refuses_is_refused(
    served: Served, body: Any, words: str
) -> None:
    got = await served.ask(post(CHAT, {"model": "mock", **body}))
    assert got.status == 400
    assert got.json["error"]["type"] == "invalid_request_error"
    assert words in got.json["error"]["message"]
