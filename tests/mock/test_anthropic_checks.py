"""What Anthropic refuses of a message, and what the answer tells of one it takes."""

from __future__ import annotations

import base64
from typing import Any

import anthropic
import pytest
import pytest_twisted

from .client import Served, post
from .test_anthropic import using

PATH = "/v1/messages"
VERSION = "anthropic-version: 2023-06-01"
PNG = b"\x89PNG\r\n\x1a\n and so on"
THINK: Any = {"type": "enabled", "budget_tokens": 1024}
TOOLS: Any = [
    {"name": name, "input_schema": {"type": "object"}}
    for name in ("get_weather", "get_time")
]


def picture(kind: str = "image/png", data: bytes = PNG) -> Any:
    coded = base64.b64encode(data).decode()
    source = {"type": "base64", "media_type": kind, "data": coded}
    return {"type": "image", "source": source}


@pytest_twisted.ensureDeferred
async def test_results_pictures_and_thinking_are_told(served: Served) -> None:
    def work(client: anthropic.Anthropic) -> Any:
        asked: Any = {"role": "user", "content": "What is a stream?"}
        given: Any = {"max_tokens": 2000, "thinking": THINK, "tools": TOOLS}
        first = client.messages.create(
            model="mock-thinktools", messages=[asked], **given
        )
        results = [
            {
                "type": "tool_result",
                "tool_use_id": block.id,
                "content": f"result of {block.name}",
            }
            for block in first.content
            if block.type == "tool_use"
        ]
        back: Any = [
            asked,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [*results, picture()]},
        ]
        with client.messages.stream(model="mock", messages=back, **given) as stream:
            told = stream.get_final_text()
        answer = client.messages.create(model="mock", messages=back, **given)
        assert told == answer.content[0].text  # type: ignore[union-attr]
        return told

    assert await using(served, work) == (
        "My reasoning came back as I sealed it. "
        "get_weather returned: result of get_weather "
        "get_time returned: result of get_time "
        f"I was shown image/png of {len(PNG)} bytes."
    )


USER = {"role": "user", "content": "a"}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "1"}
UNSIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "AAAA"}
MARK = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}


def said(*content: Any) -> Any:
    return {"role": "assistant", "content": list(content)}


def asked(*content: Any) -> Any:
    return {"role": "user", "content": list(content)}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"thinking": {"type": "enabled"}}, "budget_tokens: Field required"),
        ({"thinking": {**THINK, "budget_tokens": 5}}, "greater than or equal to 1024"),
        ({"thinking": THINK, "max_tokens": 1000}, "`max_tokens` must be greater"),
        ({"thinking": THINK, "temperature": 0.5}, "may only be set to 1"),
        ({"thinking": THINK, "tool_choice": {"type": "any"}}, "forces tool use"),
        ({"tools": [{"name": "a.b", "input_schema": {}}]}, "tools.0.custom.name"),
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        ({"system": [MARK, MARK, MARK], "messages": [asked(MARK, MARK)]}, "Found 5"),
        ({"messages": [{"role": "system", "content": "a"}]}, "top-level `system`"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.role: Input"),
        ({"messages": [said({"type": "text", "text": "a"})]}, "first message must use"),
        ({"messages": [asked({"type": "text", "text": ""})]}, "must be non-empty"),
        ({"messages": [asked({"type": "image_url"})]}, "Input tag 'image_url'"),
        ({"messages": [asked({"type": "image"})]}, "image.source: Field required"),
        ({"messages": [asked(picture("image/bmp"))]}, "media_type: Input should be"),
        (
            {"messages": [asked(picture("image/jpeg"))]},
            "the image appears to be a image/png image",
        ),
        ({"messages": [asked(USE)]}, "can only be in `assistant` messages"),
        ({"messages": [asked(RESULT)]}, "unexpected `tool_use_id`"),
        ({"messages": [USER, said(USE)]}, "messages.1: `tool_use` ids were found"),
        ({"messages": [USER, said(USE), USER]}, "without `tool_result` blocks"),
        (
            {"messages": [USER, said({**USE, "id": "a.b"}), asked(RESULT)]},
            "messages.1.content.0.tool_use.id: String should match pattern",
        ),
        (
            {"messages": [USER, said({**USE, "input": "{}"}), asked(RESULT)]},
            "Input should be a valid dictionary",
        ),
        (
            {"messages": [USER, said({**USE, "extra": 1}), asked(RESULT)]},
            "tool_use.extra: Extra inputs are not permitted",
        ),
        (
            {"messages": [USER, said(UNSIGNED), USER]},
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            {"messages": [USER, said(USE), asked(RESULT)], "thinking": THINK},
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_anthropic_refuses_is_refused(
    served: Served, changed: Any, words: str
) -> None:
    body = {"model": "mock", "max_tokens": 2000, "messages": [USER], **changed}
    got = await served.ask(post(PATH, body, VERSION))
    assert got.status == 400
    assert got.json["error"]["type"] == "invalid_request_error"
    assert words in got.json["error"]["message"]


@pytest_twisted.ensureDeferred
async def test_thinking_is_asked_for_only_while_tools_are_used(served: Served) -> None:
    over = [USER, said(USE), asked(RESULT), said({"type": "text", "text": "1"}), USER]
    body = {"model": "mock", "max_tokens": 2000, "messages": over, "thinking": THINK}
    assert (await served.ask(post(PATH, body, VERSION))).status == 200
