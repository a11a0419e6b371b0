"""The ``usage`` object of Responses."""

from __future__ import annotations

from typing import Any, Final

from aigw.dialects.tokens import Counts
from aigw.model.usage import Usage

PATHS: Final = (
    ("input_tokens",),
    ("output_tokens",),
    ("total_tokens",),
    ("input_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cache_write_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
)


def usage_of(source: dict[str, Any]) -> Usage:
    counts = Counts()
    counts.merge(source, PATHS)
    read, write = counts["cached_tokens"], counts["cache_write_tokens"]
    return Usage(
        input=max(0, counts["input_tokens"] - read - write),
        cache_read=read,
        cache_write=write,
        output=counts["output_tokens"],
        reasoning=counts["reasoning_tokens"],
        total=counts["total_tokens"] or None,
    )


def written(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.all,
    }
