"""A neutral answer as a whole chat completion."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import openai_usage
from aigw.dialects.openai_request import TIERS
from aigw.model.answer import Answer, Choice
from aigw.model.call import Call
from aigw.model.part import (
    Media,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)

from .citation import annotation_of
from .details import encrypted, entry_of, numbered
from .images import image
from .words import finish_word


def body_of(answer: Answer, call: Call, now: int, id: str) -> bytes:
    """
    :param now: seconds since the epoch, where the answer itself is not dated.
    :param id: what it is called where it has no id itself.
    """
    body: dict[str, Any] = {
        "id": answer.id or id,
        "object": "chat.completion",
        "created": answer.created or now,
        "model": answer.model or call.model,
        "choices": [_choice(choice) for choice in answer.choices],
    }
    if answer.usage is not None:
        body["usage"] = openai_usage.written(answer.usage)
    if answer.tier in TIERS:
        body["service_tier"] = answer.tier
    return msgspec.json.encode(body)


def _choice(choice: Choice) -> dict[str, Any]:
    logprobs = choice.logprobs
    return {
        "index": choice.index,
        "message": _message(choice),
        "logprobs": None if logprobs is None else msgspec.Raw(logprobs),
        "finish_reason": finish_word(choice.finish, choice.native),
    }


def _message(choice: Choice) -> dict[str, Any]:
    texts: list[str] = []
    refusals: list[str] = []
    thoughts: list[str] = []
    annotations: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    audio: dict[str, Any] | None = None
    for part in choice.parts:
        if isinstance(part, Text):
            texts.append(part.text)
            for citation in part.citations:
                annotation = annotation_of(citation)
                if annotation is not None:
                    annotations.append(annotation)
            if part.signature is not None:
                details.append(encrypted(part.signature))
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        elif isinstance(part, Thinking):
            if part.text:
                thoughts.append(part.text)
            details.append(entry_of(part))
        elif isinstance(part, Redacted):
            details.append(encrypted(part.signature))
        elif isinstance(part, ToolCall):
            calls.append(_call(part, details))
        elif isinstance(part, Media) and part.kind == "audio":
            told = {"id": part.name, "data": part.value, "transcript": part.transcript}
            audio = {**told, "expires_at": 0}
        elif isinstance(part, Media) and part.kind == "image":
            if part.source == "base64":
                images.append(image(part.type, part.value))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": "".join(refusals) if refusals else None,
    }
    if not texts and not refusals and not calls and not images and audio is None:
        message["content"] = ""
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if any("format" in entry for entry in details):
        message["reasoning_details"] = numbered(details)
    if annotations:
        message["annotations"] = annotations
    if audio is not None:
        message["audio"] = audio
    if images:
        message["images"] = images
    if calls:
        message["tool_calls"] = calls
    return message


def _call(call: ToolCall, details: list[dict[str, Any]]) -> dict[str, Any]:
    if call.signature is not None:
        details.append({**encrypted(call.signature), "id": call.id})
    if call.kind == "custom":
        kind, given = "custom", {"name": call.name, "input": call.arguments}
    else:
        kind, given = "function", {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": kind, kind: given}
