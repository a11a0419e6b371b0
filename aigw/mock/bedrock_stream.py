"""
The stream of Bedrock's ConverseStream, made of a whole answer after the shapes of the
API reference (Amazon Bedrock Runtime, ``ConverseStreamOutput``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .eventstream import frame
from .pieces import fragments, words


def _event(kind: str, payload: dict[str, Any]) -> bytes:
    # The service pads each payload by a member of its own, so that its length does not
    # give the text away; readers must not mind it.
    padded = {**payload, "p": "abcdefghijklmnopqrstuvwxyz"[: 4 + len(kind) % 7]}
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return frame(headers, json.dumps(padded, separators=(",", ":")).encode())


def _block(index: int, block: dict[str, Any]) -> Iterator[bytes]:
    if "toolUse" in block:
        use = block["toolUse"]
        start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
        yield _event("contentBlockStart", {"contentBlockIndex": index, "start": start})
        text = json.dumps(use["input"])
        deltas: list[dict[str, Any]] = [
            {"toolUse": {"input": piece}} for piece in ["", *fragments(text)]
        ]
    elif "reasoningContent" in block:
        deltas = [{"reasoningContent": held} for held in _reasoning(block)]
    else:
        deltas = [{"text": word} for word in words(block["text"])]
    for delta in deltas:
        yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
    yield _event("contentBlockStop", {"contentBlockIndex": index})


def _reasoning(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    held = block["reasoningContent"]
    if "redactedContent" in held:
        yield held
        return
    text = held["reasoningText"]
    for word in words(text["text"]):
        yield {"text": word}
    yield {"signature": text["signature"]}


def stream(answer: dict[str, Any]) -> Iterator[bytes]:
    """The frames that say what the whole ``answer`` of Converse says."""
    yield _event("messageStart", {"role": "assistant"})
    for index, block in enumerate(answer["output"]["message"]["content"]):
        yield from _block(index, block)
    yield _event("messageStop", {"stopReason": answer["stopReason"]})
    yield _event("metadata", {key: answer[key] for key in ("usage", "metrics")})
