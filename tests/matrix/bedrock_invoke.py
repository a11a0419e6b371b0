"""boto3's ``bedrock-runtime``: InvokeModel and its stream, with Anthropic's bodies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from .anthropic_messages import WORDS as ANTHROPIC
from .anthropic_messages import messages, tools
from .bedrock_converse import WORDS as BEDROCK
from .bedrock_converse import raising, sdk
from .turns import SCHEMA, Asking, Called, Told, Usage


class BedrockInvoke:
    """See :class:`.turns.Client`."""

    name = "boto3 (invoke)"
    dialect = "bedrock-invoke"
    words = replace(
        BEDROCK,
        stop=ANTHROPIC.stop,
        length=ANTHROPIC.length,
        tool_calls=ANTHROPIC.tool_calls,
        filtered=ANTHROPIC.filtered,
        refusal=ANTHROPIC.refusal,
    )

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._sdk = sdk(base, headers, signed=True)

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        asked = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 4000,
            "messages": [{"role": "user", "content": prompt}],
        }
        invoked = {"invokeModel": {"body": json.dumps(asked).encode()}}
        count = self._sdk.count_tokens
        counted = raising(lambda: count(modelId=model, input=invoked))
        return int(counted["inputTokens"])

    def ask(self, asking: Asking) -> Told:
        return raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        body: dict[str, Any] = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 4000,
            "messages": messages(asking),
        }
        if asking.tools:
            body["tools"] = tools()
        if asking.think:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if asking.schema:
            form = {"type": "json_schema", "schema": SCHEMA}
            body["output_config"] = {"format": form}
        given: dict[str, Any] = {
            "modelId": asking.model,
            "contentType": "application/json",
            "body": json.dumps(body).encode(),
        }
        if not asking.stream:
            return _told(json.loads(self._sdk.invoke_model(**given)["body"].read()))
        stream = self._sdk.invoke_model_with_response_stream(**given)["body"]
        try:
            return _streamed([json.loads(event["chunk"]["bytes"]) for event in stream])
        finally:
            stream.close()


def _streamed(events: list[Any]) -> Told:
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    message = events[0]["message"]
    content = message["content"]
    pieces: dict[int, list[str]] = {}
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(content)
            content.append(event["content_block"])
            pieces[event["index"]] = []
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], content[event["index"]]
            kind = delta["type"].removesuffix("_delta")
            if kind == "input_json":
                pieces[event["index"]].append(delta["partial_json"])
                continue
            if kind == "text":
                pieces[event["index"]].append(delta["text"])
            block[kind] = block.get(kind, "") + delta[kind]
    for index, block in enumerate(content):
        if block["type"] == "tool_use":
            block["input"] = json.loads("".join(pieces[index]))
    message["stop_reason"] = events[-2]["delta"]["stop_reason"]
    message["usage"].update(events[-2]["usage"])
    told = _told(message)
    counts = [sum(map(bool, pieces[index])) for index in range(len(content))]
    blocks = list(zip(content, counts, strict=True))
    told.pieces = sum(number for block, number in blocks if block["type"] == "text")
    uses = [number for block, number in blocks if block["type"] == "tool_use"]
    for call, number in zip(told.calls, uses, strict=True):
        call.pieces = number
    return told


def _told(message: Any) -> Told:
    def of(kind: str) -> list[Any]:
        return [block for block in message["content"] if block["type"] == kind]

    usage = message["usage"]
    return Told(
        text="".join(block["text"] for block in of("text")),
        pieces=1,
        thought="".join(block["thinking"] for block in of("thinking")),
        calls=[
            Called(block["id"], block["name"], json.dumps(block["input"]), 1)
            for block in of("tool_use")
        ],
        stop=message["stop_reason"],
        usage=Usage(
            usage["input_tokens"] + (usage.get("cache_creation_input_tokens") or 0),
            usage.get("cache_read_input_tokens") or 0,
            usage["output_tokens"],
        ),
        kept=message["content"],
    )
