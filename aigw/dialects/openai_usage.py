"""The ``usage`` object of OpenAI's chat completions and embeddings."""

from __future__ import annotations

from typing import Any, Final

from aigw.model.usage import Usage

from .tokens import Counts

#: ``prompt_cache_hit_tokens`` is DeepSeek's word for ``cached_tokens``,
#: ``cache_write_tokens`` OpenRouter's for ``cache_creation_input_tokens``.
PATHS: Final = (
    ("prompt_tokens",),
    ("completion_tokens",),
    ("total_tokens",),
    ("prompt_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),
    ("prompt_tokens_details", "cache_creation_input_tokens"),
    ("prompt_tokens_details", "cache_write_tokens"),
    ("completion_tokens_details", "reasoning_tokens"),
)


def usage_of(counts: Counts) -> Usage:
    """
    The exclusive parts of ``counts``: ``prompt_tokens`` includes what was read from and
    written to the cache, ``completion_tokens`` the reasoning.
    """
    read = counts["cached_tokens"] or counts["prompt_cache_hit_tokens"]
    write = counts["cache_creation_input_tokens"] or counts["cache_write_tokens"]
    return Usage(
        input=max(0, counts["prompt_tokens"] - read - write),
        cache_read=read,
        cache_write=write,
        output=counts["completion_tokens"],
        reasoning=counts["reasoning_tokens"],
        total=counts["total_tokens"] or None,
    )


def written(usage: Usage) -> dict[str, Any]:
    """The ``usage`` object of ``usage``."""
    prompt: dict[str, int] = {"cached_tokens": usage.cache_read}
    if usage.cache_write:
        prompt["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.all,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
