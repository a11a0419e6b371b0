"""What is rendered as Responses, held to the official client's own types."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseInputItemParam, ToolParam
from openai.types.responses.response_create_params import (
    ResponseCreateParamsBase,
    ToolChoice,
)
from openai.types.responses.response_text_config_param import ResponseTextConfigParam
from pydantic import TypeAdapter

from aigw.errors import BadRequest
from aigw.model.rendered import Target

from .bodies import BODIES
from .requests import request
from .streams import chat

NAME = "openai-responses"
FIELDS = {"stream", *ResponseCreateParamsBase.__annotations__}

items: Any = TypeAdapter(ResponseInputItemParam)
tools: Any = TypeAdapter(ToolParam)
choices: Any = TypeAdapter(ToolChoice)
texts: Any = TypeAdapter(ResponseTextConfigParam)


def rendered(dialect: str, body: dict[str, Any]) -> dict[str, Any]:
    call = chat(dialect).parse(request(BODIES[dialect][0], msgspec.json.encode(body)))
    told: dict[str, Any] = msgspec.json.decode(
        chat(NAME).render(call, Target(model="m")).body
    )
    return told


def refuses(item: dict[str, Any]) -> bool:
    """
    Whether it is a model's refusal from another vendor. Types want an id of OpenAI's
    there, which nobody else has.
    """
    content = item.get("content")
    return isinstance(content, list) and any(
        part["type"] == "refusal" for part in content
    )


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.sampled_from(sorted(set(BODIES) - {NAME})).flatmap(
        lambda name: st.tuples(st.just(name), BODIES[name][1])
    )
)
def test_calls_from_elsewhere_are_requests_the_official_client_could_send(
    given: tuple[str, dict[str, Any]],
) -> None:
    try:
        body = rendered(*given)
    except BadRequest:
        return
    assert set(body) <= FIELDS
    for item in body["input"]:
        if not refuses(item):
            items.validate_python(item)
    for tool in body.get("tools", ()):
        tools.validate_python(tool)
    if "tool_choice" in body:
        choices.validate_python(body["tool_choice"])
    if "text" in body:
        texts.validate_python(body["text"])


def test_texts_of_one_turn_are_one_string() -> None:
    said = [{"type": "text", "text": "Let me "}, {"type": "text", "text": "see."}]
    turns = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": said},
    ]
    body = rendered(
        "anthropic-messages", {"model": "m", "max_tokens": 9, "messages": turns}
    )
    assert body["input"][1] == {"role": "assistant", "content": "Let me see."}


SAID: Any = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9000}
THINKING: Any = {**SAID, "thinking": {"type": "enabled", "budget_tokens": 2000}}
HIDDEN: Any = {
    **SAID,
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
}
EFFORT: Any = {**SAID, "reasoning_effort": "low"}
CONTENTS: Any = [{"role": "user", "parts": [{"text": "hi"}]}]
THOUGHTS: Any = {
    "contents": CONTENTS,
    "generationConfig": {
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2000}
    },
}
NO_THOUGHTS: Any = {
    "contents": CONTENTS,
    "generationConfig": {"thinkingConfig": {"thinkingBudget": 2000}},
}


@pytest.mark.parametrize(
    ("dialect", "fields", "summary"),
    [
        ("anthropic-messages", THINKING, "auto"),
        ("anthropic-messages", HIDDEN, None),
        ("gemini", THOUGHTS, "auto"),
        ("gemini", NO_THOUGHTS, None),
        ("openai-chat", EFFORT, None),
    ],
)
def test_reasoning_is_summed_up_for_who_would_see_it(
    dialect: str, fields: dict[str, Any], summary: str | None
) -> None:
    reasoning = rendered(dialect, {"model": "m", **fields})["reasoning"]
    assert reasoning.get("summary") == summary
    assert reasoning["effort"]


@pytest.mark.parametrize("target", ["anthropic-messages", "bedrock-converse", "gemini"])
def test_system_prompts_of_text_alone_take_nothing_else(target: str) -> None:
    data = "data:application/pdf;base64,AAAA"
    system = {"role": "system", "content": [{"type": "input_file", "file_data": data}]}
    body = {"model": "m", "input": [{"role": "user", "content": "hi"}, system]}
    call = chat(NAME).parse(request(BODIES[NAME][0], msgspec.json.encode(body)))
    with pytest.raises(BadRequest, match=r"input\[1\].content\[0\] .*system prompt"):
        chat(target).render(call, Target())
