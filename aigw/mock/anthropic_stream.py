"""
The stream of a message, made of a whole one
(https://docs.claude.com/en/docs/build-with-claude/streaming).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .pieces import fragments, words


def stream(answer: dict[str, Any]) -> Iterator[bytes]:
    """The SSE events that come to what ``answer`` says, without their ends."""
    usage = answer["usage"]
    begun = {
        **answer,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        # Counts are cumulative: the last is never less.
        "usage": {**usage, "output_tokens": min(1, usage["output_tokens"])},
    }
    yield _event("message_start", message=begun)
    for index, block in enumerate(answer["content"]):
        start, deltas = _block(block)
        yield _event("content_block_start", index=index, content_block=start)
        if index == 0:
            yield _event("ping")
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    ended = {key: answer[key] for key in ("stop_reason", "stop_sequence")}
    told = {key: usage[key] for key in usage if key != "service_tier"}
    yield _event("message_delta", delta=ended, usage=told)
    yield _event("message_stop")


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """What a block begins as, and what comes to it."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, _texts("text", block["text"])
        case "thinking":
            return {**block, "thinking": "", "signature": ""}, _thought(block)
        case "tool_use":
            return {**block, "input": {}}, _input(block["input"])
    # Redacted thinking comes whole.
    return block, iter(())


def _texts(name: str, text: str) -> Iterator[dict[str, Any]]:
    for word in words(text):
        yield {"type": f"{name}_delta", name: word}


def _thought(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _texts("thinking", block["thinking"])
    yield {"type": "signature_delta", "signature": block["signature"]}


def _input(value: Any) -> Iterator[dict[str, Any]]:
    for piece in ["", *fragments(json.dumps(value))]:
        yield {"type": "input_json_delta", "partial_json": piece}


def _event(name: str, **members: Any) -> bytes:
    data = json.dumps({"type": name, **members}, separators=(",", ":")).encode()
    return b"event: " + name.encode() + b"\ndata: " + data
