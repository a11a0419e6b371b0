"""Requests of chat completions for providers of Messages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.errors import BadRequest
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import chat

USER = {"role": "user", "content": "hello"}
OLD = "claude-sonnet-4-5-20250929"
BOTH = "claude-opus-4-6"
NEW = "claude-opus-4-8"


def rendered(**body: Any) -> Rendered:
    given = {"model": OLD, "messages": [USER], **body}
    envelope = request("/v1/chat/completions", msgspec.json.encode(given))
    call = chat("openai-chat").parse(envelope)
    return chat("anthropic-messages").render(call, Target(max_tokens=8192))


def body_of(**body: Any) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.json.decode(rendered(**body).body)
    return result


def test_cap_is_added_where_the_client_gave_none() -> None:
    assert body_of() == {"model": OLD, "max_tokens": 8192, "messages": [USER]}
    assert body_of(max_tokens=7)["max_tokens"] == 7
    assert body_of(max_completion_tokens=8)["max_tokens"] == 8


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("logprobs", True),
        ("modalities", ["text", "audio"]),
        ("tools", [{"type": "custom", "custom": {"name": "x"}}]),
    ],
)
def test_what_the_answer_would_be_wrong_without_is_refused(
    field: str, value: Any
) -> None:
    with pytest.raises(BadRequest, match=rf"^{field}.* cannot be sent") as caught:
        rendered(**{field: value})
    assert caught.value.key == "error_msg"


def test_what_only_tunes_is_dropped_and_told() -> None:
    result = rendered(
        seed=1,
        logit_bias={"1": 1},
        frequency_penalty=1,
        presence_penalty=0,
        verbosity="low",
        response_format={"type": "json_object"},
    )
    assert set(result.dropped) == {
        "seed",
        "logit_bias",
        "frequency_penalty",
        "verbosity",
        "response_format",
    }
    assert msgspec.json.decode(result.body).keys() == {
        "model",
        "max_tokens",
        "messages",
    }


def test_temperature_is_clamped_and_dropped_for_models_without_sampling() -> None:
    clamped = rendered(temperature=1.5)
    assert msgspec.json.decode(clamped.body)["temperature"] == 1
    assert clamped.dropped == ("temperature (clamped)",)
    assert body_of(temperature=0.5)["temperature"] == 0.5
    gone = rendered(model=NEW, temperature=0.5, top_p=0.5)
    assert gone.dropped == ("temperature", "top_p")


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "output"),
    [
        (OLD, "minimal", {"type": "enabled", "budget_tokens": 1024}, None),
        (OLD, "medium", {"type": "enabled", "budget_tokens": 2048}, None),
        (OLD, "max", {"type": "enabled", "budget_tokens": 8191}, None),
        (OLD, "none", None, None),
        (BOTH, "xhigh", {"type": "adaptive"}, {"effort": "high"}),
        (NEW, "xhigh", {"type": "adaptive"}, {"effort": "xhigh"}),
        (NEW, "minimal", {"type": "adaptive"}, {"effort": "low"}),
        (
            "claude-3-7-sonnet-latest",
            "low",
            {"type": "enabled", "budget_tokens": 1024},
            None,
        ),
        (
            "claude-opus-4-20250514",
            "low",
            {"type": "enabled", "budget_tokens": 1024},
            None,
        ),
        ("anthropic.claude-fable-5", "high", {"type": "adaptive"}, {"effort": "high"}),
    ],
)
def test_effort_is_told_as_the_model_takes_it(
    model: str, effort: str, thinking: Any, output: Any
) -> None:
    body = body_of(model=model, reasoning_effort=effort)
    assert body.get("thinking") == thinking
    assert body.get("output_config") == output


def test_reasoning_without_room_or_beside_a_forced_tool_is_left_out() -> None:
    small = rendered(reasoning_effort="high", max_tokens=500)
    assert "thinking" not in msgspec.json.decode(small.body)
    assert small.dropped == ("reasoning (no room below max_tokens)",)
    tool = {"type": "function", "function": {"name": "f"}}
    forced = rendered(reasoning_effort="high", tools=[tool], tool_choice="required")
    assert forced.dropped == ("reasoning (tool choice)",)
    assert "thinking" not in msgspec.json.decode(forced.body)


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "r"}
SIGNED = {
    "type": "reasoning.text",
    "text": "hm",
    "signature": "s==",
    "format": "anthropic-claude-v1",
    "index": 0,
}


def test_signatures_come_back_and_missing_ones_switch_reasoning_off() -> None:
    turn = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    signed = {**turn, "reasoning_details": [SIGNED]}
    kept = body_of(reasoning_effort="low", messages=[USER, signed, RESULT])
    assert kept["thinking"]["type"] == "enabled"
    assert kept["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "hm",
        "signature": "s==",
    }
    lost = rendered(reasoning_effort="low", messages=[USER, turn, RESULT])
    assert "thinking" not in msgspec.json.decode(lost.body)
    assert lost.dropped == ("reasoning (signature missing)",)
    over = body_of(reasoning_effort="low", messages=[USER, turn, RESULT, USER])
    assert over["thinking"]["type"] == "enabled", "that turn is over"


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (OLD, None),
        (BOTH, {"type": "disabled"}),
        (NEW, {"type": "disabled"}),
        ("claude-mythos-5", {"type": "adaptive"}),
    ],
)
def test_reasoning_is_switched_off_as_far_as_the_model_lets_it_be(
    model: str, thinking: Any
) -> None:
    turn = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    lost = rendered(model=model, reasoning_effort="low", messages=[USER, turn, RESULT])
    assert msgspec.json.decode(lost.body).get("thinking") == thinking
    assert lost.dropped == ("reasoning (signature missing)",)
    none = rendered(model=model, reasoning_effort="none")
    assert msgspec.json.decode(none.body).get("thinking") == thinking
    always = model.startswith("claude-mythos")
    assert none.dropped == (("reasoning (always on)",) if always else ())


def test_signatures_of_others_never_reach_anthropic() -> None:
    foreign = {**SIGNED, "format": "google-gemini-v1"}
    turn = {"role": "assistant", "content": "a", "reasoning_details": [foreign]}
    result = rendered(messages=[USER, turn])
    assert msgspec.json.decode(result.body)["messages"][1] == {
        "role": "assistant",
        "content": "a",
    }
    assert result.dropped == ("messages[].content[].thinking",)


def test_results_of_one_turn_share_one_message_with_what_follows() -> None:
    second = {**CALL, "id": "c2|odd"}
    turn = {"role": "assistant", "content": "", "tool_calls": [CALL, second]}
    other = {**RESULT, "tool_call_id": "c2|odd"}
    messages = body_of(messages=[USER, turn, RESULT, other, USER])["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    calls, results = messages[1]["content"], messages[2]["content"]
    assert [block["type"] for block in results] == [
        "tool_result",
        "tool_result",
        "text",
    ]
    assert [block["tool_use_id"] for block in results[:2]] == [
        block["id"] for block in calls
    ]
    assert calls[1]["id"].startswith("c2_odd_")


def test_system_texts_join_in_front() -> None:
    result = rendered(
        messages=[
            {"role": "system", "content": "a"},
            {"role": "developer", "content": "b"},
            USER,
            {"role": "system", "content": "c"},
        ]
    )
    body = msgspec.json.decode(result.body)
    assert [block["text"] for block in body["system"]] == ["a", "b", "c"]
    assert body["messages"] == [USER]
    assert result.dropped == ("messages[].role (clamped)",)


def test_lone_system_text_is_the_turn() -> None:
    body = body_of(messages=[{"role": "system", "content": "a"}])
    assert body["messages"] == [{"role": "user", "content": "a"}]
    with pytest.raises(BadRequest, match="messages cannot be sent"):
        rendered(messages=[{"role": "system", "content": ""}])


def test_media_are_carried_or_refused_with_their_place() -> None:
    def user(*parts: Any) -> list[Any]:
        return [{"role": "user", "content": list(parts)}]

    image = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AA"}}
    link = {
        "type": "image_url",
        "image_url": {"url": "https://x.test", "detail": "low"},
    }
    pdf = {
        "type": "file",
        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"},
    }
    result = rendered(messages=user(image, link, pdf))
    blocks = msgspec.json.decode(result.body)["messages"][0]["content"]
    assert [block["source"] for block in blocks] == [
        {"type": "base64", "data": "AA", "media_type": "image/jpeg"},
        {"type": "url", "url": "https://x.test"},
        {"type": "base64", "data": "BB", "media_type": "application/pdf"},
    ]
    assert blocks[2]["title"] == "a.pdf"
    assert result.dropped == ("messages[].content[].detail",)
    sound = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
    theirs = {"type": "file", "file": {"file_id": "file-1"}}
    for refused in (sound, theirs):
        with pytest.raises(BadRequest, match=r"messages\[0\]\.content\[0\]"):
            rendered(messages=user(refused))


def test_arguments_that_are_no_object_become_an_empty_one() -> None:
    broken = {**CALL, "function": {"name": "f", "arguments": '{"a":'}}
    turn = {"role": "assistant", "content": None, "tool_calls": [broken]}
    result = rendered(messages=[USER, turn])
    block = msgspec.json.decode(result.body)["messages"][1]["content"][0]
    assert block["input"] == {}
    assert result.dropped == ("messages[].content[].arguments (clamped)",)


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ("none", False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, None),
        (
            {"type": "function", "function": {"name": "f"}},
            True,
            {"type": "tool", "name": "f", "disable_parallel_tool_use": False},
        ),
    ],
)
def test_tool_choice_is_mapped(choice: Any, parallel: Any, expected: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "strict": True}}
    body = body_of(tools=[tool], tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == expected
    assert body["tools"] == [
        {
            "name": "f",
            "input_schema": {"type": "object", "properties": {}},
            "strict": True,
        }
    ]


def test_structured_output_user_and_stops_are_carried() -> None:
    format = {"name": "n", "schema": {"type": "object"}, "strict": True}
    result = rendered(
        response_format={"type": "json_schema", "json_schema": format},
        user="u",
        stop=["END", " "],
        stream=True,
    )
    body = msgspec.json.decode(result.body)
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "object"}}
    }
    assert body["metadata"] == {"user_id": "u"}
    assert body["stop_sequences"] == ["END"]
    assert body["stream"] is True
    assert result.dropped == ("stop (clamped)",)
