"""
Signatures of tool calls come back in the next turn, each on its own call, whatever
dialect the client speaks: Gemini refuses the turn otherwise.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.dialects import foreign
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.frame import SSEFrame
from aigw.model.part import Redacted, Signature, ToolCall
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import CHAT_DIALECTS, call_of, chat, read, write
from .test_streams import check_grammar
from .turns import NEXT, STREAMED, WHOLE

GEMINI = "gemini-3-pro-preview"
FORMS = ("streamed", "whole")
#: What Google takes for the signature of a call that has none.
UNSIGNED = "skip_thought_signature_validator"


def call(id: str, city: str, signature: str = "") -> dict[str, Any]:
    given: dict[str, Any] = {"name": "weather", "args": {"city": city}}
    if id:
        given["id"] = id
    part: dict[str, Any] = {"functionCall": given}
    if signature:
        part["thoughtSignature"] = signature
    return part


#: An answer's parts; what of them must be in the next request.
ANSWERS = {
    "one": [call("wq1", "Rome", "c2lnMQ==")],
    "the first of three, behind words": [
        {"text": "Let me look."},
        call("wq1", "Rome", "c2lnMQ=="),
        call("wq2", "Oslo"),
        call("wq3", "Bonn"),
    ],
    "each of three": [
        call("wq1", "Rome", "c2lnMQ=="),
        call("wq2", "Oslo", "c2ln+/I="),
        call("wq3", "Bonn", "c2lnMw=="),
    ],
    "the last of two alike": [call("wq1", "Rome"), call("wq2", "Rome", "c2lnMg==")],
    "without ids": [call("", "Rome", "c2lnMQ=="), call("", "Rome", "c2lnMg==")],
    "ids that no dialect takes": [
        call("a.b:c/ä 1", "Rome", "c2lnMQ=="),
        call("a.b:c/ä 2" * 9, "Oslo", "c2lnMg=="),
    ],
}


def answered(parts: list[Any]) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": GEMINI}


def turn_of(client: str, parts: list[Any], form: str) -> Any:
    """What a client of that dialect makes of Gemini's answer."""
    body = msgspec.json.encode(answered(parts))
    if form == "streamed":
        frames = [SSEFrame(data=body)]
        return STREAMED[client](write(client, read("gemini", frames)))
    answer = chat("gemini").reader(Rendered(b"")).whole(body)
    assert isinstance(answer, Answer)
    told = chat(client).writer(call_of(client), 1, "r").whole(answer)
    return WHOLE[client](msgspec.json.decode(told))


def sent(client: str, turn: Any) -> tuple[list[Any], tuple[str, ...]]:
    """The model's parts in the next request to Gemini, and what was dropped."""
    path, body = NEXT[client](turn)
    parsed = chat(client).parse(request(path, msgspec.json.encode(body)))
    rendered = chat("gemini").render(parsed, Target(model=GEMINI))
    contents = msgspec.json.decode(rendered.body)["contents"]
    return contents[1]["parts"], rendered.dropped


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("client", CHAT_DIALECTS)
@pytest.mark.parametrize("name", ANSWERS)
def test_each_call_has_its_own_signature_again(
    client: str, name: str, form: str
) -> None:
    parts = ANSWERS[name]
    again, _ = sent(client, turn_of(client, parts, form))
    told = [
        (part["functionCall"]["args"], part.get("thoughtSignature"))
        for part in again
        if "functionCall" in part
    ]
    expected = [
        (part["functionCall"]["args"], part.get("thoughtSignature"))
        for part in parts
        if "functionCall" in part
    ]
    if expected[0][1] is None and client != "gemini":
        expected[0] = expected[0][0], UNSIGNED  # the first must be signed somehow
    assert told == expected
    others = [part for part in again if "functionCall" not in part and part["text"]]
    assert others == [part for part in parts if "functionCall" not in part]


@pytest.mark.parametrize("client", CHAT_DIALECTS)
def test_signed_calls_come_back_when_results_stand_between_them(client: str) -> None:
    """Two steps of one turn: the first call's signature is wanted in the second."""
    turn = turn_of(client, ANSWERS["each of three"], "streamed")
    path, body = NEXT[client](turn)
    second = turn_of(client, [call("wq9", "Lima", "c2lnOQ==")], "whole")
    key = next(k for k in ("messages", "input", "contents") if k in body)
    _, more = NEXT[client](second)
    body[key] += more[key][1:]
    parsed = chat(client).parse(request(path, msgspec.json.encode(body)))
    rendered = chat("gemini").render(parsed, Target(model=GEMINI))
    contents = msgspec.json.decode(rendered.body)["contents"]
    signed = [
        part["thoughtSignature"]
        for content in contents
        for part in content["parts"]
        if "functionCall" in part
    ]
    assert signed == ["c2lnMQ==", "c2ln+/I=", "c2lnMw==", "c2lnOQ=="]
    assert not [path for path in rendered.dropped if "sign" in path]


@pytest.mark.parametrize(
    "client", ["anthropic-messages", "bedrock-converse", "openai-responses"]
)
def test_signature_whose_call_was_left_out_goes_onto_no_other(client: str) -> None:
    turn = turn_of(client, ANSWERS["each of three"], "whole")
    blocks = turn if isinstance(turn, list) else turn["content"]
    del blocks[2]  # the second call; its signature stays
    again, dropped = sent(client, turn)
    signatures = [part.get("thoughtSignature") for part in again]
    assert signatures == ["c2lnMQ==", "c2lnMw=="]
    assert [path for path in dropped if "redacted" in path]


@pytest.mark.parametrize("client", CHAT_DIALECTS)
@pytest.mark.parametrize("target", CHAT_DIALECTS)
def test_signatures_of_calls_reach_nobody_but_their_vendor(
    client: str, target: str
) -> None:
    path, body = NEXT[client](turn_of(client, ANSWERS["each of three"], "whole"))
    parsed = chat(client).parse(request(path, msgspec.json.encode(body)))
    rendered = chat(target).render(parsed, Target(model="other"))
    said = rendered.body.decode()
    if target == "gemini" or client == target == "openai-chat":
        assert "c2lnMQ" in said
        return
    assert "c2lnMQ" not in said
    assert "YWln" not in said, "nor packed"
    assert [path for path in rendered.dropped if path.endswith(".signature")]


def test_signatures_stand_behind_their_calls_where_the_dialect_has_no_place() -> None:
    turn = turn_of(
        "anthropic-messages", ANSWERS["the first of three, behind words"], "whole"
    )
    assert [block["type"] for block in turn["content"]] == [
        "text",
        "tool_use",
        "redacted_thinking",
        "tool_use",
        "tool_use",
    ]
    assert turn["content"][2]["data"].startswith("aigw.gemini:")
    assert turn["content"][2]["data"].endswith(".c2lnMQ==")


def chat_chunks(*deltas: dict[str, Any]) -> list[Any]:
    choices = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    chunks = [{"id": "c", "choices": [choice]} for choice in choices]
    return [SSEFrame(data=msgspec.json.encode(chunk)) for chunk in chunks] + [
        SSEFrame(data=b"[DONE]")
    ]


def chat_call(index: int) -> dict[str, Any]:
    function = {"name": "weather", "arguments": '{"city":"Rome"}'}
    one = {"index": index, "id": f"call_{index}", "function": function}
    return {"tool_calls": [one]}


def chat_detail(index: int, value: str) -> dict[str, Any]:
    entry = {"type": "reasoning.encrypted", "data": value, "id": f"call_{index}"}
    return {"reasoning_details": [{**entry, "format": "google-gemini-v1"}]}


def google_call(index: int, value: str, place: str = "google") -> dict[str, Any]:
    """As Google's own OpenAI-compatible API tells it: whole, and without an index."""
    one = {**chat_call(index)["tool_calls"][0]}
    del one["index"]
    extra = {place: {"thought_signature": value}}
    return {"tool_calls": [{**one, "type": "function", "extra_content": extra}]}


#: Where servers that speak chat completions may tell the signatures of calls 0 and 1.
PLACES = {
    "behind each call": [
        chat_call(0),
        chat_detail(0, "c2lnMQ=="),
        chat_call(1),
        chat_detail(1, "c2lnMg=="),
    ],
    "before each call": [
        chat_detail(0, "c2lnMQ=="),
        chat_call(0),
        chat_detail(1, "c2lnMg=="),
        chat_call(1),
    ],
    "behind all calls": [
        chat_call(0),
        chat_call(1),
        chat_detail(1, "c2lnMg=="),
        chat_detail(0, "c2lnMQ=="),
    ],
    "on each call": [google_call(0, "c2lnMQ=="), google_call(1, "c2lnMg==")],
    "on each call, Vertex AI's": [
        google_call(0, "c2lnMQ==", "vertex"),
        google_call(1, "c2lnMg==", "vertex"),
    ],
    "in the same chunk": [
        chat_call(0) | chat_detail(0, "c2lnMQ=="),
        chat_call(1) | chat_detail(1, "c2lnMg=="),
    ],
}


@pytest.mark.parametrize("client", CHAT_DIALECTS)
@pytest.mark.parametrize("place", PLACES)
def test_signatures_told_by_chat_completions_find_their_calls(
    client: str, place: str
) -> None:
    told = read("openai-chat", chat_chunks(*PLACES[place]))
    check_grammar(told)
    assert not [event for event in told if isinstance(event, events.Text)]
    again, _ = sent(client, STREAMED[client](write(client, told)))
    calls = [part for part in again if "functionCall" in part]
    assert [part["thoughtSignature"] for part in calls] == ["c2lnMQ==", "c2lnMg=="]


@pytest.mark.parametrize("client", sorted({*CHAT_DIALECTS} - {"openai-chat"}))
def test_calls_signed_by_googles_chat_completions_go_back_there(client: str) -> None:
    deltas = google_call(0, "c2lnMQ=="), google_call(1, "c2lnMg==")
    calls = [call for delta in deltas for call in delta["tool_calls"]]
    told = read("openai-chat", chat_chunks(*deltas))
    path, body = NEXT[client](STREAMED[client](write(client, told)))
    parsed = chat(client).parse(request(path, msgspec.json.encode(body)))
    target = Target(model=GEMINI, extensions=frozenset({"extra_content"}))
    rendered = chat("openai-chat").render(parsed, target)
    messages = msgspec.json.decode(rendered.body)["messages"]
    assert messages[1]["tool_calls"] == calls
    assert not [path for path in rendered.dropped if "sign" in path]

    message = {"role": "assistant", "content": None, "tool_calls": calls}
    whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    answer = chat("openai-chat").reader(Rendered(b"")).whole(msgspec.json.encode(whole))
    assert isinstance(answer, Answer)
    signed = [
        part.signature for part in answer.choices[0].parts if isinstance(part, ToolCall)
    ]
    assert signed == [Signature("gemini", "c2lnMQ=="), Signature("gemini", "c2lnMg==")]


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        (f"google/{GEMINI}", UNSIGNED),
        ("gemini-2.5-flash", None),
        ("meta/llama-4-maverick", None),
    ],
)
def test_unsigned_call_is_signed_for_googles_chat_completions(
    model: str, signature: str | None
) -> None:
    turn = turn_of(
        "anthropic-messages", [call("wq1", "Rome"), call("wq2", "Oslo")], "whole"
    )
    path, body = NEXT["anthropic-messages"](turn)
    begun = [*body["messages"], {"role": "user", "content": "and now?"}]
    body["messages"] = [*begun, *body["messages"][1:]]
    parsed = chat("anthropic-messages").parse(request(path, msgspec.json.encode(body)))
    target = Target(model=model, extensions=frozenset({"extra_content"}))
    rendered = chat("openai-chat").render(parsed, target)
    signatures = [
        one.get("extra_content", {}).get("google", {}).get("thought_signature")
        for message in msgspec.json.decode(rendered.body)["messages"]
        for one in message.get("tool_calls", ())
    ]
    assert signatures == [None, None, signature, None], "the turn under way alone"
    missing = ("reasoning (signature missing)",) if signature else ()
    assert rendered.dropped == missing


def test_calls_are_sent_with_their_reasoning_where_that_is_demanded() -> None:
    """DeepSeek refuses them without it, even where there was none."""
    turn = turn_of("anthropic-messages", ANSWERS["one"], "whole")
    path, body = NEXT["anthropic-messages"](turn)
    asked = request(path, msgspec.json.encode(body))
    target = Target(extensions=frozenset({"reasoning_content"}))
    call = chat("anthropic-messages").parse(asked)
    for extended, expected in ((target, ""), (Target(), None)):
        made = msgspec.json.decode(chat("openai-chat").render(call, extended).body)
        assert made["messages"][1].get("reasoning_content") == expected
        assert "reasoning_content" not in made["messages"][0]


def test_marks_are_taken_apart_again_whatever_the_vendor_is_called() -> None:
    for vendor in ("gemini", "xai-responses-v1", "unknown", "a b"):
        signature = Signature(vendor, "va.l:ue")
        assert foreign.unpack(foreign.pack(signature, "anthropic"), "x") == signature
        marked = Redacted(foreign.of_call(signature, "c1"))
        bare = ToolCall("c1", "f", "{}")
        (bound,) = foreign.bound([bare, marked])
        assert isinstance(bound, ToolCall)
        assert bound.signature == signature
    for odd in ("a.b", "a:b", "", ":"):
        packed = foreign.pack(Signature(odd, "v"), "anthropic")
        assert foreign.unpack(packed, "anthropic").vendor not in ("anthropic", "gemini")
