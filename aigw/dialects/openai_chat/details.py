"""
Extensions that carry signatures: entries of ``reasoning_details``, OpenRouter's; and
``extra_content`` of a tool call, Google's
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

from typing import Any

from aigw.model.part import Redacted, Signature, Thinking

from . import chunk as chunks
from .words import format_of


def encrypted(signature: Signature) -> dict[str, Any]:
    """Reasoning that nobody but its vendor reads, or the signature of a call."""
    return {
        "type": "reasoning.encrypted",
        "data": signature.value,
        "format": format_of(signature.vendor),
    }


def reasoned(text: str, signature: Signature | None) -> dict[str, Any]:
    """Reasoning that may be shown; ``format`` tells that it is signed, and by whom."""
    entry: dict[str, Any] = {"type": "reasoning.text", "text": text}
    if signature is not None:
        entry["signature"] = signature.value
        entry["format"] = format_of(signature.vendor)
    return entry


def entry_of(part: Thinking | Redacted) -> dict[str, Any]:
    if isinstance(part, Redacted):
        return encrypted(part.signature)
    return reasoned(part.text, part.signature)


def numbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``entries`` with their places, by which clients put streamed ones together."""
    for index, entry in enumerate(entries):
        entry["index"] = index
    return entries


def extra_of(signature: Signature) -> dict[str, Any]:
    """What a signed call has beside its own fields."""
    return {"extra_content": {"google": {"thought_signature": signature.value}}}


def extra_signature(call: dict[str, Any]) -> Signature | None:
    """The signature found on a call; Vertex AI puts it under its own name."""
    extra = call.get("extra_content")
    for place in ("google", "vertex"):
        told = chunks.member(extra, place)
        value = chunks.text(chunks.member(told, "thought_signature"))
        if value:
            return Signature("gemini", value)
    return None
