"""The ``usage`` object of Messages, whose input does not count what a cache holds."""

from __future__ import annotations

from typing import Any, Final

from aigw.dialects.tokens import Counts
from aigw.model.usage import Usage

PATHS: Final = (
    ("input_tokens",),
    ("cache_read_input_tokens",),
    ("cache_creation_input_tokens",),
    ("output_tokens",),
    ("output_tokens_details", "thinking_tokens"),
)


def usage_of(counts: Counts) -> Usage:
    return Usage(
        input=counts["input_tokens"],
        cache_read=counts["cache_read_input_tokens"],
        cache_write=counts["cache_creation_input_tokens"],
        output=counts["output_tokens"],
        reasoning=counts["thinking_tokens"],
    )


def written(usage: Usage) -> dict[str, Any]:
    """The ``usage`` object of ``usage``."""
    told: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return told
