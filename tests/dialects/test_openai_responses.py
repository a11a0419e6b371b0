"""Responses: detection, state, items and turns, signatures of other vendors."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest, Unavailable
from aigw.model import event as events
from aigw.model.frame import SSEFrame
from aigw.model.part import Redacted, Signature, Text, Thinking, ToolCall
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import chat, gathered, read, write

NAME = "openai-responses"
USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def parsed(**body: Any) -> Any:
    given = {"model": "m", "input": "hello", **body}
    return chat(NAME).parse(request("/v1/responses", msgspec.json.encode(given)))


def to(target: str, **body: Any) -> tuple[dict[str, Any], Rendered]:
    result = chat(target).render(parsed(**body), Target(extensions=frozenset()))
    return msgspec.json.decode(result.body), result


def of(origin: str, path: str, **body: Any) -> tuple[dict[str, Any], Rendered]:
    given = {"model": "m", "max_tokens": 9, **body}
    call = chat(origin).parse(request(path, msgspec.json.encode(given)))
    result = chat(NAME).render(call, Target())
    return msgspec.json.decode(result.body), result


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/responses", b'{"input":"x"}', NAME),
        ("/v1/responses/", b'{"previous_response_id":"r"}', NAME),
        ("/v1/responses/resp_1/cancel", b'{"a":1}', "passthrough"),
        ("/v1/responses/input_tokens", b'{"input":"x"}', "passthrough"),
    ],
)
def test_responses_are_known_by_their_path(path: str, body: bytes, name: str) -> None:
    assert dialects.detect(request(path, body)).name == name


@pytest.mark.parametrize(
    "state",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"background": True},
        {"prompt": {"id": "p"}},
        {"input": [USER, {"type": "item_reference", "id": "msg_1"}]},
        {"input": [USER, {"id": "msg_1"}]},
        {"input": [USER, {"type": "compaction", "encrypted_content": "gAAAA"}]},
    ],
)
@pytest.mark.parametrize("target", ["openai-chat", "anthropic-messages"])
def test_state_at_openai_is_refused_elsewhere(
    state: dict[str, Any], target: str
) -> None:
    with pytest.raises(BadRequest, match=r"^(\w+|input\[1\]) cannot be sent"):
        to(target, **state)
    assert to(NAME, **state)[1].dropped == ()


def test_unset_state_is_no_state() -> None:
    body, _ = to("openai-chat", previous_response_id=None, background=False)
    assert body["messages"] == [USER]


ITEMS = [
    USER,
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAAA",
    },
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}],
    },
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "one"},
    {
        "type": "function_call_output",
        "call_id": "c2",
        "output": [{"type": "input_text", "text": "two"}],
    },
]


def test_items_of_one_turn_are_one_message() -> None:
    call = parsed(input=ITEMS, instructions="Be brief.")
    assert [message.role for message in call.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
    ]
    turn = call.messages[2].parts
    assert [type(part) for part in turn] == [Thinking, Text, ToolCall, ToolCall]
    assert turn[0].signature == Signature("openai", "rs_1:gAAAA")
    body, _ = to("openai-chat", input=ITEMS)
    assert [len(message.get("tool_calls", ())) for message in body["messages"]] == [
        0,
        2,
        0,
        0,
    ]
    body, _ = to("anthropic-messages", input=ITEMS)
    assert [message["role"] for message in body["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


def test_openais_reasoning_goes_back_with_its_id() -> None:
    body, result = to(NAME, input=ITEMS)
    assert body["input"][1]["id"] == "rs_1"
    assert body["input"][1]["encrypted_content"] == "gAAAA"
    assert result.dropped == ()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("aigw.signed.anthropic.s==", Thinking("hm", Signature("anthropic", "s=="))),
        ("aigw.redacted.anthropic.d", Redacted(Signature("anthropic", "d"))),
    ],
)
def test_signatures_of_others_survive_the_round_trip(content: str, part: Any) -> None:
    summary = [{"type": "summary_text", "text": "hm"}]
    item = {"type": "reasoning", "summary": summary, "encrypted_content": content}
    call_item = {
        "type": "function_call",
        "call_id": "c1",
        "name": "f",
        "arguments": "{}",
    }
    given = [USER, item, call_item, ITEMS[5]]
    assert parsed(input=given).messages[1].parts[0] == part
    told: list[events.Event] = [events.Started("r", "m")]
    if isinstance(part, Thinking):
        told += [
            events.BlockOpened(0, 0, "thinking"),
            events.Thinking(0, 0, "hm"),
            events.Signature(0, 0, Signature("anthropic", "s==")),
        ]
    else:
        told += [
            events.BlockOpened(0, 0, "redacted"),
            events.Redacted(0, 0, part.signature),
        ]
    told += [events.BlockClosed(0, 0), events.Ended()]
    answer = gathered(NAME, read(NAME, write(NAME, told)))
    assert answer.choices[0].parts == (part,)
    body, _ = to("anthropic-messages", input=given, reasoning={"effort": "low"})
    assert body["messages"][1]["content"][0]["type"].endswith("thinking")
    _, result = to(NAME, input=given)
    assert len(result.dropped) == 1, "OpenAI itself would refuse it"


def test_calls_from_elsewhere_keep_nothing_at_openai() -> None:
    body, result = of(
        "anthropic-messages",
        "/v1/messages",
        system=[{"type": "text", "text": "Be"}, {"type": "text", "text": " brief."}],
        messages=[USER],
        tools=[{"name": "f", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "f"},
        thinking={"type": "enabled", "budget_tokens": 2048},
        top_k=3,
        stop_sequences=["x"],
        stream=True,
    )
    assert body == {
        "model": "m",
        "instructions": "Be brief.",
        "input": [USER],
        "stream": True,
        "max_output_tokens": 9,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "tools": [{**TOOL, "strict": False}],
        "tool_choice": {"type": "function", "name": "f"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert result.dropped == ("top_k", "stop")


def test_chat_messages_become_items() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    image = {"type": "image_url", "image_url": {"url": "https://x.test"}}
    body, _ = of(
        "openai-chat",
        "/v1/chat/completions",
        messages=[
            {"role": "user", "content": [image, {"type": "text", "text": "see"}]},
            {"role": "assistant", "content": "Hm.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "r"},
            {"role": "developer", "content": "Now."},
        ],
    )
    assert body["input"] == [
        {
            "role": "user",
            "content": [
                {
                    "type": "input_image",
                    "detail": "auto",
                    "image_url": "https://x.test",
                },
                {"type": "input_text", "text": "see"},
            ],
        },
        {"role": "assistant", "content": "Hm."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "r"},
        {"role": "developer", "content": "Now."},
    ]


def test_encrypted_reasoning_is_asked_of_models_that_reason_alone() -> None:
    asked = ["reasoning.encrypted_content"]
    said: dict[str, Any] = {"messages": [USER]}
    body, _ = of("openai-chat", "/v1/chat/completions", **said)
    assert "include" not in body, "models that do not reason refuse it"
    body, _ = of("openai-chat", "/v1/chat/completions", **said, logprobs=True)
    assert body["include"] == ["message.output_text.logprobs"]
    body, _ = of("openai-chat", "/v1/chat/completions", **said, reasoning_effort="low")
    assert body["include"] == asked
    detail = {
        "type": "reasoning.encrypted",
        "data": "rs_1:gAAAA",
        "format": "openai-responses-v1",
    }
    turn = {"role": "assistant", "content": "Hm.", "reasoning_details": [detail]}
    body, _ = of("openai-chat", "/v1/chat/completions", messages=[USER, turn, USER])
    assert body["include"] == asked


def test_several_answers_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"^n cannot be sent"):
        of("openai-chat", "/v1/chat/completions", messages=[USER], n=2)


def test_sequence_numbers_count_every_event() -> None:
    told = [events.Started("r", "m"), events.BlockOpened(0, 0, "text")]
    told += [events.Text(0, 0, "a"), events.Text(0, 0, "b")]
    told += [events.BlockClosed(0, 0), events.Ended()]
    numbers = [
        msgspec.json.decode(frame.data)["sequence_number"]
        for frame in write(NAME, told)
    ]
    assert numbers == list(range(len(numbers)))


def test_error_in_a_stream_has_responses_own_event() -> None:
    (frame,) = chat(NAME).broken(Unavailable("m"), "r")
    told = msgspec.json.decode(frame.data)
    assert (frame.type, told["type"], told["message"]) == ("error", "error", "m")
    (failed,) = read(NAME, [frame])
    assert isinstance(failed, events.Failed)
    assert failed.message == "m"


def test_response_that_failed_is_an_error_streamed_or_whole() -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow down"}
    response = {"status": "failed", "error": error, "output": []}
    whole = chat(NAME).reader(Rendered(b"")).whole(msgspec.json.encode(response))
    event = {"type": "response.failed", "response": response}
    frame = SSEFrame("response.failed", msgspec.json.encode(event))
    for failed in (whole, read(NAME, [frame])[0]):
        assert isinstance(failed, events.Failed)
        assert (failed.kind, failed.status) == ("rate_limit", 429)
