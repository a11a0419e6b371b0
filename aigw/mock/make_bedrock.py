"""
Writes the binary fixtures of Bedrock's ConverseStream, after the shapes of the API
reference (Amazon Bedrock Runtime, ``ConverseStreamOutput``), from the whole answers
beside them: ``python -m aigw.mock.make_bedrock``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .eventstream import frame

_HERE = Path(__file__).parent


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
        deltas = [
            {"toolUse": {"input": piece}} for piece in ["", *re.findall(".{1,6}", text)]
        ]
    else:
        deltas = [{"text": word} for word in re.findall(r" ?\w+|\W", block["text"])]
    for delta in deltas:
        yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
    yield _event("contentBlockStop", {"contentBlockIndex": index})


def stream(answer: dict[str, Any]) -> Iterator[bytes]:
    """The frames that say what the whole ``answer`` of Converse says."""
    yield _event("messageStart", {"role": "assistant"})
    for index, block in enumerate(answer["output"]["message"]["content"]):
        yield from _block(index, block)
    yield _event("messageStop", {"stopReason": answer["stopReason"]})
    yield _event("metadata", {key: answer[key] for key in ("usage", "metrics")})


def main() -> None:
    """Write every ``bedrock-converse.*.bin``."""
    for source in sorted(_HERE.glob("bedrock-converse.*.json")):
        answer = json.loads(source.read_bytes())
        source.with_suffix(".bin").write_bytes(b"".join(stream(answer)))


if __name__ == "__main__":
    main()
