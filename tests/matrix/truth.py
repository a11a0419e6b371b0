"""
What the mock provider says, read off its fixtures: whole answers as the vendors publish
them, looked at without any code of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from aigw.mock.fixtures import fixture

from .turns import Usage


@dataclass
class Truth:
    """
    One answer.

    :ivar calls: (id, name, arguments); the id is "" where the vendor gives none.
    :ivar signatures: of reasoning and of calls, in order.
    """

    text: str = ""
    thought: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    usage: Usage | None = None


@cache
def truth(dialect: str, scenario: str) -> Truth:
    """What the mock provider answers in ``dialect`` to a model of ``scenario``."""
    return _READ[dialect](json.loads(fixture(dialect, scenario, "json")))


def _chat(answer: Any) -> Truth:
    message, usage = answer["choices"][0]["message"], answer["usage"]
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    made = usage.get("completion_tokens_details") or {}
    return Truth(
        message["content"] or "",
        message.get("reasoning_content") or message.get("reasoning") or "",
        [
            (id, function["name"], json.loads(function["arguments"]))
            for id, function in _functions(message)
        ],
        [detail["signature"] for detail in message.get("reasoning_details", ())],
        Usage(
            usage["prompt_tokens"] - cached,
            cached,
            usage["completion_tokens"],
            made.get("reasoning_tokens"),
        ),
    )


def _functions(message: Any) -> Iterator[tuple[str, Any]]:
    for call in message.get("tool_calls") or ():
        yield call["id"], call["function"]


def _responses(answer: Any) -> Truth:
    told, usage = Truth(), answer["usage"]
    for item in answer["output"]:
        match item["type"]:
            case "message":
                told.text += "".join(part.get("text", "") for part in item["content"])
            case "reasoning":
                told.thought += "".join(part["text"] for part in item["summary"])
                told.signatures.append(item["encrypted_content"])
            case "function_call":
                arguments = json.loads(item["arguments"])
                told.calls.append((item["call_id"], item["name"], arguments))
    cached = usage["input_tokens_details"]["cached_tokens"]
    told.usage = Usage(
        usage["input_tokens"] - cached,
        cached,
        usage["output_tokens"],
        usage["output_tokens_details"]["reasoning_tokens"],
    )
    return told


def _messages(answer: Any) -> Truth:
    told, usage = Truth(), answer["usage"]
    for block in answer["content"]:
        match block["type"]:
            case "text":
                told.text += block["text"]
            case "redacted_thinking":
                told.signatures.append(block["data"])
            case "thinking":
                told.thought += block["thinking"]
                told.signatures.append(block["signature"])
            case "tool_use":
                told.calls.append((block["id"], block["name"], block["input"]))
    told.usage = Usage(
        usage["input_tokens"] + usage["cache_creation_input_tokens"],
        usage["cache_read_input_tokens"],
        usage["output_tokens"],
    )
    return told


def _converse(answer: Any) -> Truth:
    told, usage = Truth(), answer["usage"]
    for block in answer["output"]["message"]["content"]:
        if "text" in block:
            told.text += block["text"]
        elif "reasoningContent" in block:
            if "redactedContent" in block["reasoningContent"]:
                told.signatures.append(block["reasoningContent"]["redactedContent"])
                continue
            text = block["reasoningContent"]["reasoningText"]
            told.thought += text["text"]
            told.signatures.append(text["signature"])
        elif "toolUse" in block:
            use = block["toolUse"]
            told.calls.append((use["toolUseId"], use["name"], use["input"]))
    told.usage = Usage(
        usage["inputTokens"] + usage.get("cacheWriteInputTokens", 0),
        usage.get("cacheReadInputTokens", 0),
        usage["outputTokens"],
    )
    return told


def _gemini(answer: Any) -> Truth:
    told, usage = Truth(), answer["usageMetadata"]
    for part in answer["candidates"][0]["content"].get("parts", ()):
        if "thoughtSignature" in part:
            told.signatures.append(part["thoughtSignature"])
        if "functionCall" in part:
            call = part["functionCall"]
            told.calls.append((call.get("id", ""), call["name"], call["args"]))
        elif part.get("thought"):
            told.thought += part["text"]
        else:
            told.text += part.get("text", "")
    cached = usage.get("cachedContentTokenCount", 0)
    thoughts = usage.get("thoughtsTokenCount")
    output = usage.get("candidatesTokenCount", 0) + (thoughts or 0)
    told.usage = Usage(usage["promptTokenCount"] - cached, cached, output, thoughts)
    return told


_READ: Final[Mapping[str, Callable[[Any], Truth]]] = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "bedrock-converse": _converse,
    "gemini": _gemini,
}
