"""Gemini: paths, requests both ways, ids, signatures, errors."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest, GatewayError
from aigw.model import event as events
from aigw.model.call import Call
from aigw.model.finish import Finish
from aigw.model.frame import SSEFrame
from aigw.model.part import Media, Signature, Text, Thinking, ToolCall, ToolResult
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import bytes_of, chat, frames_of, gathered, read, write

NAME = "gemini"
PATH = "/v1beta/models/gemini-2.5-pro:generateContent"
STREAM = "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
HI = {"role": "user", "parts": [{"text": "hi"}]}


def parsed(path: str = PATH, query: bytes = b"", **body: Any) -> Call:
    envelope = request(path, msgspec.json.encode({"contents": [HI], **body}))
    envelope.query = query
    return chat(NAME).parse(envelope)


def to(target: str, **body: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = chat(target).render(parsed(**body), Target(max_tokens=9))
    return msgspec.json.decode(found.body), found.dropped


def of(model: str = "gemini-2.5-flash", **body: Any) -> tuple[Any, tuple[str, ...]]:
    """A chat completion request as Gemini's."""
    given = {"messages": [{"role": "user", "content": "hi"}], "model": model, **body}
    raw = msgspec.json.encode(given)
    call = chat("openai-chat").parse(request("/v1/chat/completions", raw))
    found = chat(NAME).render(call, Target())
    return msgspec.json.decode(found.body), found.dropped


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (PATH, NAME),
        (f"{STREAM}/", NAME),
        ("/v1/projects/p/locations/l/publishers/google/models/m:generateContent", NAME),
        ("/v1beta/tunedModels/m:generateContent", NAME),
        ("/v1beta/models/m:countTokens", "passthrough"),
        ("/v1beta/models/m:embedContent", "passthrough"),
        ("/v1/projects/p/locations/l/endpoints/1:generateContent", "passthrough"),
    ],
)
def test_path_says_that_it_is_gemini(path: str, name: str) -> None:
    body = b'{"contents":[],"messages":[]}'
    assert dialects.detect(request(path, body)).name == name


def test_path_names_the_model_and_asks_for_a_stream() -> None:
    plain = parsed(model="other", stream=True)
    assert (plain.model, plain.stream) == ("gemini-2.5-pro", False)
    assert request(PATH, b'{"model":"other"}').model == "gemini-2.5-pro"
    assert parsed(STREAM, b"key=k&alt=sse").stream
    for query in (b"", b"alt=json"):
        with pytest.raises(BadRequest, match="alt=sse"):
            parsed(STREAM, query)


def test_both_names_of_a_field_and_lone_objects_are_read() -> None:
    call = parsed(
        system_instruction={"parts": {"text": "Be brief."}},
        contents={"parts": [{"inline_data": {"mime_type": "image/png", "data": "_-"}}]},
        tools={"function_declarations": [{"name": "f"}]},
        generation_config={"max_output_tokens": 5, "top_k": 40.0},
    )
    assert call.messages[0].parts == (Text("Be brief."),)
    assert call.messages[1].parts == (Media("image", "base64", "/+", "image/png"),)
    assert [tool.name for tool in call.tools] == ["f"]
    assert (call.max_tokens, call.top_k) == (5, 40)


def test_request_becomes_a_chat_completion() -> None:
    schema = {"type": "OBJECT", "properties": {"q": {"type": "STRING"}}}
    body, dropped = to(
        "openai-chat",
        path=STREAM,
        query=b"alt=sse",
        systemInstruction={"parts": [{"text": "Be brief."}]},
        contents=[
            HI,
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "g", "args": {}}}]},
            {
                "parts": [
                    {"functionResponse": {"name": "g", "response": {"output": "2"}}},
                    {"functionResponse": {"name": "f", "response": {"a": 1}}},
                ]
            },
        ],
        tools=[{"functionDeclarations": [{"name": "f", "parameters": schema}]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY"}},
        generationConfig={"temperature": 0.5, "candidateCount": 2, "topK": 3},
        safetySettings=[],
    )
    first, second = (call["id"] for call in body["messages"][2]["tool_calls"])
    assert first != second
    assert [(m["tool_call_id"], m["content"]) for m in body["messages"][3:]] == [
        (second, "2"),
        (first, '{"a":1}'),
    ]
    assert body["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"q": {"type": "string"}},
    }
    assert (body["tool_choice"], body["n"], body["stream"]) == ("required", 2, True)
    assert dropped == ("safetySettings", "top_k")


def test_chat_completion_becomes_a_request() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "9f", "arguments": ""}}
    tool = {"type": "function", "function": {"name": "9f", "parameters": {"a": 1}}}
    body, dropped = of(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        ],
        tools=[tool],
        tool_choice={"type": "function", "function": {"name": "9f"}},
        max_tokens=7,
        stop=["a", "b"],
        seed=2**40,
        logprobs=True,
        top_logprobs=2,
        reasoning_effort="low",
        response_format={"type": "json_object"},
        user="u",
        parallel_tool_calls=False,
    )
    name = body["tools"][0]["functionDeclarations"][0]["name"]
    assert name.startswith("_9f_")
    assert body == {
        "model": "gemini-2.5-flash",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            HI,
            {
                "role": "model",
                "parts": [{"functionCall": {"name": name, "id": "c1", "args": {}}}],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "name": name,
                            "id": "c1",
                            "response": {"output": "done"},
                        }
                    }
                ],
            },
        ],
        "tools": [
            {"functionDeclarations": [{"name": name, "parametersJsonSchema": {"a": 1}}]}
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}
        },
        "generationConfig": {
            "maxOutputTokens": 7,
            "seed": 0,
            "stopSequences": ["a", "b"],
            "responseLogprobs": True,
            "logprobs": 2,
            "responseMimeType": "application/json",
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
        },
    }
    assert dropped == ("seed (clamped)", "user", "parallel_tool_calls")


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (
            "gemini-2.5-pro",
            "high",
            {"includeThoughts": True, "thinkingBudget": 24576},
        ),
        (
            "gemini-3-pro-preview",
            "minimal",
            {"includeThoughts": True, "thinkingLevel": "LOW"},
        ),
        ("gemini-3-flash", "none", {"thinkingLevel": "MINIMAL"}),
        ("gemini-2.0-flash", "high", None),
    ],
)
def test_effort_is_told_as_the_model_takes_it(
    model: str, effort: str, config: Any
) -> None:
    body, _ = of(model, reasoning_effort=effort)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


def test_what_the_answer_would_be_wrong_without_is_refused() -> None:
    with pytest.raises(BadRequest, match="cannot be sent"):
        of(tools=[{"type": "custom", "custom": {"name": "x"}}])
    with pytest.raises(BadRequest, match="no call has its id"):
        of(messages=[{"role": "tool", "tool_call_id": "c9", "content": "x"}])
    for target in ("openai-chat", "anthropic-messages"):
        with pytest.raises(BadRequest, match=r"^cachedContent cannot be sent"):
            to(target, cachedContent="cachedContents/x")


def test_signature_of_a_call_survives_a_client_of_chat_completions() -> None:
    told = read(NAME, frames_of(NAME, bytes_of(NAME, "tool", ".sse")))
    said = gathered("openai-chat", read("openai-chat", write("openai-chat", told)))
    (call,) = said.choices[0].parts
    assert isinstance(call, ToolCall)
    assert call.signature == Signature("gemini", "CiQBjz1rX+8/c2ln")
    function = {"name": call.name, "arguments": call.arguments}
    turn: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call.id, "type": "function", "function": function}],
    }
    detail = {
        "type": "reasoning.encrypted",
        "data": call.signature.value,
        "format": "google-gemini-v1",
        "id": call.id,
    }
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    user = {"role": "user", "content": "hi"}
    kept = {**turn, "reasoning_details": [detail]}
    body, dropped = of("gemini-3-flash", messages=[user, kept, result])
    assert body["contents"][1]["parts"] == [
        {
            "functionCall": {"name": "get_weather", "args": {"city": "Paris"}},
            "thoughtSignature": "CiQBjz1rX+8/c2ln",
        }
    ], "the id was made here, and Google never saw it"
    assert dropped == ()
    body, dropped = of("gemini-3-flash", messages=[user, turn, result])
    signature = body["contents"][1]["parts"][0]["thoughtSignature"]
    assert signature == "skip_thought_signature_validator"
    assert dropped == ("reasoning (signature missing)",)
    _, dropped = of("gemini-2.5-flash", messages=[user, turn, result])
    assert dropped == (), "older models do not ask for it"


def test_signature_of_another_vendor_comes_back_whole_from_the_pieces() -> None:
    source = "anthropic-messages"
    told = read(source, frames_of(source, bytes_of(source, "thinking", ".sse")))
    chunks = [msgspec.json.decode(frame.data) for frame in write(NAME, told)]
    pieces = [one["candidates"][0]["content"] for one in chunks if "candidates" in one]
    parts = parsed(contents=[HI, *pieces, HI]).messages[1].parts
    expected = gathered(source, told).choices[0].parts[0]
    assert isinstance(expected, Thinking)
    assert expected.signature is not None
    assert parts[0] == expected
    body, _ = to(source, contents=[HI, *pieces, HI])
    assert body["messages"][1]["content"][0]["signature"] == expected.signature.value


def test_calls_are_told_apart_from_turn_to_turn() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    ids = set()
    for answer in ("one", "two"):
        candidate = {"content": {"parts": [call, call]}, "finishReason": "STOP"}
        told = {"candidates": [candidate], "responseId": answer}
        found = read(NAME, [SSEFrame(data=msgspec.json.encode(told))])
        ids |= {e.id for e in found if isinstance(e, events.BlockOpened)}
    assert len(ids) == 4
    assert all(id.startswith("gcall_") for id in ids)


def test_failed_results_and_media_in_results_are_carried() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "AA"}}
    call = parsed(
        contents=[
            {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "c"}}]},
            {
                "parts": [
                    {
                        "functionResponse": {
                            "name": "f",
                            "id": "c",
                            "response": {"error": "no"},
                            "parts": [image],
                        }
                    }
                ]
            },
        ]
    )
    media = Media("image", "base64", "AA", "image/png")
    result = ToolResult("c", (Text("no"), media), "f", error=True)
    assert call.messages[1].parts == (result,)


def test_stream_whose_finish_never_came_is_not_ended() -> None:
    frames = frames_of(NAME, bytes_of(NAME, "plain", ".sse"))[:-1]
    assert not isinstance(read(NAME, frames)[-1], events.Ended)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("RECITATION", Finish.FILTERED),
        ("MALFORMED_FUNCTION_CALL", Finish.MALFORMED),
        ("NEW_REASON", Finish.OTHER),
    ],
)
def test_finish_reasons_keep_their_word(word: str, reason: Finish) -> None:
    told = {"candidates": [{"finishReason": word}]}
    found = read(NAME, [SSEFrame(data=msgspec.json.encode(told))])
    assert events.Finished(0, reason, word) in found


def test_errors_are_told_and_read_in_googles_words() -> None:
    error = GatewayError("slow", status=429, kind="rate_limit", retry_after=2.5)
    status, headers, body = chat(NAME).problem(error, "r")
    told = msgspec.json.decode(body)["error"]
    assert (status, told["code"], told["status"]) == (429, 429, "RESOURCE_EXHAUSTED")
    assert dict(headers)[b"retry-after"] == b"3"
    for given in (body, b"[%s]" % body):
        failed = chat(NAME).reader(Rendered(b"")).problem(429, [], given)
        assert (failed.kind, failed.message) == ("rate_limit", "slow")
        assert failed.retry_after == 3
    bad = {"code": 400, "message": "m", "details": [{"reason": "API_KEY_INVALID"}]}
    raw = msgspec.json.encode({"error": bad})
    failed = chat(NAME).reader(Rendered(b"")).problem(400, [], raw)
    assert failed.kind == "authentication"


def test_tap_reads_the_array_of_a_stream_without_sse() -> None:
    frames = frames_of(NAME, bytes_of(NAME, "plain", ".sse"))
    tap = chat(NAME).tap(collect=True)
    tap.whole(b"[%s]" % b",\n".join(frame.data for frame in frames))
    assert tap.finished
    assert tap.text() == "Hello, wörld!"
    assert tap.usage is not None
    assert tap.usage.output == 4
