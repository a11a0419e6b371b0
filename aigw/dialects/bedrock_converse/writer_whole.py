"""A neutral answer as a whole Converse answer."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import failures, foreign
from aigw.dialects.claude import VENDOR
from aigw.model.answer import Answer
from aigw.model.finish import Finish
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from aigw.model.usage import Usage

from . import blob, citation
from . import usage as usages
from .media import format_of
from .words import CALL_ID, NAME, TIERS, finish_word

#: The API demands the member; how long another provider's model took is not known.
METRICS = {"latencyMs": 0}


def body_of(answer: Answer) -> bytes:
    """The first choice; there is no place for others."""
    choice = answer.choices[0] if answer.choices else None
    blocks: list[Any] = []
    for part in choice.parts if choice is not None else ():
        block = _block(part)
        if block is not None:
            blocks.append(block)
        if isinstance(part, ToolCall) and part.signature is not None:
            blocks.append(_redacted(foreign.of_call(part.signature, CALL_ID(part.id))))
    finish = Finish.STOP if choice is None else choice.finish
    body: dict[str, Any] = {
        "output": {
            "message": {"role": "assistant", "content": blocks or [{"text": ""}]}
        },
        "stopReason": finish_word(finish, choice.native if choice else ""),
        "usage": usages.written(answer.usage or Usage()),
        "metrics": METRICS,
    }
    if choice is not None and choice.sequence is not None:
        body["additionalModelResponseFields"] = {"stop_sequence": choice.sequence}
    if answer.tier in TIERS:
        body["serviceTier"] = {"type": answer.tier}
    return msgspec.json.encode(body)


def _redacted(signature: Signature) -> dict[str, Any]:
    return {"reasoningContent": {"redactedContent": blob.written(signature)}}


def _block(part: Part) -> Any:
    if isinstance(part, Text):
        told = [citation.written(one) for one in part.citations]
        cited = [one for one in told if one is not None]
        if cited:
            return citation.cited(part.text, cited)
        return {"text": part.text} if part.text else None
    if isinstance(part, Refusal):
        return {"text": part.text}
    if isinstance(part, Thinking):
        thought = {"text": part.text}
        if part.signature is not None:
            thought["signature"] = foreign.pack(part.signature, VENDOR)
        return {"reasoningContent": {"reasoningText": thought}}
    if isinstance(part, Redacted):
        return _redacted(part.signature)
    if isinstance(part, ToolCall) and part.kind == "function":
        given = failures.decoded(part.arguments.encode("utf-8", "replace"))
        raw = part.arguments.encode() if isinstance(given, dict) else b"{}"
        use = {
            "toolUseId": CALL_ID(part.id),
            "name": part.name,
            "input": msgspec.Raw(raw),
        }
        return {"toolUse": use}
    if isinstance(part, Media) and part.kind == "image" and part.source == "base64":
        format = format_of("image", part.type) or "png"
        return {"image": {"format": format, "source": {"bytes": part.value}}}
    if isinstance(part, Opaque) and part.dialect == NAME:
        return msgspec.Raw(part.raw)
    return None
