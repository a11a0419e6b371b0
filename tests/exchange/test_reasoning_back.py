"""Vendors of Chat Completions that want reasoning back are sent it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.model.instance import Endpoint, Instance
from aigw.model.route import Route

from .site import JSON, Site

THOUGHT = "The weather, then."


def sent(provider: str, signature: str) -> Any:
    """The assistant's message as it reaches ``provider`` from a client of Messages."""
    turns = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": THOUGHT, "signature": signature},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "Rain."}
            ],
        },
    ]
    body = {
        "model": "m",
        "max_tokens": 9000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": turns,
    }
    one = Instance("one", provider, endpoint=Endpoint("http", "provider.test", 80))
    place = Site(Route("messages", ("/v1/*",), (one,)))
    place.ask(msgspec.json.encode(body), target=b"/v1/messages", headers=JSON)
    return msgspec.json.decode(place.call.outbound.body)["messages"][1]


@pytest.mark.parametrize("provider", ["deepseek", "openrouter"])
def test_unsigned_reasoning_goes_back_to_who_wants_it(provider: str) -> None:
    assert sent(provider, "")["reasoning_content"] == THOUGHT


def test_signed_reasoning_goes_back_through_openrouter() -> None:
    (detail,) = sent("openrouter", "sig")["reasoning_details"]
    assert (detail["text"], detail["signature"]) == (THOUGHT, "sig")
    assert detail["format"] == "anthropic-claude-v1"


@pytest.mark.parametrize("signature", ["", "sig"])
@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_others_would_refuse_it(provider: str, signature: str) -> None:
    message = sent(provider, signature)
    assert not {"reasoning_content", "reasoning_details"} & set(message)
    assert message["tool_calls"][0]["id"] == "call_1"
