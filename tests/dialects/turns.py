"""
What a client sends back in the next turn: its own words put together as its vendor's
SDK does it, from frames or from a whole answer, without our readers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

_json = msgspec.json.decode


def _data(frames: list[Any]) -> list[Any]:
    return [_json(f.data) for f in frames if f.data and f.data != b"[DONE]"]


# -- the assistant's turn out of a stream


def _chat_turn(frames: list[Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    calls: dict[int, dict[str, Any]] = {}
    details: list[Any] = []
    for chunk in _data(frames):
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta.get("content"):
                message["content"] = (message["content"] or "") + delta["content"]
            details += delta.get("reasoning_details", ())
            for call in delta.get("tool_calls", ()):
                if "id" in call:
                    calls[call["index"]] = call
                    continue
                known = calls[call["index"]]["function"]
                known["arguments"] += call["function"]["arguments"]
    if calls:
        message["tool_calls"] = [
            {key: value for key, value in call.items() if key != "index"}
            for call in calls.values()
        ]
    if details:
        message["reasoning_details"] = details
    return message


def _responses_turn(frames: list[Any]) -> list[Any]:
    told = _data(frames)
    return [t["item"] for t in told if t["type"] == "response.output_item.done"]


def _messages_turn(frames: list[Any]) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    open_: set[int] = set()
    for told in _data(frames):
        if told["type"] == "content_block_start":
            assert told["index"] == len(blocks)
            blocks.append({**told["content_block"], "json": ""})
            open_.add(told["index"])
        elif told["type"] == "content_block_stop":
            open_.remove(told["index"])
        elif told["type"] == "content_block_delta":
            assert told["index"] in open_
            block, delta = blocks[told["index"]], told["delta"]
            for key in ("text", "thinking", "signature"):
                if key in delta:
                    block[key] += delta[key]
            block["json"] += delta.get("partial_json", "")
    assert not open_
    for block in blocks:
        said = block.pop("json")
        if block["type"] == "tool_use":
            block["input"] = _json(said)
    return {"role": "assistant", "content": blocks}


def _converse_turn(frames: list[Any]) -> dict[str, Any]:
    blocks: dict[int, dict[str, Any]] = {}
    for frame in frames:
        told = _json(frame.payload)
        index = told.get("contentBlockIndex")
        if "start" in told:
            blocks[index] = {"toolUse": {**told["start"]["toolUse"], "input": ""}}
        for key, value in told.get("delta", {}).items():
            block = blocks.setdefault(index, {})
            if key == "text":
                block["text"] = block.get("text", "") + value
            elif key == "toolUse":
                block["toolUse"]["input"] += value["input"]
            else:
                inner = block.setdefault(key, {})
                if "redactedContent" in value:
                    inner.update(value)
                else:
                    text = inner.setdefault("reasoningText", {"text": ""})
                    text["text"] += value.get("text", "")
                    if "signature" in value:
                        text["signature"] = value["signature"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = _json(block["toolUse"]["input"])
    return {"role": "assistant", "content": list(blocks.values())}


def _gemini_turn(frames: list[Any]) -> dict[str, Any]:
    parts: list[Any] = []
    for chunk in _data(frames):
        for candidate in chunk.get("candidates", ()):
            parts += candidate.get("content", {}).get("parts", ())
    return {"role": "model", "parts": parts}


STREAMED: dict[str, Callable[[list[Any]], Any]] = {
    "openai-chat": _chat_turn,
    "openai-responses": _responses_turn,
    "anthropic-messages": _messages_turn,
    "bedrock-converse": _converse_turn,
    "gemini": _gemini_turn,
}


# -- the same out of a whole answer

WHOLE: dict[str, Callable[[Any], Any]] = {
    "openai-chat": lambda body: body["choices"][0]["message"],
    "openai-responses": lambda body: body["output"],
    "anthropic-messages": lambda body: {
        "role": "assistant",
        "content": body["content"],
    },
    "bedrock-converse": lambda body: body["output"]["message"],
    "gemini": lambda body: body["candidates"][0]["content"],
}


# -- the next request: the user's words, the assistant's turn, a result for each call


def _chat_next(turn: Any) -> tuple[str, dict[str, Any]]:
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
        for call in turn["tool_calls"]
    ]
    messages = [{"role": "user", "content": "hi"}, turn, *results]
    return "/v1/chat/completions", {"model": "asked", "messages": messages}


def _responses_next(turn: Any) -> tuple[str, dict[str, Any]]:
    results = [
        {"type": "function_call_output", "call_id": one["call_id"], "output": "sunny"}
        for one in turn
        if one["type"] == "function_call"
    ]
    items = [{"role": "user", "content": "hi"}, *turn, *results]
    return "/v1/responses", {"model": "asked", "input": items}


def _messages_next(turn: Any) -> tuple[str, dict[str, Any]]:
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "sunny"}
        for block in turn["content"]
        if block["type"] == "tool_use"
    ]
    user = {"role": "user", "content": "hi"}
    messages = [user, turn, {"role": "user", "content": results}]
    return "/v1/messages", {"model": "m", "max_tokens": 99, "messages": messages}


def _converse_next(turn: Any) -> tuple[str, dict[str, Any]]:
    results = [
        {
            "toolResult": {
                "toolUseId": block["toolUse"]["toolUseId"],
                "content": [{"text": "sunny"}],
            }
        }
        for block in turn["content"]
        if "toolUse" in block
    ]
    user = {"role": "user", "content": [{"text": "hi"}]}
    messages = [user, turn, {"role": "user", "content": results}]
    return "/model/m/converse", {"messages": messages}


def _gemini_next(turn: Any) -> tuple[str, dict[str, Any]]:
    results = [
        {
            "functionResponse": {
                "name": part["functionCall"]["name"],
                "id": part["functionCall"].get("id", ""),
                "response": {"output": "sunny"},
            }
        }
        for part in turn["parts"]
        if "functionCall" in part
    ]
    user = {"role": "user", "parts": [{"text": "hi"}]}
    contents = [user, turn, {"role": "user", "parts": results}]
    return "/v1beta/models/m:generateContent", {"contents": contents}


NEXT: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
    "openai-chat": _chat_next,
    "openai-responses": _responses_next,
    "anthropic-messages": _messages_next,
    "bedrock-converse": _converse_next,
    "gemini": _gemini_next,
}
