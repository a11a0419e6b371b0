"""Requests of Messages for providers of chat completions: reference section 3.6."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.errors import BadRequest
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import chat

USER = {"role": "user", "content": "hello"}


def rendered(extensions: frozenset[str] = frozenset(), **body: Any) -> Rendered:
    given = {"model": "m", "max_tokens": 9, "messages": [USER], **body}
    envelope = request("/v1/messages", msgspec.json.encode(given))
    call = chat("anthropic-messages").parse(envelope)
    return chat("openai-chat").render(call, Target(extensions=extensions))


def body_of(**body: Any) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.json.decode(rendered(**body).body)
    return result


def messages_of(*messages: Any, **body: Any) -> Any:
    return body_of(messages=list(messages), **body)["messages"]


def test_plain_fields_are_copied_and_renamed() -> None:
    body = body_of(
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        stop_sequences=["END"],
        stream=True,
        metadata={"user_id": "u-1"},
        service_tier="auto",
    )
    assert body == {
        "model": "m",
        "messages": [USER],
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "u-1",
        "service_tier": "auto",
    }


def test_cap_has_the_name_the_provider_wants() -> None:
    envelope = request(
        "/v1/messages", msgspec.json.encode({"max_tokens": 9, "messages": [USER]})
    )
    call = chat("anthropic-messages").parse(envelope)
    result = chat("openai-chat").render(call, Target(model="x", cap="max_tokens"))
    body = msgspec.json.decode(result.body)
    assert (body["max_tokens"], body["model"], result.model) == (9, "x", "x")
    assert "max_completion_tokens" not in body


def test_what_is_dropped_is_told_once_and_without_indexes() -> None:
    block = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    result = rendered(
        top_k=5,
        container="c",
        messages=[{"role": "user", "content": [block, block]}, USER],
        thinking={"type": "disabled"},
    )
    assert result.dropped == (
        "container",
        "messages[].content[].cache_control",
        "top_k",
    )


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"type": "enabled", "budget_tokens": 1023}, "minimal"),
        ({"type": "enabled", "budget_tokens": 1024}, "low"),
        ({"type": "enabled", "budget_tokens": 2048}, "medium"),
        ({"type": "enabled", "budget_tokens": 4096}, "high"),
        ({"type": "enabled"}, "minimal"),
        ({"type": "adaptive"}, "medium"),
        ({"type": "disabled"}, None),
    ],
)
def test_thinking_becomes_an_effort(thinking: Any, effort: str | None) -> None:
    assert body_of(thinking=thinking).get("reasoning_effort") == effort


def test_adaptive_thinking_takes_the_effort_told() -> None:
    told = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}
    assert body_of(**told)["reasoning_effort"] == "max"
    assert "reasoning_effort" not in body_of(output_config={"effort": "max"})


TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        (
            {"type": "tool", "name": "f"},
            {"type": "function", "function": {"name": "f"}},
        ),
    ],
)
def test_tool_choice_is_mapped(choice: Any, expected: Any) -> None:
    body = body_of(tools=[TOOL], tool_choice=choice)
    assert body["tool_choice"] == expected
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "d",
                "parameters": {"type": "object"},
            },
        }
    ]


def test_one_tool_at_a_time_is_kept() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert body_of(tools=[TOOL], tool_choice=choice)["parallel_tool_calls"] is False


def test_hosted_and_unnamed_tools_go_with_the_choice_of_them() -> None:
    hosted = {"type": "web_search_20250305", "name": "web_search"}
    tools = [hosted, {"input_schema": {}}, "none"]
    body = body_of(tools=tools, tool_choice={"type": "any"})
    assert "tools" not in body
    assert "tool_choice" not in body


def test_long_and_odd_names_are_rewritten_everywhere_the_same() -> None:
    long = "a" * 70
    fitted = "a" * 55 + "_6bd5e503"
    result = rendered(
        tools=[{"name": long}],
        tool_choice={"type": "tool", "name": long},
        messages=[
            USER,
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": long, "input": {}}],
            },
        ],
    )
    body = msgspec.json.decode(result.body)
    assert body["tools"][0]["function"]["name"] == fitted
    assert body["tool_choice"]["function"]["name"] == fitted
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == fitted
    assert result.names == {fitted: long}


def test_schema_is_made_strict() -> None:
    schema = {
        "type": "object",
        "properties": {
            "b": {"type": "array", "items": {"type": "object", "properties": {}}},
            "a": {"anyOf": [{"type": "object", "properties": {"x": {}}}]},
        },
        "$defs": {"d": {"type": "object", "properties": {"y": {"maximum": 2**60}}}},
    }
    told = body_of(output_config={"format": {"type": "json_schema", "schema": schema}})
    format = told["response_format"]["json_schema"]
    assert (format["name"], format["strict"]) == ("structured_output", True)
    made = format["schema"]
    assert made["required"] == ["a", "b"]
    assert made["additionalProperties"] is False
    assert made["properties"]["b"]["items"]["required"] == []
    assert made["properties"]["a"]["anyOf"][0]["required"] == ["x"]
    assert made["$defs"]["d"]["additionalProperties"] is False


def test_output_format_wins_over_output_config() -> None:
    one = {"type": "json_schema", "schema": {"title": "one"}}
    other = {"type": "json_schema", "schema": {"title": "other"}}
    body = body_of(output_format=one, output_config={"format": other})
    assert body["response_format"]["json_schema"]["schema"] == {"title": "one"}


def test_system_texts_join_and_the_billing_hash_goes() -> None:
    blocks = [
        {"type": "text", "text": "x-anthropic-billing-header: cch=abc;"},
        {"type": "text", "text": "X-Anthropic-Billing-Header: v=1; cch=abc; e=cli;"},
        {"type": "text", "text": "Be"},
        {"type": "text", "text": " brief."},
    ]
    first = messages_of(USER, system=blocks)[0]
    assert first == {
        "role": "system",
        "content": "X-Anthropic-Billing-Header: v=1; e=cli;Be brief.",
    }
    assert messages_of(USER, system="") == [USER]


def test_media_become_data_uris_and_empty_ones_go() -> None:
    def image(**source: Any) -> dict[str, Any]:
        return {"type": "image", "source": source}

    parts = messages_of(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                image(type="base64", media_type="image/gif", data="AA"),
                image(type="base64", data="AA"),
                image(type="base64", media_type="image/gif", data=""),
                image(type="url", url="https://x.test/a.png"),
                {"type": "document", "source": {"type": "base64", "data": "BB"}},
                {"type": "document", "source": {"type": "text", "data": "words"}},
            ],
        }
    )[0]["content"]
    assert parts[0] == {"type": "text", "text": "see"}
    assert parts[-1] == {"type": "text", "text": "words"}
    assert [part["image_url"]["url"] for part in parts[1:-1]] == [
        "data:image/gif;base64,AA",
        "data:image/png;base64,AA",
        "https://x.test/a.png",
        "data:application/pdf;base64,BB",
    ]


def test_documents_are_files_to_who_takes_files() -> None:
    source = {"type": "base64", "data": "BB", "media_type": "application/pdf"}
    named = {"type": "document", "source": source, "title": "a.pdf"}
    told = rendered(
        frozenset({"file"}),
        messages=[{"role": "user", "content": [named, {**named, "title": None}]}],
    )
    (message,) = msgspec.json.decode(told.body)["messages"]
    data = "data:application/pdf;base64,BB"
    assert message["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": data}},
        {"type": "file", "file": {"filename": "document", "file_data": data}},
    ]


def test_media_of_results_follow_them_where_results_are_text() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x.test"}}
    calls = [
        {"type": "tool_use", "id": id, "name": "f", "input": {}} for id in ("a", "b")
    ]
    said = {"type": "text", "text": "seen"}
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": [said, image]},
        {"type": "tool_result", "tool_use_id": "b", "content": [image]},
    ]
    told = rendered(
        frozenset({"text_results"}),
        messages=[
            {"role": "assistant", "content": calls},
            {"role": "user", "content": [*results, {"type": "text", "text": "so?"}]},
        ],
    )
    url = {"type": "image_url", "image_url": {"url": "https://x.test"}}
    assert msgspec.json.decode(told.body)["messages"][1:] == [
        {"role": "tool", "tool_call_id": "a", "content": "seen"},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": "The result stands behind all results.",
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "The result of a holds:"},
                url,
                {"type": "text", "text": "The result of b holds:"},
                url,
            ],
        },
        {"role": "user", "content": "so?"},
    ]
    assert told.dropped == ("messages[].content[].content (clamped)",)


@pytest.mark.parametrize("more", [[], [{"role": "assistant", "content": "Hm."}]])
def test_media_of_results_in_messages_of_their_own_follow_the_last(more: Any) -> None:
    results = [
        {"type": "function_call_output", "call_id": id, "output": output}
        for id, output in (
            ("a", [{"type": "input_image", "image_url": "https://x.test"}]),
            ("b", "done"),
        )
    ]
    asked = [
        {"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"}
        for id in "ab"
    ]
    given = {"model": "m", "input": [*asked, *results, *more]}
    envelope = request("/v1/responses", msgspec.json.encode(given))
    call = chat("openai-responses").parse(envelope)
    target = Target(extensions=frozenset({"text_results"}))
    body = msgspec.json.decode(chat("openai-chat").render(call, target).body)
    roles = [message["role"] for message in body["messages"]]
    assert roles == [
        "assistant",
        "tool",
        "tool",
        "user",
        *(["assistant"] if more else []),
    ]


def test_results_come_first_each_as_a_message_then_what_else_was_said() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {"big": 2**60}}
    image = {"type": "image", "source": {"type": "url", "url": "https://x.test"}}
    got = messages_of(
        {"role": "assistant", "content": [{"type": "text", "text": "Hm."}, call]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and"},
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [
                        {"type": "text", "text": "a"},
                        {"type": "text", "text": "b"},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "t2", "content": [image]},
                {"type": "tool_result", "tool_use_id": "t3"},
            ],
        },
    )
    assert got[0]["content"] == "Hm."
    function = got[0]["tool_calls"][0]["function"]
    assert function == {"name": "f", "arguments": '{"big":1152921504606846976}'}
    assert [message.get("tool_call_id") for message in got] == [
        None,
        "t1",
        "t2",
        "t3",
        None,
    ]
    assert got[1]["content"] == "ab"
    assert got[2]["content"][0]["type"] == "image_url"
    assert got[3]["content"] == ""
    assert got[4] == {"role": "user", "content": "and"}


def test_calls_beside_results_are_kept() -> None:
    """The reference loses them."""
    mixed = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "r"},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
    ]
    got = rendered(messages=[{"role": "assistant", "content": mixed}])
    body = msgspec.json.decode(got.body)
    calls = [m for m in body["messages"] if m.get("tool_calls")]
    assert calls[0]["tool_calls"][0]["id"] == "t2"


def test_reasoning_goes_unless_the_provider_takes_it_back() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s=="}
    turn = {"role": "assistant", "content": [thinking, {"type": "text", "text": "a"}]}
    plain = rendered(messages=[turn])
    assert msgspec.json.decode(plain.body)["messages"] == [
        {"role": "assistant", "content": "a"}
    ]
    assert plain.dropped == ("messages[].content[].thinking",)
    kept = rendered(frozenset({"reasoning_details"}), messages=[turn])
    message = msgspec.json.decode(kept.body)["messages"][0]
    assert message["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "text": "hm",
            "signature": "s==",
            "format": "anthropic-claude-v1",
            "index": 0,
        }
    ]
    assert kept.dropped == ()


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        (None, "missing messages"),
        ([], "missing messages"),
        ("hello", "missing messages"),
        (["x"], "invalid message at index 0"),
        ([USER, {"role": "robot", "content": "x"}], "invalid message at index 1"),
        ([USER, {"role": 3, "content": "x"}], "invalid message at index 1"),
        ([{"role": "user"}], "invalid message content at index 0"),
        ([{"role": "user", "content": 3}], "invalid message content at index 0"),
    ],
)
def test_wrong_messages_are_refused_in_the_references_words(
    messages: Any, message: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        rendered(messages=messages)
    assert caught.value.message == message
    assert caught.value.key == "error_msg"


def test_document_by_url_is_refused_with_its_place() -> None:
    block = {"type": "document", "source": {"type": "url", "url": "https://x.test"}}
    with pytest.raises(BadRequest, match=r"messages\[1\]\.content\[0\] cannot be sent"):
        rendered(messages=[USER, {"role": "user", "content": [block]}])


def test_results_in_results_in_results_are_not_followed() -> None:
    inner: Any = "deep"
    for _ in range(400):
        inner = [{"type": "tool_result", "tool_use_id": "t", "content": inner}]
    got = rendered(messages=[{"role": "user", "content": inner}])
    assert msgspec.json.decode(got.body)["messages"] == [
        {"role": "tool", "tool_call_id": "t", "content": ""}
    ]
    assert got.dropped == ("messages[].content[].content[] (tool_result)",)


def test_what_is_dropped_beside_results_leaves_no_empty_message() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "r"}
    upload = {"type": "container_upload", "file_id": "f"}
    got = messages_of({"role": "user", "content": [result, upload]})
    assert [message["role"] for message in got] == ["tool"]
