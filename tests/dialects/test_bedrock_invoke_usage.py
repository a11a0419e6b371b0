"""Whole answers of models that Bedrock invokes are metered, whose ever they are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.model.usage import Usage

NOVA = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
OPENAI = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
ANSWERS: dict[str, dict[str, Any]] = {
    "Amazon Nova": {"stopReason": "end_turn", "usage": NOVA},
    "OpenAI and its like": {"choices": [], "usage": OPENAI},
    "Meta Llama": {
        "generation": "x",
        "prompt_token_count": 9,
        "generation_token_count": 5,
    },
    "Amazon Titan": {
        "inputTextTokenCount": 9,
        "results": [{"tokenCount": 2}, {"tokenCount": 3}, {}],
    },
    "Anthropic": {
        "type": "message",
        "content": [],
        "usage": {"input_tokens": 9, "output_tokens": 5},
    },
}


def usage_of(answer: Any) -> Usage | None:
    tap = dialects.get("bedrock-invoke").tap()
    tap.whole(msgspec.json.encode(answer))
    usage: Usage | None = tap.usage
    return usage


@pytest.mark.parametrize("vendor", sorted(ANSWERS))
def test_each_vendor_is_metered(vendor: str) -> None:
    usage = usage_of(ANSWERS[vendor])
    assert usage is not None
    assert (usage.prompt, usage.output, usage.all) == (9, 5, 14)


def test_vectors_take_input_alone() -> None:
    answer = {"embedding": [0.5], "inputTextTokenCount": 4}
    assert usage_of(answer) == Usage(input=4)


@pytest.mark.parametrize("answer", [{}, [], "x", {"usage": None}, {"usage": {}}, 7])
def test_nothing_told_is_nothing_used(answer: Any) -> None:
    assert usage_of(answer) is None


@pytest.mark.parametrize("odd", ["9", None, -9, [9], {"n": 9}, True])
def test_what_is_no_number_is_none(odd: Any) -> None:
    usage = usage_of({"prompt_token_count": odd, "generation_token_count": 5})
    assert usage is None or usage.prompt == 0
