"""
Usage alone, as OpenAI's operations beside chat tell it: completions, embeddings,
images, transcriptions, rerank (https://platform.openai.com/docs/api-reference). The
older ones count prompt and completion tokens, the newer ones input and output tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.usage import Usage

from . import openai_usage
from .tokens import Counts

_PATHS: Final = (
    *openai_usage.PATHS,
    ("input_tokens",),
    ("output_tokens",),
    ("input_tokens_details", "cached_tokens"),
)


class _Answer(msgspec.Struct):
    """What was made is skipped, not decoded."""

    model: Any = None
    usage: Any = None
    error: Any = None


_answers = msgspec.json.Decoder(_Answer)


@implementer(ITap)
class UsageTap:
    """Of a stream, events that tell neither usage nor an error are not decoded."""

    marks: tuple[bytes, ...] = (b'"usage"', b'"error"')

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None

    def feed(self, frame: Any) -> int:
        data = getattr(frame, "data", b"")
        if any(mark in data for mark in self.marks):
            self.whole(data)
            if self.error is not None:
                return sights.ERROR
        return sights.CONTENT

    def whole(self, body: bytes) -> None:
        try:
            answer = _answers.decode(body)
        except UNREADABLE:
            return
        if isinstance(answer.model, str):
            self.model = answer.model
        if isinstance(answer.usage, dict):
            self._count(answer.usage)
        if answer.error is not None:
            told = answer.error
            self.error = told if isinstance(told, dict) else {"message": str(told)}

    def text(self) -> str:
        return ""

    def _count(self, told: dict[str, Any]) -> None:
        counts = Counts()
        counts.merge(told, _PATHS)
        if any(counts.values()):  # some are paid by the second, and told so
            counts["prompt_tokens"] = counts["prompt_tokens"] or counts["input_tokens"]
            counts["completion_tokens"] = (
                counts["completion_tokens"] or counts["output_tokens"]
            )
            self.usage = openai_usage.usage_of(counts)
            self.finished = True  # it is told when all is said
