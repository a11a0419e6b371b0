"""Every script of Converse, as boto3 reads it, and what Bedrock refuses."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from typing import Any

import pytest
import pytest_twisted
from botocore.exceptions import ClientError, EventStreamError

from .client import Served, post
from .using import using_bedrock

ASKED: Any = {"role": "user", "content": [{"text": "What is a stream?"}]}
TOOLS: Any = {
    "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]
}
PNG = b"\x89PNG\r\n\x1a\n and so on"


def whole(client: Any, model: str, *messages: Any) -> Any:
    return client.converse(modelId=model, messages=[ASKED, *messages], toolConfig=TOOLS)


def streamed(client: Any, model: str) -> list[Any]:
    answer = client.converse_stream(modelId=model, messages=[ASKED])
    with closing(answer["stream"]) as stream:
        return list(stream)


def joined(events: list[Any]) -> list[Any]:
    """The blocks that the events come to."""
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            use = start["start"]["toolUse"]
            blocks[start["contentBlockIndex"]] = {"toolUse": {**use, "input": ""}}
        if "contentBlockDelta" not in event:
            continue
        delta = event["contentBlockDelta"]
        (kind, held) = next(iter(delta["delta"].items()))
        block = blocks.setdefault(delta["contentBlockIndex"], {})
        if kind == "text":
            block["text"] = block.get("text", "") + held
        elif kind == "toolUse":
            block["toolUse"]["input"] += held["input"]
        elif "redactedContent" in held:
            block["reasoningContent"] = held
        else:
            inner = block.setdefault("reasoningContent", {"reasoningText": {}})
            (name, text) = next(iter(held.items()))
            told = inner["reasoningText"]
            told[name] = told.get(name, "") + text
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    return [blocks[index] for index in sorted(blocks)]


@pytest.mark.parametrize(
    ("model", "stop"),
    [
        ("mock", "end_turn"),
        ("mock-n5", "end_turn"),
        ("mock-tool", "tool_use"),
        ("mock-tools", "tool_use"),
        ("mock-thinking", "end_turn"),
        ("mock-thinktools", "tool_use"),
        ("mock-redacted", "end_turn"),
        ("mock-cached", "end_turn"),
        ("mock-refusal", "guardrail_intervened"),
        ("mock-filter", "content_filtered"),
        ("mock-length", "max_tokens"),
        ("mock-stopped", "stop_sequence"),
        ("mock-empty", "end_turn"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_to_what_the_whole_answer_says(
    served: Served, model: str, stop: str
) -> None:
    one = await using_bedrock(served, lambda client: whole(client, model))
    events = await using_bedrock(served, lambda client: streamed(client, model))
    content = one["output"]["message"]["content"]
    for block in content:
        # What the service model adds.
        block.get("toolUse", {}).pop("type", None)
    assert joined(events) == content
    (ended,) = (e["messageStop"] for e in events if "messageStop" in e)
    assert ended["stopReason"] == one["stopReason"] == stop
    assert events[-1]["metadata"]["usage"] == one["usage"]
    usage = one["usage"]
    assert usage["totalTokens"] == sum(
        usage[name]
        for name in usage
        if name.endswith("Tokens") and name != "totalTokens"
    )


@pytest_twisted.ensureDeferred
async def test_results_pictures_and_reasoning_are_told(served: Served) -> None:
    def work(client: Any) -> Any:
        first = whole(client, "mock-thinktools")["output"]["message"]
        results = [
            {
                "toolResult": {
                    "toolUseId": block["toolUse"]["toolUseId"],
                    "content": [{"text": f"result of {block['toolUse']['name']}"}],
                }
            }
            for block in first["content"]
            if "toolUse" in block
        ]
        image = {"image": {"format": "png", "source": {"bytes": PNG}}}
        back = {"role": "user", "content": [*results, image]}
        answer = whole(client, "mock", first, back)
        return answer["output"]["message"]["content"][0]["text"]

    assert await using_bedrock(served, work) == (
        "My reasoning came back as I sealed it. "
        "get_weather returned: result of get_weather "
        "get_time returned: result of get_time "
        f"I was shown image/png of {len(PNG)} bytes."
    )


@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_an_exception_frame(served: Served) -> None:
    with pytest.raises(EventStreamError, match="internalServerException"):
        await using_bedrock(served, lambda client: streamed(client, "mock-error3"))


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "ValidationException"), (429, "ThrottlingException")],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_the_vendors(served: Served, status: int, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        await using_bedrock(
            served, lambda client: whole(client, f"mock-status{status}")
        )
    assert refused.value.response["Error"]["Code"] == code


def use(id: str = "t1", name: str = "f") -> Any:
    return {"toolUse": {"toolUseId": id, "name": name, "input": {}}}


def result(id: str = "t1") -> Any:
    return {"toolResult": {"toolUseId": id, "content": [{"text": "1"}]}}


def said(*content: Any) -> Any:
    return {"role": "assistant", "content": list(content)}


def asked(*content: Any) -> Any:
    return {"role": "user", "content": list(content)}


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "AAAA"}}}
THINK = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
DATA = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    ("messages", "more", "words"),
    [
        ([said({"text": "a"})], {}, "must start with a user message"),
        ([ASKED, ASKED], {}, "must alternate"),
        ([{"role": "system", "content": [{"text": "a"}]}], {}, "enum value set"),
        ([asked()], {}, "content field in the Message object at messages.0 is empty"),
        ([asked({"text": " "})], {}, "is blank"),
        ([asked({"type": "text", "text": "a"})], {}, "must set one of the following"),
        ([ASKED, said(use()), ASKED], {}, "Expected toolResult blocks at messages.2"),
        ([ASKED, said(use())], {}, "Expected toolResult blocks"),
        ([asked(result())], {}, "exceeds the number of toolUse blocks"),
        ([ASKED, said(use("a/b")), asked(result("a/b"))], {}, "expression pattern"),
        ([ASKED, said(use(name="a b")), asked(result())], {}, "expression pattern"),
        ([ASKED, said(use()), asked(result())], {"toolConfig": None}, "toolConfig"),
        ([ASKED, said(THOUGHT, {"text": "a"}), ASKED], {}, "Invalid `signature`"),
        (
            [ASKED, said(use()), asked(result())],
            {"additionalModelRequestFields": THINK},
            "must start with a thinking block",
        ),
        (
            [asked({"image": {"format": "bmp", "source": {"bytes": DATA}}})],
            {},
            "enum value set",
        ),
        (
            [asked({"image": {"format": "jpeg", "source": {"bytes": DATA}}})],
            {},
            "Could not process image",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_bedrock_refuses_is_refused(
    served: Served, messages: Any, more: Any, words: str
) -> None:
    body = {"messages": messages, "toolConfig": TOOLS, **more}
    got = await served.ask(post("/model/mock/converse", body))
    assert got.status == 400
    assert got.fields[b"x-amzn-errortype"] == b"ValidationException"
    assert words in got.json["message"]
