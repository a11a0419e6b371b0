"""boto3's ``bedrock-runtime``: Converse and ConverseStream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from .turns import (
    SCHEMA,
    SCHEMA_NAME,
    TOOLS,
    Asking,
    Called,
    Failed,
    Failure,
    Told,
    Words,
)
from .turns import Usage as Tokens

Result = TypeVar("Result")


def raising(call: Callable[[], Result]) -> Result:
    """What ``call`` gives, the client's errors in our words."""
    try:
        return call()
    except ClientError as error:
        told = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        raise Failed(Failure(told["Code"], status, told["Message"])) from error


def sdk(base: str, headers: dict[str, str], *, signed: bool) -> Any:
    """The client, for the gateway at ``base``."""
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=base,
        aws_access_key_id="AKIDCLIENT",
        aws_secret_access_key="dummy",
        config=Config(
            retries={"total_max_attempts": 1},
            read_timeout=20,
            **({} if signed else {"signature_version": UNSIGNED}),
        ),
    )

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"].update(headers)

    client.meta.events.register("before-call.bedrock-runtime", add)
    return client


#: See :class:`.turns.Words`.
WORDS: Final = Words(
    stop="end_turn",
    length="max_tokens",
    tool_calls="tool_use",
    filtered="content_filtered",
    refusal="content_filtered",
    errors={
        400: "ValidationException",
        401: "UnrecognizedClientException",
        403: "AccessDeniedException",
        404: "ResourceNotFoundException",
        429: "ThrottlingException",
        500: "InternalServerException",
        503: "ServiceUnavailableException",
        529: "ServiceUnavailableException",
    },
    overloaded=503,
    broken={
        "server": "modelStreamErrorException",
        "overloaded": "serviceUnavailableException",
        "native": "internalServerException",
    },
)


class BedrockConverse:
    """
    See :class:`.turns.Client`.

    :param signed: whether requests are signed.
    """

    dialect = "bedrock-converse"
    words = WORDS

    def __init__(self, base: str, headers: dict[str, str], *, signed: bool = True):
        self.name = "boto3" if signed else "boto3 (unsigned)"
        self._sdk = sdk(base, headers, signed=signed)

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        asked = [{"role": "user", "content": [{"text": prompt}]}]
        counted = raising(
            lambda: self._sdk.count_tokens(
                modelId=model, input={"converse": {"messages": asked}}
            )
        )
        return int(counted["inputTokens"])

    def ask(self, asking: Asking) -> Told:
        return raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        body: dict[str, Any] = {
            "modelId": asking.model,
            "messages": _messages(asking),
            "inferenceConfig": {"maxTokens": 4000},
        }
        if asking.tools:
            specs = [
                {"name": name, "description": about, "inputSchema": {"json": schema}}
                for name, (about, schema) in TOOLS.items()
            ]
            body["toolConfig"] = {"tools": [{"toolSpec": spec} for spec in specs]}
        if asking.think:
            thinking = {"type": "enabled", "budget_tokens": 1024}
            body["additionalModelRequestFields"] = {"thinking": thinking}
        if asking.schema:
            named = {"name": SCHEMA_NAME, "schema": json.dumps(SCHEMA)}
            form = {"type": "json_schema", "structure": {"jsonSchema": named}}
            body["outputConfig"] = {"textFormat": form}
        if not asking.stream:
            answer = self._sdk.converse(**body)
            message = answer["output"]["message"]
            return _told(message["content"], answer["stopReason"], answer["usage"])
        stream = self._sdk.converse_stream(**body)["stream"]
        try:
            return _streamed([next(iter(event.items())) for event in stream])
        finally:
            stream.close()


def _messages(asking: Asking) -> list[Any]:
    content: list[Any] = [{"text": asking.prompt}]
    if asking.image:
        content.append({"image": {"format": "png", "source": {"bytes": asking.image}}})
    told: list[Any] = [{"role": "user", "content": content}]
    if asking.before is not None:
        told.append({"role": "assistant", "content": asking.before.kept})
    more: list[Any] = [
        {"toolResult": {"toolUseId": call, "content": [{"text": text}]}}
        for call, text in asking.results.items()
    ]
    if asking.then:
        more.append({"text": asking.then})
    if more:
        told.append({"role": "user", "content": more})
    return told


def _streamed(events: list[tuple[str, Any]]) -> Told:
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    blocks: dict[int, dict[str, Any]] = {}
    pieces: dict[int, int] = {}
    for kind, event in events:
        if kind == "contentBlockStart":
            start = event["start"]["toolUse"]
            blocks[event["contentBlockIndex"]] = {"toolUse": {**start, "input": ""}}
        elif kind == "contentBlockDelta":
            index, delta = event["contentBlockIndex"], event["delta"]
            pieces[index] = pieces.get(index, 0) + _add(blocks, index, delta)
    assert sorted(blocks) == list(range(len(blocks)))
    assert kinds.count("contentBlockStop") == len(blocks)
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    stop = dict(events)["messageStop"]["stopReason"]
    content = [blocks[index] for index in sorted(blocks)]
    told = _told(content, stop, events[-1][1]["usage"])
    told.pieces = sum(pieces[i] for i, block in blocks.items() if "text" in block)
    calls = [i for i, block in sorted(blocks.items()) if "toolUse" in block]
    for index, call in zip(calls, told.calls, strict=True):
        call.pieces = pieces[index]
    return told


def _add(blocks: dict[int, dict[str, Any]], index: int, delta: dict[str, Any]) -> int:
    """Put a delta to its block; 1 if it held something to count."""
    if "toolUse" in delta:
        blocks[index]["toolUse"]["input"] += delta["toolUse"]["input"]
        return bool(delta["toolUse"]["input"])
    if "text" in delta:
        block = blocks.setdefault(index, {"text": ""})
        block["text"] += delta["text"]
        return bool(delta["text"])
    thought = delta["reasoningContent"]
    held = blocks.setdefault(index, {"reasoningContent": {}})["reasoningContent"]
    if "redactedContent" in thought:
        held["redactedContent"] = thought["redactedContent"]
        return 1
    text = held.setdefault("reasoningText", {"text": ""})
    text["text"] += thought.get("text", "")
    if "signature" in thought:
        text["signature"] = text.get("signature", "") + thought["signature"]
    return 1


def _told(content: list[Any], stop: str, usage: dict[str, int]) -> Told:
    read = usage.get("cacheReadInputTokens", 0)
    written = usage.get("cacheWriteInputTokens", 0)
    whole = usage["inputTokens"] + read + written + usage["outputTokens"]
    assert usage["totalTokens"] == whole, usage
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    thoughts = [b["reasoningContent"] for b in content if "reasoningContent" in b]
    return Told(
        text="".join(block["text"] for block in content if "text" in block),
        pieces=1,
        thought="".join(
            thought.get("reasoningText", {}).get("text", "") for thought in thoughts
        ),
        calls=[
            Called(use["toolUseId"], use["name"], json.dumps(use["input"]), 1)
            for use in uses
        ],
        stop=stop,
        usage=Tokens(usage["inputTokens"] + written, read, usage["outputTokens"]),
        kept=content,
    )
