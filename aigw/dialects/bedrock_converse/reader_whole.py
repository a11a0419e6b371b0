"""A whole Converse answer in neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aigw.dialects import foreign
from aigw.dialects.claude import VENDOR
from aigw.model.answer import Answer, Choice
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Signature,
    Text,
    Thinking,
    ToolCall,
)

from . import blob
from . import usage as usages
from .citation import citation_of, text_of
from .media import type_of
from .words import NAME, finish_of, may_be_claude


def text(value: object) -> str:
    """``value`` where it is a string, else ``""``."""
    return value if isinstance(value, str) else ""


def inner(told: object, *names: str) -> dict[str, Any]:
    """The object at a path, an empty one where there is none."""
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, dict) else {}


def vendor_of(model: str) -> str:
    """Who signs the reasoning of a model."""
    return VENDOR if may_be_claude(model) else blob.BEDROCK


def signature_of(value: str, vendor: str) -> Signature | None:
    """The signature of reasoning that is shown, None for ``""``."""
    return foreign.unpack(value, vendor) if value else None


def sequence_of(told: dict[str, Any]) -> str | None:
    """The stop sequence that was hit, which Claude tells when asked to."""
    return (
        text(inner(told, "additionalModelResponseFields").get("stop_sequence")) or None
    )


def answer_of(told: dict[str, Any], names: Mapping[str, str], model: str) -> Answer:
    """
    :param names: tool names as sent to those the client knows.
    :param model: the model asked; answers do not name it.
    """
    blocks = inner(told, "output", "message").get("content")
    parts = tuple(
        _part(block, names, vendor_of(model))
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict)
    )
    word = text(told.get("stopReason"))
    used = told.get("usage")
    choice = Choice(
        index=0,
        parts=parts,
        finish=finish_of(word, any(isinstance(part, ToolCall) for part in parts)),
        native=word,
        sequence=sequence_of(told),
    )
    return Answer(
        origin=NAME,
        choices=(choice,),
        tier=text(inner(told, "serviceTier").get("type")),
        usage=usages.usage_of(used) if isinstance(used, dict) else None,
    )


def _part(block: dict[str, Any], names: Mapping[str, str], vendor: str) -> Part:
    if "text" in block:
        return Text(text(block["text"]))
    if "toolUse" in block and inner(block, "toolUse").get("type") is None:
        use = inner(block, "toolUse")
        name = text(use.get("name"))
        return ToolCall(
            id=text(use.get("toolUseId")),
            name=names.get(name, name),
            arguments=msgspec.json.encode(use.get("input") or {}).decode(),
        )
    content = inner(block, "reasoningContent")
    if isinstance(content.get("redactedContent"), str):
        return Redacted(blob.read(content["redactedContent"], vendor))
    if "reasoningText" in content:
        thought = inner(content, "reasoningText")
        signature = signature_of(text(thought.get("signature")), vendor)
        return Thinking(text(thought.get("text")), signature)
    said = text_of(block)
    if said is not None:
        told = inner(block, "citationsContent").get("citations")
        cited = told if isinstance(told, list) else []
        found = tuple(citation_of(one) for one in cited if isinstance(one, dict))
        return Text(said, citations=found)
    if "image" in block:
        image = inner(block, "image")
        data = text(inner(image, "source").get("bytes"))
        return Media(
            "image", "base64", data, type=type_of("image", text(image.get("format")))
        )
    return Opaque(NAME, next(iter(block), ""), msgspec.json.encode(block))
