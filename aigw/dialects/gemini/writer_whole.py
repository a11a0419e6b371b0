"""A neutral answer as a whole answer of generateContent."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.answer import Answer, Choice
from aigw.model.call import Call
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)

from . import citation as citations
from . import logprobs
from . import usage as usages
from .words import NAME, finish_word, packed
from .written import call_part, media_part, signed_part


def body_of(answer: Answer, call: Call, id: str) -> bytes:
    """
    :param id: what it is called where it has no id itself.
    """
    body: dict[str, Any] = {"candidates": list(map(_candidate, answer.choices))}
    if answer.usage is not None:
        body["usageMetadata"] = usages.written(answer.usage)
    body["modelVersion"] = answer.model or call.model
    body["responseId"] = answer.id or id
    return msgspec.json.encode(body)


def _candidate(choice: Choice) -> dict[str, Any]:
    parts = [part for one in choice.parts if (part := _part(one)) is not None]
    content = {"parts": parts or [{"text": ""}], "role": "model"}
    candidate: dict[str, Any] = {
        "content": content,
        "finishReason": finish_word(choice.finish, choice.native),
        "index": choice.index,
    }
    cited = [
        entry
        for part in choice.parts
        if isinstance(part, Text)
        for one in part.citations
        if (entry := citations.written(one)) is not None
    ]
    if cited:
        candidate["citationMetadata"] = {"citations": cited}
    if choice.logprobs is not None:
        told = logprobs.write(choice.logprobs)
        if told is not None:
            candidate["logprobsResult"] = told
    return candidate


def _part(part: Part) -> Any:
    if isinstance(part, Text):
        told: dict[str, Any] = {"text": part.text}
        if part.signature is not None:
            told["thoughtSignature"] = packed(part.signature)
        return told
    if isinstance(part, Thinking):
        told = {"text": part.text, "thought": True}
        if part.signature is not None:
            told["thoughtSignature"] = packed(part.signature)
        return told
    if isinstance(part, Refusal):
        return {"text": part.text}
    if isinstance(part, Redacted):
        return signed_part(part.signature, True, True)
    if isinstance(part, ToolCall) and part.kind == "function":
        return call_part(part.id, part.name, part.arguments, part.signature)
    if isinstance(part, Media) and part.source == "base64":
        return media_part(part.type or part.kind, part.value)
    if isinstance(part, Opaque) and part.dialect == NAME:
        return msgspec.Raw(part.raw)
    return None
