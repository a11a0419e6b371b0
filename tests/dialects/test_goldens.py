"""
Golden conversions of all twenty directed pairs, and the vendors' own clients as judges
of what stands in them: the types and accumulators of their SDKs, and botocore's service
model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anthropic.types as anthropic_types
import msgspec
import openai
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from google.genai import types as genai
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types import chat as openai_chat
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from .goldens import GOLDEN, MODELS, PAIRS, goldens, requests
from .streams import CHAT_DIALECTS, fixtures, frames_of, streams
from .test_bedrock_botocore import sent, streamed, whole

decode = msgspec.json.decode

#: What each dialect must have an answer of, streamed; issue 3's list. Where a dialect
#: has another word for it, that is the name of its fixture.
CASES = {
    "plain": ("plain",),
    "one tool": ("tool",),
    "parallel tools": ("tools-parallel",),
    "thinking": ("thinking",),
    "cached usage": ("cached",),
    "refusal or filter": ("refusal", "filtered"),
    "length": ("length",),
    "error in the stream": ("error",),
    "nothing said": ("empty",),
}
#: What each dialect must have a request of.
ASKED = "plain tools results-parallel thinking media format sampling".split()


def found(target: str, *suffixes: str, requests: bool = False) -> list[Any]:
    """Golden files for clients (or, of requests, for providers) of a dialect."""
    folder = "*/requests" if requests else "*"
    return [
        pytest.param(path, id=str(path.relative_to(GOLDEN)))
        for path in sorted(GOLDEN.glob(f"{folder.replace('*', f'*-to-{target}')}/*"))
        if path.suffix in suffixes
    ]


def body_of(path: Path) -> Any:
    return decode(path.read_bytes())


def data_of(dialect: str, path: Path) -> list[Any]:
    frames = frames_of(dialect, path.read_bytes())
    return [decode(f.data) for f in frames if f.data != b"[DONE]"]


def test_every_conversion_is_the_golden_one() -> None:
    expected = goldens()
    stored = {
        path
        for path in GOLDEN.rglob("*")
        if path.is_file() and path.suffix in (".json", ".sse", ".eventstream")
    }
    assert stored == set(expected), "python fixtures/conversions/make.py"
    for path, told in expected.items():
        assert path.read_bytes() == told, path.relative_to(GOLDEN)


def test_every_pair_has_every_case() -> None:
    assert len(PAIRS) == 20
    for dialect in CHAT_DIALECTS:
        streamed = {name for one, name in streams() if one == dialect}
        whole = {name for one, name in fixtures(".json") if one == dialect}
        asked = {name for one, name in requests() if one == dialect}
        for case, names in CASES.items():
            assert streamed & set(names), (dialect, case)
            assert case.startswith("error") or whole & set(names), (dialect, case)
        assert asked >= set(ASKED), dialect
    for dialect in ("openai-chat", "gemini"):  # the others give one answer
        assert (dialect, "choices") in streams()
        assert (dialect, "choices") in fixtures(".json")


# -- answers


@pytest.mark.parametrize("path", found("openai-chat", ".json"))
def test_chat_completions_are_what_openais_client_knows(path: Path) -> None:
    assert openai_chat.ChatCompletion.model_validate(body_of(path)).choices


@pytest.mark.parametrize("path", found("openai-chat", ".sse"))
def test_chat_chunks_become_a_completion_in_openais_client(path: Path) -> None:
    told = data_of("openai-chat", path)
    if "custom" in path.name:
        return  # its types know calls of such tools in whole answers alone
    state = ChatCompletionStreamState()
    failed = [one for one in told if "error" in one]
    for one in told:
        if one not in failed:
            chunk = openai_chat.ChatCompletionChunk.model_validate(one)
            state.handle_chunk(chunk)
    assert len(failed) == ("error" in path.name)
    if failed:
        return
    made = state.current_completion_snapshot.model_dump()
    answer = path.with_suffix(".json")
    if not answer.exists():
        return
    expected = openai_chat.ChatCompletion.model_validate(body_of(answer)).model_dump()
    for one, other in zip(made["choices"], expected["choices"], strict=True):
        said, wanted = one["message"], other["message"]
        assert (said["content"] or "") == (wanted["content"] or "")
        assert (said["refusal"] or "") == (wanted["refusal"] or "")
        assert _calls(said) == _calls(wanted)
        assert said.get("reasoning_content") == wanted.get("reasoning_content")
        assert one["finish_reason"] == other["finish_reason"]
    assert made["usage"] == expected["usage"]


def _calls(message: dict[str, Any]) -> list[Any]:
    return [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message["tool_calls"] or ()
        if call["type"] == "function"
    ]


@pytest.mark.parametrize("path", found("anthropic-messages", ".json"))
def test_messages_are_what_anthropics_client_knows(path: Path) -> None:
    message = anthropic_types.Message.model_validate(body_of(path))
    assert message.content


@pytest.mark.parametrize("path", found("anthropic-messages", ".sse"))
def test_events_become_a_message_in_anthropics_client(path: Path) -> None:
    known: Any = TypeAdapter(anthropic_types.RawMessageStreamEvent)
    snapshot: Any = None
    pieces: dict[int, bytes] = {}
    told = data_of("anthropic-messages", path)
    open_: list[int] = []
    for one in told:
        if one["type"] in ("ping", "error"):
            continue
        event = known.validate_python(one)
        snapshot = accumulate_event(
            event=event, current_snapshot=snapshot, json_bufs=pieces
        )
        if one["type"] == "content_block_start":
            assert one["index"] == len(snapshot.content) - 1
            open_.append(one["index"])
        elif one["type"] == "content_block_stop":
            open_.remove(one["index"])
    if "error" in path.name:
        assert told[-1]["type"] == "error"
        return
    assert not open_
    assert told[-1]["type"] == "message_stop"
    answer = path.with_suffix(".json")
    if not answer.exists():
        return
    expected = anthropic_types.Message.model_validate(body_of(answer))
    assert _said(snapshot) == _said(expected)
    assert snapshot.stop_reason == expected.stop_reason
    assert snapshot.usage.model_dump() == expected.usage.model_dump()


def _said(message: Any) -> list[Any]:
    """Its blocks; a whole message has an empty one where a stream needs none."""
    blocks = [block.model_dump() for block in message.content]
    return [one for one in blocks if one["type"] != "text" or one["text"]]


@pytest.mark.parametrize("path", found("openai-responses", ".json"))
def test_responses_are_what_openais_client_knows(path: Path) -> None:
    assert Response.model_validate(body_of(path)).output is not None


@pytest.mark.parametrize("path", found("openai-responses", ".sse"))
def test_events_of_responses_are_what_openais_client_knows(path: Path) -> None:
    known: Any = TypeAdapter(ResponseStreamEvent)
    told = data_of("openai-responses", path)
    state: Any = ResponseStreamState(input_tools=[], text_format=openai.omit)
    for number, one in enumerate(told):
        event = known.validate_python(one)
        assert event.type == one["type"]
        state.handle_event(event)
        assert one["sequence_number"] == number
    answer = path.with_suffix(".json")
    if "error" in path.name:
        return
    if told[-1]["type"] == "response.completed":
        made = state._completed_response.model_dump(exclude_unset=True)
        assert len(made["output"]) == len(told[-1]["response"]["output"])
    if answer.exists():
        expected, last = body_of(answer), told[-1]["response"]
        assert _outputs(last) == _outputs(expected)
        assert last["usage"] == expected["usage"]
        assert last["status"] == expected["status"]


def _outputs(response: dict[str, Any]) -> list[Any]:
    return [
        {key: value for key, value in item.items() if key != "id"}
        for item in response["output"]
    ]


@pytest.mark.parametrize("path", found("gemini", ".json"))
def test_generated_content_is_what_googles_client_knows(path: Path) -> None:
    answer = genai.GenerateContentResponse.model_validate(body_of(path))
    assert answer.candidates


@pytest.mark.parametrize("path", found("gemini", ".sse"))
def test_chunks_of_content_are_what_googles_client_knows(path: Path) -> None:
    finished = False
    for one in data_of("gemini", path):
        if "error" in one:
            assert "error" in path.name
            assert one["error"]["code"] >= 400
            return
        chunk = genai.GenerateContentResponse.model_validate(one)
        for candidate in chunk.candidates or ():
            finished = finished or candidate.finish_reason is not None
    assert finished


@pytest.mark.parametrize("path", found("bedrock-converse", ".json"))
def test_converse_answers_are_what_botocore_knows(path: Path) -> None:
    told = whole(200, {}, path.read_bytes())
    assert told["output"]["message"]["content"]
    assert told["stopReason"]


@pytest.mark.parametrize("path", found("bedrock-converse", ".eventstream"))
def test_converse_streams_are_what_botocore_knows(path: Path) -> None:
    if "error" in path.name:
        return  # botocore raises it: see test_bedrock_botocore
    told = streamed(path.read_bytes())
    assert "SDK_UNKNOWN_MEMBER" not in str(told)
    kinds = [next(iter(event)) for event in told]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]


# -- requests


def asked(path: Path) -> dict[str, Any]:
    """The body a call was rendered as, ``{}`` where it was refused."""
    told: dict[str, Any] = body_of(path).get("body", {})
    return told


def params(*parts: Any) -> Any:
    return [TypeAdapter(part) for part in parts]


@pytest.mark.parametrize("path", found("openai-chat", ".json", requests=True))
def test_chat_requests_are_what_openais_client_sends(path: Path) -> None:
    body = asked(path)
    message, tool, choice, form = params(
        openai_chat.ChatCompletionMessageParam,
        openai_chat.ChatCompletionToolUnionParam,
        openai_chat.ChatCompletionToolChoiceOptionParam,
        openai_chat.completion_create_params.ResponseFormat,
    )
    for one in body.get("messages", ()):
        if one["role"] == "tool" and isinstance(one["content"], list):
            continue  # with media, as the reference has it; the type knows text alone
        message.validate_python(one)
    for one in body.get("tools", ()):
        tool.validate_python(one)
    if "tool_choice" in body:
        choice.validate_python(body["tool_choice"])
    if "response_format" in body:
        form.validate_python(body["response_format"])
    known = openai_chat.completion_create_params.CompletionCreateParamsBase
    assert set(body) <= {"stream", *known.__annotations__}
    assert ("stream_options" in body) <= bool(body.get("stream")), "a 400 without it"


@pytest.mark.parametrize("path", found("anthropic-messages", ".json", requests=True))
def test_messages_requests_are_what_anthropics_client_sends(path: Path) -> None:
    body = asked(path)
    message, tool, choice, thinking, output = params(
        anthropic_types.MessageParam,
        anthropic_types.ToolParam,
        anthropic_types.ToolChoiceParam,
        anthropic_types.ThinkingConfigParam,
        anthropic_types.OutputConfigParam,
    )
    for one in body.get("messages", ()):
        message.validate_python(one)
    for one in body.get("tools", ()):
        tool.validate_python(one)
    for name, kind in (
        ("tool_choice", choice),
        ("thinking", thinking),
        ("output_config", output),
    ):
        if name in body:
            kind.validate_python(body[name])
    known = anthropic_types.message_create_params.MessageCreateParamsBase
    sampling = {"temperature", "top_p", "top_k"}  # the client no longer names them
    assert set(body) <= {"stream", *sampling, *known.__annotations__}
    assert not {"temperature", "top_p"} <= set(body), "Claude 4.5 takes one of them"


@pytest.mark.parametrize("path", found("gemini", ".json", requests=True))
def test_gemini_requests_are_what_googles_client_sends(path: Path) -> None:
    body = asked(path)
    for one in body.get("contents", ()):
        genai.Content.model_validate(one)
    if "systemInstruction" in body:
        genai.Content.model_validate(body["systemInstruction"])
    for one in body.get("tools", ()):
        genai.Tool.model_validate(one)
    if "toolConfig" in body:
        genai.ToolConfig.model_validate(body["toolConfig"])
    if "generationConfig" in body:
        genai.GenerationConfig.model_validate(body["generationConfig"])
    known = "model stream systemInstruction contents tools toolConfig generationConfig"
    assert set(body) <= set(known.split())


@pytest.mark.parametrize("path", found("bedrock-converse", ".json", requests=True))
def test_converse_requests_are_what_botocore_sends(path: Path) -> None:
    body = asked(path)
    if body:
        assert body["model"] == MODELS["bedrock-converse"]
        sent(body)
