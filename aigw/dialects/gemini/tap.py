"""Looks into answers of generateContent as they pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from zope.interface import implementer

from aigw.dialects.collected import Collected
from aigw.dialects.tokens import Counts
from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from . import usage as usages
from .words import finish_word_of


class _Part(msgspec.Struct):
    text: Any = None
    thought: Any = None
    functionCall: Any = None
    inlineData: Any = None
    executableCode: Any = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finishReason: Any = None


class _Bare(msgspec.Struct):
    """What stands beside the candidates, readable even where those are not."""

    usageMetadata: Any = None
    promptFeedback: Any = None
    modelVersion: Any = None
    error: Any = None


class _Chunk(_Bare):
    candidates: list[_Candidate] | None = None


_chunks = msgspec.json.Decoder(_Chunk)
_bares = msgspec.json.Decoder(_Bare)
_lists = msgspec.json.Decoder(list[msgspec.Raw])


@implementer(ITap)
class GeminiTap:
    """
    The tap of gemini; see :class:`aigw.interfaces.ITap`. Google tells usage so far in
    nearly every chunk, and it is looked at in each: a stream may break at any.
    """

    marks: tuple[bytes, ...] = (
        b"usageMetadata",
        b"finishReason",
        b"functionCall",
        b"blockReason",
        b"error",
    )

    def __init__(self, collect: bool = False) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._counts = Counts()
        self._collected = Collected() if collect else None

    def feed(self, frame: SSEFrame) -> int:
        return self._look(frame.data) if frame.data else sights.NOTHING

    def whole(self, body: bytes) -> None:
        """One answer; or a stream without ``alt=sse``, an array of its chunks."""
        if body.lstrip()[:1] == b"[":
            try:
                chunks = _lists.decode(body)
            except UNREADABLE:
                return
            for chunk in chunks:
                self._look(bytes(chunk))
        else:
            self._look(body)

    def text(self) -> str:
        return "" if self._collected is None else self._collected.text()

    def _look(self, data: bytes) -> int:
        chunk = _decode(data)
        if chunk is None:
            return sights.NOTHING
        if chunk.error is not None:
            if self.error is None:
                told = chunk.error
                known = isinstance(told, dict)
                self.error = told if known else {"message": str(told)}
            return sights.ERROR
        seen = sights.NOTHING
        if not self.model and isinstance(chunk.modelVersion, str):
            self.model = chunk.modelVersion
        if isinstance(chunk.usageMetadata, dict):
            self._counts.merge(chunk.usageMetadata, usages.PATHS)
            self.usage = usages.usage_of(self._counts)
            seen = sights.PROGRESS
        feedback = chunk.promptFeedback
        if isinstance(feedback, dict) and isinstance(feedback.get("blockReason"), str):
            self.finished = True
            seen = sights.PROGRESS
        if isinstance(chunk, _Chunk):
            for candidate in chunk.candidates or ():
                seen |= self._candidate(candidate)
        return seen

    def _candidate(self, candidate: _Candidate) -> int:
        seen = sights.NOTHING
        if finish_word_of(candidate.finishReason):
            self.finished = True
            seen = sights.PROGRESS
        parts = candidate.content.parts if candidate.content is not None else None
        for part in parts or ():
            if part.text and isinstance(part.text, str):
                seen |= sights.CONTENT
                if self._collected is not None and part.thought is not True:
                    self._collected.add(part.text)
            elif part.functionCall is not None:
                self.tool_calls = True
                seen |= sights.CONTENT
            elif part.inlineData is not None or part.executableCode is not None:
                seen |= sights.CONTENT
        return seen


def _decode(data: bytes) -> _Bare | None:
    try:
        return _chunks.decode(data)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    try:
        return _bares.decode(data)
    except UNREADABLE:
        return None
