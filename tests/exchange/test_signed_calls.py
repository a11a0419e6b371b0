"""A client of Messages goes on with a call that Gemini signed, over either API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.model.instance import Endpoint, Instance
from aigw.model.route import Route

from .site import JSON, Site

HI = {"role": "user", "content": "hi"}
ASKED = {"model": "gemini-3-pro-preview", "max_tokens": 99}
FUNCTION = {"name": "weather", "arguments": '{"city":"Rome"}'}
SIGNED = {"google": {"thought_signature": "c2lnMQ=="}}
CALL = {
    "id": "wq1",
    "type": "function",
    "function": FUNCTION,
    "extra_content": SIGNED,
}
CHAT = {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ]
}
PART = {
    "functionCall": {"name": "weather", "id": "wq1", "args": {"city": "Rome"}},
    "thoughtSignature": "c2lnMQ==",
}
NATIVE = {"candidates": [{"content": {"parts": [PART]}, "finishReason": "STOP"}]}


@pytest.mark.parametrize(
    ("dialect", "answer"), [("openai-chat", CHAT), ("gemini", NATIVE)]
)
def test_signature_comes_back_in_the_next_turn(dialect: str, answer: Any) -> None:
    one = Instance(
        "one",
        "gemini",
        endpoint=Endpoint("http", "provider.test", 80),
        provider_conf={"dialect": dialect},
    )
    here = Site(Route("messages", ("/v1/*",), (one,)))

    def ask(messages: list[Any]) -> Any:
        body = msgspec.json.encode({**ASKED, "messages": messages})
        client = here.ask(body, target=b"/v1/messages")
        sent = msgspec.json.decode(here.call.outbound.body)
        here.call.answer(200, JSON, msgspec.json.encode(answer))
        return sent, msgspec.json.decode(client.written)

    _, said = ask([HI])
    turn = {"role": "assistant", "content": said["content"]}
    result = {"type": "tool_result", "tool_use_id": "wq1", "content": "sunny"}
    sent, _ = ask([HI, turn, {"role": "user", "content": [result]}])
    if dialect == "gemini":
        assert sent["contents"][1]["parts"] == [PART]
    else:
        assert sent["messages"][1]["tool_calls"] == [CALL]
    assert [record.dropped_fields for record in here.kept.records] == [(), ()]
