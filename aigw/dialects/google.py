"""
Gemini, over Google's own API or its OpenAI-compatible one: which models want their tool
calls signed, and what stands in for a signature that is not there
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aigw.model.call import Message
from aigw.model.part import Part, Signature, ToolCall, ToolResult

from .ledger import Ledger

#: Who signs its reasoning and its calls.
VENDOR: Final = "gemini"

#: What Google asks for in place of the signature of a call another model made, or of
#: one the client lost.
_UNSIGNED: Final = Signature(VENDOR, "skip_thought_signature_validator")

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")


def version_of(model: str) -> tuple[int, int]:
    """Gemini's version; names that tell none (``gemini-flash-latest``) are recent."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (3, 0)


def wants_signed(model: str) -> bool:
    """Whether the model refuses calls of the turn under way that are not signed."""
    return version_of(model) >= (3, 0)


def turn_under_way(messages: Sequence[Message]) -> int:
    """The place of the user's message that began it."""
    begun = 0
    for place, message in enumerate(messages):
        results = any(isinstance(part, ToolResult) for part in message.parts)
        if message.role == "user" and not results:
            begun = place
    return begun


def signed(parts: tuple[Part, ...], ledger: Ledger) -> tuple[Part, ...]:
    """``parts`` of one step with its first call signed; the others need not be."""
    for index, part in enumerate(parts):
        if isinstance(part, ToolCall):
            if part.signature is not None and part.signature.vendor == VENDOR:
                return parts
            ledger.drop("reasoning (signature missing)")
            stands_in = replace(part, signature=_UNSIGNED)
            return (*parts[:index], stands_in, *parts[index + 1 :])
    return parts
