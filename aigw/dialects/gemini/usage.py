"""
``usageMetadata``: its prompt counts what a cache holds, not what tools of Google's read
in; its candidates do not count thoughts.
"""

from __future__ import annotations

from typing import Any, Final

from aigw.dialects.tokens import Counts
from aigw.model.usage import Usage

PATHS: Final = (
    ("promptTokenCount",),
    ("toolUsePromptTokenCount",),
    ("cachedContentTokenCount",),
    ("candidatesTokenCount",),
    ("thoughtsTokenCount",),
    ("totalTokenCount",),
)


def usage_of(counts: Counts) -> Usage:
    read = counts["cachedContentTokenCount"]
    prompt = counts["promptTokenCount"] + counts["toolUsePromptTokenCount"]
    thoughts = counts["thoughtsTokenCount"]
    return Usage(
        input=max(0, prompt - read),
        cache_read=read,
        output=counts["candidatesTokenCount"] + thoughts,
        reasoning=thoughts,
        total=counts["totalTokenCount"] or None,
    )


def written(usage: Usage) -> dict[str, Any]:
    """The ``usageMetadata`` of ``usage``."""
    told = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": max(0, usage.output - usage.reasoning),
        "totalTokenCount": usage.all,
    }
    if usage.cache_read:
        told["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        told["thoughtsTokenCount"] = usage.reasoning
    return told
