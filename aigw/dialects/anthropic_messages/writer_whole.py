"""A neutral answer as a whole message."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import failures, foreign
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.finish import Finish
from aigw.model.part import (
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

from . import usage as usages
from .citation import written
from .words import NAME, TIERS, VENDOR, finish_word


def body_of(answer: Answer, call: Call, id: str) -> bytes:
    """
    The first choice; there is no place for others.

    :param id: what it is called where it has no id itself.
    """
    choice = answer.choices[0] if answer.choices else None
    blocks: list[Any] = []
    for part in choice.parts if choice is not None else ():
        block = _block(part)
        if block is not None:
            blocks.append(block)
        if isinstance(part, ToolCall) and part.signature is not None:
            blocks.append(_redacted(foreign.of_call(part.signature, part.id)))
    usage = usages.written(answer.usage or Usage())
    if answer.tier in TIERS:
        usage["service_tier"] = answer.tier
    body = {
        "id": answer.id or id,
        "type": "message",
        "role": "assistant",
        "model": answer.model or call.model,
        "content": blocks or [{"type": "text", "text": ""}],
        "stop_reason": finish_word(choice.finish if choice else Finish.STOP),
        "stop_sequence": choice.sequence if choice else None,
        "usage": usage,
    }
    return msgspec.json.encode(body)


def _redacted(signature: Signature) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": foreign.pack(signature, VENDOR)}


def _block(part: Part) -> Any:
    if isinstance(part, Text):
        block: dict[str, Any] = {"type": "text", "text": part.text}
        found = map(written, part.citations)
        cited = [one for one in found if one is not None]
        if cited:
            block["citations"] = cited
        return block if part.text or cited else None
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    if isinstance(part, Thinking):
        signature = part.signature
        value = "" if signature is None else foreign.pack(signature, VENDOR)
        return {"type": "thinking", "thinking": part.text, "signature": value}
    if isinstance(part, Redacted):
        return _redacted(part.signature)
    if isinstance(part, ToolCall) and part.kind == "function":
        given = failures.decoded(part.arguments.encode())
        raw = part.arguments.encode() if isinstance(given, dict) else b"{}"
        return {
            "type": "tool_use",
            "id": part.id,
            "name": part.name,
            "input": msgspec.Raw(raw),
        }
    if isinstance(part, Opaque) and part.dialect == NAME:
        return msgspec.Raw(part.raw)
    return None
