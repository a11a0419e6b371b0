"""The ``usage`` object of Converse, whose input does not count what a cache holds."""

from __future__ import annotations

from typing import Any, Final

from aigw.dialects.tokens import Counts
from aigw.model.usage import Usage

_PATHS: Final = (
    ("inputTokens",),
    ("outputTokens",),
    ("totalTokens",),
    ("cacheReadInputTokens",),
    ("cacheWriteInputTokens",),
)


def usage_of(told: dict[str, Any]) -> Usage:
    counts = Counts()
    counts.merge(told, _PATHS)
    return Usage(
        input=counts["inputTokens"],
        cache_read=counts["cacheReadInputTokens"],
        cache_write=counts["cacheWriteInputTokens"],
        output=counts["outputTokens"],
        total=counts["totalTokens"] or None,
    )


def written(usage: Usage) -> dict[str, int]:
    """The ``usage`` object of ``usage``."""
    return {
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.all,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write,
    }
