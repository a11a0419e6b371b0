"""Requests of and for Converse: what it alone demands, and what it alone has."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from aigw import dialects
from aigw.errors import BadRequest
from aigw.model.part import Cache, Media, Signature, Text, Thinking
from aigw.model.rendered import Rendered, Target

from .requests import request
from .streams import chat

NAME = "bedrock-converse"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
USER = {"role": "user", "content": "hello"}
ASKED = {"role": "user", "content": [{"text": "hello"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def of(origin: str, path: str, **body: Any) -> tuple[dict[str, Any], Rendered]:
    """A request of another dialect as Converse has it."""
    given = {"model": CLAUDE, "messages": [USER], **body}
    call = chat(origin).parse(request(path, msgspec.json.encode(given)))
    result = chat(NAME).render(call, Target())
    return msgspec.json.decode(result.body), result


def of_chat(**body: Any) -> tuple[dict[str, Any], Rendered]:
    return of("openai-chat", "/v1/chat/completions", **body)


def of_messages(**body: Any) -> tuple[dict[str, Any], Rendered]:
    return of("anthropic-messages", "/v1/messages", max_tokens=4096, **body)


def parsed(path: str = "/model/m/converse", **body: Any) -> Any:
    given = {"messages": [ASKED], **body}
    return chat(NAME).parse(request(path, msgspec.json.encode(given)))


def to(target: str, **body: Any) -> tuple[dict[str, Any], Rendered]:
    result = chat(target).render(parsed(**body), Target())
    return msgspec.json.decode(result.body), result


# -- detection


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/model/m/converse", NAME),
        ("/model/m/converse-stream", NAME),
        ("/model/m/converse-stream/", NAME),
        ("/prefix/converse", NAME),
        ("/model/m/invoke", "bedrock-invoke"),
        ("/model/m/invoke-with-response-stream", "bedrock-invoke"),
    ],
)
def test_converse_is_known_by_its_path(path: str, name: str) -> None:
    assert dialects.detect(request(path, b'{"messages":[]}')).name == name


@pytest.mark.parametrize(
    ("path", "body", "streams"),
    [
        ("/model/m/converse", b'{"messages":[]}', False),
        ("/model/m/converse-stream", b'{"messages":[]}', True),
        ("/model/m/converse-stream/", b'{"messages":[]}', True),
        ("/model/m/converse", b'{"messages":[],"stream":true}', True),
    ],
)
def test_a_stream_is_asked_for_by_path_or_by_the_references_flag(
    path: str, body: bytes, streams: bool
) -> None:
    assert chat(NAME).streams(request(path, body)) is streams


@pytest.mark.parametrize(
    "model",
    [
        "amazon.nova-lite-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.x.y-v1:0",
        "größe",
    ],
)
def test_the_path_names_the_model_for_all_who_ask(model: str) -> None:
    envelope = request(f"/model/{model}/converse", b'{"messages":[{}],"model":"x"}')
    assert envelope.model == model
    assert parsed(f"/model/{model}/converse-stream").model == model
    assert request("/model/{model}/converse", b'{"model":"x"}').model == "x"


def test_markers_are_no_tools() -> None:
    tools = [{"toolSpec": {}}, {"systemTool": {}}, {"cachePoint": {"type": "default"}}]
    body = msgspec.json.encode({"messages": [], "toolConfig": {"tools": tools}})
    assert chat(NAME).tool_count(request("/converse", body)) == 2
    assert chat(NAME).prompt(request("/converse", body)) == b"[]"


# -- rendered for Bedrock


def test_neighbours_of_one_role_become_one_turn() -> None:
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": ""}}
        for n in (1, 2)
    ]
    body, _ = of_chat(
        messages=[
            {"role": "system", "content": "Be brief."},
            USER,
            {"role": "user", "content": "world"},
            {"role": "assistant", "content": " ", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": ""},
            {"role": "user", "content": "and?"},
        ],
        tools=[TOOL],
    )
    assert body["system"] == [{"text": "Be brief."}]
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "hello"}, {"text": "world"}]},
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": id, "name": "f", "input": {}}}
                for id in ("c1", "c2")
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "c1", "content": [{"text": "one"}]}},
                {"toolResult": {"toolUseId": "c2", "content": []}},
                {"text": "and?"},
            ],
        },
    ]


def test_names_and_ids_fit_and_names_come_back() -> None:
    name, id = "tools.search/ünï", "call|" + "x" * 80
    call = {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}
    body, result = of_chat(
        messages=[
            USER,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": id, "content": "r"},
        ],
        tools=[{"type": "function", "function": {"name": name}}],
        tool_choice={"type": "function", "function": {"name": name}},
    )
    spec = body["toolConfig"]["tools"][0]["toolSpec"]
    fitted = spec["name"]
    assert fitted.startswith("tools_search__n__")
    assert spec["inputSchema"]["json"] == {"type": "object", "properties": {}}
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": fitted}}
    use = body["messages"][1]["content"][0]["toolUse"]
    given = body["messages"][2]["content"][0]["toolResult"]
    assert use["name"] == fitted
    assert use["toolUseId"] == given["toolUseId"]
    assert len(use["toolUseId"]) <= 64
    assert result.names == {fitted: name}
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"toolUse": use}]}}
    }
    whole = chat(NAME).reader(result).whole(msgspec.json.encode(answer))
    assert whole.choices[0].parts[0].name == name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("model", "kept"), [("moonshot.kimi-k2", True), ("us.anthropic.claude-x", False)]
)
def test_ids_stay_what_they_are_but_for_claude_whose_api_takes_fewer(
    model: str, kept: bool
) -> None:
    id = "functions.look:0"
    call = {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": id, "content": "r"},
    ]
    body, _ = of_chat(model=model, messages=[USER, *said])
    use = body["messages"][1]["content"][0]["toolUse"]["toolUseId"]
    assert use == body["messages"][2]["content"][0]["toolResult"]["toolUseId"]
    assert (use == id) is kept
    assert re.fullmatch("[a-zA-Z0-9_.:-]+" if kept else "[a-zA-Z0-9_-]+", use)


def test_no_tool_may_be_called_where_none_is_shown() -> None:
    body, result = of_chat(tools=[TOOL], tool_choice="none")
    assert "toolConfig" not in body
    assert result.dropped == ()


def test_turns_with_calls_keep_some_tool_defined() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        USER,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    body, result = of_chat(messages=turns)
    assert [t["toolSpec"]["name"] for t in body["toolConfig"]["tools"]] == ["f"]
    assert result.dropped == ("tools (clamped)",)
    body, result = of_chat(messages=turns, tools=[TOOL], tool_choice="none")
    assert "toolChoice" not in body["toolConfig"]
    assert result.dropped == ("tool_choice",)


def test_sampling_has_its_places_and_bounds() -> None:
    body, result = of_chat(
        model="meta.llama3-1-70b-instruct-v1:0",
        temperature=1.5,
        top_p=0.9,
        max_tokens=7,
        stop=["x", " "],
        seed=1,
        parallel_tool_calls=False,
    )
    assert body["inferenceConfig"] == {
        "maxTokens": 7,
        "temperature": 1,
        "topP": 0.9,
        "stopSequences": ["x"],
    }
    assert "additionalModelResponseFieldPaths" not in body
    assert set(result.dropped) == {
        "seed",
        "temperature (clamped)",
        "stop (clamped)",
        "parallel_tool_calls",
    }
    assert "inferenceConfig" not in of_chat()[0]


@pytest.mark.parametrize(
    ("model", "fields", "dropped"),
    [
        (CLAUDE, {"top_k": 5}, ()),
        ("amazon.nova-pro-v1:0", {"inferenceConfig": {"topK": 5}}, ()),
        ("meta.llama3-1-70b-instruct-v1:0", None, ("top_k",)),
    ],
)
def test_top_k_goes_where_the_model_has_it(
    model: str, fields: Any, dropped: tuple[str, ...]
) -> None:
    body, result = of_messages(model=model, top_k=5)
    assert body.get("additionalModelRequestFields") == fields
    assert result.dropped == dropped


@pytest.mark.parametrize(
    ("model", "fields", "dropped"),
    [
        (CLAUDE, {"thinking": {"type": "enabled", "budget_tokens": 2048}}, ()),
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "medium"}, ()),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
            (),
        ),
        ("meta.llama3-1-70b-instruct-v1:0", None, ("reasoning",)),
    ],
)
def test_reasoning_is_asked_for_as_the_model_has_it(
    model: str, fields: Any, dropped: tuple[str, ...]
) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2048}
    body, result = of_messages(model=model, thinking=thinking)
    assert body.get("additionalModelRequestFields") == fields
    assert result.dropped == dropped


def test_recent_claude_takes_an_effort_and_no_sampling() -> None:
    model = "global.anthropic.claude-opus-4-8-v1:0"
    body, result = of_chat(model=model, reasoning_effort="high", temperature=0.5)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"] == {"effort": "high"}
    assert "inferenceConfig" not in body
    assert result.dropped == ("temperature",)


def test_claude_is_asked_which_stop_sequence_it_hit() -> None:
    body, _ = of_messages(stop_sequences=["END"])
    assert body["additionalModelResponseFieldPaths"] == ["/stop_sequence"]


def test_structured_output_is_a_schema_in_a_string() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "integer"}}}
    body, _ = of_chat(
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": schema, "strict": True},
        }
    )
    told = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert msgspec.json.decode(told["schema"]) == schema
    assert told["name"] == "n"
    _, result = of_chat(response_format={"type": "json_object"})
    assert result.dropped == ("response_format",)


def test_markers_follow_what_they_mark() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    body, result = of_messages(
        system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "u", "cache_control": mark}],
            }
        ],
        tools=[{"name": "f", "input_schema": {}, "cache_control": mark}],
    )
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["system"] == [{"text": "s"}, {"cachePoint": {"type": "default"}}]
    assert body["messages"][0]["content"] == [{"text": "u"}, point]
    assert body["toolConfig"]["tools"][1] == point
    assert result.dropped == ()
    body, _ = of_messages(cache_control={"type": "ephemeral"})
    assert body["messages"][0]["content"][-1] == {"cachePoint": {"type": "default"}}


def test_models_without_a_cache_get_no_markers() -> None:
    text = {"type": "text", "text": "u", "cache_control": {"type": "ephemeral"}}
    body, result = of_messages(
        model="us.deepseek.r1-v1:0", messages=[{"role": "user", "content": [text]}]
    )
    assert body["messages"][0]["content"] == [{"text": "u"}]
    assert result.dropped == ("messages[].content[].cache_control",)


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}},
            {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "s3://bucket/a.png"}},
            {
                "image": {
                    "format": "png",
                    "source": {"s3Location": {"uri": "s3://bucket/a.png"}},
                }
            },
        ),
        (
            {
                "type": "file",
                "file": {
                    "filename": "Größe_2025.pdf",
                    "file_data": "data:application/pdf;base64,AAAA",
                },
            },
            {
                "document": {
                    "format": "pdf",
                    "name": "Gr e 2025",
                    "source": {"bytes": "AAAA"},
                }
            },
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}},
        ),
    ],
)
def test_media_have_formats_instead_of_types(
    part: dict[str, Any], block: dict[str, Any]
) -> None:
    body, _ = of_chat(messages=[{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"] == [block]


def test_documents_are_named_apart() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "t"}
    block = {"type": "document", "source": source, "title": "a.b/c  d.txt"}
    body, _ = of_messages(messages=[{"role": "user", "content": [block, block]}])
    documents = [one["document"] for one in body["messages"][0]["content"]]
    assert [one["name"] for one in documents] == ["a b c d", "a b c d 2"]
    assert documents[0]["source"] == {"bytes": b64encode(b"t").decode()}
    assert documents[0]["format"] == "txt"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file_1"}},
    ],
)
def test_media_that_bedrock_cannot_have_are_refused(part: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=r"^messages\[0\].content\[0\] cannot be sent"):
        of_chat(messages=[{"role": "user", "content": [part]}])


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("logprobs", True), ("modalities", ["audio"])]
)
def test_what_the_answer_would_be_wrong_without_is_refused(
    field: str, value: Any
) -> None:
    with pytest.raises(BadRequest, match=rf"^{field} cannot be sent"):
        of_chat(**{field: value})


def test_signed_reasoning_goes_back_to_claude_alone() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "EmwKAhgB"}
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    turns = [USER, {"role": "assistant", "content": [thought, hidden, call]}]
    body, _ = of_messages(messages=turns)
    assert body["messages"][1]["content"][:2] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": b64encode(b"EmwKAhgB").decode()}},
    ]
    body, result = of_messages(messages=turns, model="amazon.nova-pro-v1:0")
    assert [list(block) for block in body["messages"][1]["content"]] == [["toolUse"]]
    assert len(result.dropped) == 2 + 1  # and the tool the turn called is defined


def test_metadata_keeps_what_converse_takes() -> None:
    body, result = of_chat(metadata={"team": "a b", "odd": "ü", "long": "x" * 257})
    assert body["requestMetadata"] == {"team": "a b"}
    assert result.dropped == ("metadata.odd", "metadata.long")


# -- of Bedrock's own clients


def test_a_request_in_neutral_words() -> None:
    call = parsed(
        system=[{"text": "s"}, {"cachePoint": {"type": "default"}}],
        inferenceConfig={"maxTokens": 9, "topP": 0.5, "stopSequences": ["x"]},
        toolConfig={
            "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}],
            "toolChoice": {"any": {}},
        },
        additionalModelRequestFields={
            "top_k": 3,
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        },
    )
    assert call.messages[0].parts == (Text("s", cache=Cache()),)
    assert (call.max_tokens, call.top_p, call.top_k, call.stop) == (9, 0.5, 3, ("x",))
    assert (call.tools[0].name, call.tool_choice.mode) == ("f", "any")
    assert (call.reasoning.mode, call.reasoning.budget) == ("on", 2048)
    assert call.rider == ()


def test_json_results_are_text_to_others_and_json_to_bedrock() -> None:
    result = {"toolUseId": "t", "content": [{"json": {"a": [1.5]}}]}
    turns = [ASKED, {"role": "user", "content": [{"toolResult": result}]}]
    body, told = to("openai-chat", messages=turns)
    assert body["messages"][1]["content"] == '{"a":[1.5]}'
    assert told.dropped == ()
    body, _ = to(NAME, messages=turns)
    assert body["messages"][1]["content"][0]["toolResult"] == result


def test_guarded_text_is_text_elsewhere_and_the_guard_is_told() -> None:
    block = {"guardContent": {"text": {"text": "g", "qualifiers": ["query"]}}}
    turns = [{"role": "user", "content": [block]}]
    body, result = to("anthropic-messages", messages=turns)
    assert body["messages"][0]["content"] == "g"
    assert result.dropped == ("messages[].content[].guardContent",)


@pytest.mark.parametrize("field", ["guardrailConfig", "promptVariables"])
def test_what_only_aws_can_do_is_refused_elsewhere(field: str) -> None:
    with pytest.raises(BadRequest, match=rf"^{field} cannot be sent"):
        to("openai-chat", **{field: {"x": {"text": "y"}}})
    assert to(NAME, **{field: {"x": {"text": "y"}}})[1].dropped == ()


def test_reasoning_of_a_client_is_anthropics() -> None:
    wire = b64encode(b"EmwKAhgB").decode()
    blocks = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": wire}},
        {"reasoningContent": {"redactedContent": "/w=="}},
    ]
    turns = [ASKED, {"role": "assistant", "content": blocks}]
    thought, hidden, odd = parsed(messages=turns).messages[1].parts
    assert thought == Thinking("hm", Signature("anthropic", "c2ln"))
    assert hidden.signature == Signature("anthropic", "EmwKAhgB")
    assert odd.signature == Signature("bedrock", "/w==")
    body, result = to("anthropic-messages", messages=turns)
    assert [block["type"] for block in body["messages"][1]["content"]] == [
        "thinking",
        "redacted_thinking",
    ]
    assert result.dropped == ("messages[].content[].redacted",)


def test_media_in_amazons_store_are_refused_elsewhere() -> None:
    source = {"s3Location": {"uri": "s3://bucket/a", "bucketOwner": "123456789012"}}
    turns = [{"role": "user", "content": [{"image": {"source": source}}]}]
    (image,) = parsed(messages=turns).messages[0].parts
    assert isinstance(image, Media)
    assert (image.source, image.value) == ("file", "s3://bucket/a")
    for target in ("openai-chat", "anthropic-messages"):
        with pytest.raises(BadRequest, match=r"^messages\[0\].content\[0\]"):
            to(target, messages=turns)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": []}, "missing messages"),
        ({"messages": [{"role": "tool", "content": []}]}, r"messages\[0\]\.role"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\]\.content"),
        ({"messages": [{"role": "user", "content": "x"}]}, r"messages\[0\]\.content"),
        (
            {"messages": [{"role": "assistant", "content": [{"toolUse": {}}]}]},
            r"messages\[0\]\.content\[0\]\.toolUse\.toolUseId",
        ),
        ({"inferenceConfig": {"maxTokens": "9"}}, "inferenceConfig.maxTokens"),
    ],
)
def test_wrong_fields_are_named(body: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest, match=path):
        parsed(**body)
