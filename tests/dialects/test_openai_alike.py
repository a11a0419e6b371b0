"""What OpenAI's two dialects ask for alike, each in its own nesting."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.model.rendered import Target

from .goldens import PATHS
from .requests import request
from .streams import chat

CHAT = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "query the base"}},
    ],
    "tool_choice": {"type": "custom", "custom": {"name": "query the base"}},
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "A name.", "schema": {}},
    },
    "reasoning_effort": "low",
    "user": "u",
    "metadata": {"a": "b"},
    "service_tier": "flex",
}
RESPONSES = {
    "model": "m",
    "input": "hi",
    "tools": [
        {"type": "function", "name": "f", "parameters": {}, "strict": False},
        {"type": "custom", "name": "query the base"},
    ],
    "tool_choice": {"type": "custom", "name": "query the base"},
    "parallel_tool_calls": False,
    "text": {
        "format": {
            "type": "json_schema",
            "name": "n",
            "description": "A name.",
            "schema": {},
        }
    },
    "reasoning": {"effort": "low"},
    "user": "u",
    "metadata": {"a": "b"},
    "service_tier": "flex",
}
ALIKE = ("parallel_tool_calls", "user", "metadata", "service_tier")


def rendered(source: str, target: str, body: Any) -> Any:
    call = chat(source).parse(request(PATHS[source], msgspec.json.encode(body)))
    made = chat(target).render(call, Target())
    assert made.dropped == ()
    return msgspec.json.decode(made.body)


@pytest.mark.parametrize(
    ("source", "body"), [("openai-chat", CHAT), ("openai-responses", RESPONSES)]
)
def test_chat_completions_are_asked_for_it(source: str, body: Any) -> None:
    told = rendered(source, "openai-chat", body)
    name = "query_the_base_bcb63769"
    chosen = {"type": "custom", "custom": {"name": name}}
    assert told["tool_choice"] == chosen
    assert told["tools"][1] == chosen
    assert told["reasoning_effort"] == "low"
    asked = told["response_format"]
    assert asked["json_schema"]["description"] == "A name."
    assert {key: told[key] for key in ALIKE} == {key: CHAT[key] for key in ALIKE}


@pytest.mark.parametrize(
    ("source", "body"), [("openai-chat", CHAT), ("openai-responses", RESPONSES)]
)
def test_responses_are_asked_for_it(source: str, body: Any) -> None:
    told = rendered(source, "openai-responses", body)
    chosen = {"type": "custom", "name": "query_the_base_bcb63769"}
    assert told["tool_choice"] == chosen
    assert told["tools"][1] == chosen
    assert told["reasoning"] == {"effort": "low"}
    asked = told["text"]["format"]
    assert (asked["type"], asked["description"]) == ("json_schema", "A name.")
    assert {key: told[key] for key in ALIKE} == {key: CHAT[key] for key in ALIKE}


@pytest.mark.parametrize("target", ["openai-chat", "openai-responses"])
def test_a_tool_nobody_declared_is_chosen_by_the_name_given(target: str) -> None:
    source = "openai-chat"
    body = {**CHAT, "tool_choice": {"type": "function", "function": {"name": "no one"}}}
    assert "no one" in msgspec.json.encode(rendered(source, target, body)).decode()
