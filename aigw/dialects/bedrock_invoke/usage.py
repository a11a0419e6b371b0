"""
What whole answers of invoked models tell of their use, each in its vendor's words
(Bedrock user guide, "Inference request parameters and response fields for foundation
models"). Anthropic's are read as messages, and not here.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from aigw.dialects import openai_usage
from aigw.dialects.tokens import Counts, count
from aigw.errors import UNREADABLE
from aigw.model.usage import Usage


class _Answer(msgspec.Struct):
    """Leaves of any type."""

    usage: Any = None  # Amazon Nova's; in OpenAI's words many others'
    prompt_token_count: Any = None  # Meta's Llama
    generation_token_count: Any = None
    inputTextTokenCount: Any = None  # Amazon Titan
    results: Any = None


_answers: Final = msgspec.json.Decoder(_Answer)


def told(body: bytes) -> Usage | None:
    """What ``body`` tells, None where it tells nothing in such words."""
    try:
        answer = _answers.decode(body)
    except UNREADABLE:
        return None
    usage = answer.usage
    if isinstance(usage, dict):
        if "inputTokens" in usage:
            return Usage(
                input=count(usage, "inputTokens"),
                cache_read=count(usage, "cacheReadInputTokenCount"),
                cache_write=count(usage, "cacheWriteInputTokenCount"),
                output=count(usage, "outputTokens"),
                total=count(usage, "totalTokens") or None,
            )
        if "prompt_tokens" in usage:
            counts = Counts()
            counts.merge(usage, openai_usage.PATHS)
            return openai_usage.usage_of(counts)
        return None
    if answer.prompt_token_count is not None:
        return Usage(
            input=count(answer.prompt_token_count),
            output=count(answer.generation_token_count),
        )
    if answer.inputTextTokenCount is not None:
        results = answer.results if isinstance(answer.results, list) else []
        return Usage(
            input=count(answer.inputTextTokenCount),
            output=sum(count(result, "tokenCount") for result in results),
        )
    return None
