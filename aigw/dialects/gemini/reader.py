"""Reads answers of generateContent."""

from __future__ import annotations

from collections.abc import Mapping

from zope.interface import implementer

from aigw.dialects import failures
from aigw.dialects.tokens import Counts
from aigw.dialects.unread import unread
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.finish import Finish
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered

from . import chunk as chunks
from . import error as errors
from . import logprobs
from . import usage as usages
from .blocks import Blocks
from .chunk import Candidate, Chunk
from .reader_whole import answer_of
from .words import finish_of, finish_word_of


@implementer(IReader)
class GeminiReader:
    """
    See :class:`aigw.interfaces.IReader`. There is no terminal frame: a stream is whole
    where each candidate told a finish reason and the bytes end properly.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._counts = Counts()
        self._choices: dict[int, Blocks] = {}
        self._id = ""
        self._started = False
        self._over = False

    def feed(self, frame: SSEFrame) -> list[Event]:
        data = frame.data
        if not data or self._over:
            return []
        chunk = chunks.decode(data)
        if chunk is None:
            event = unread("data", data)
            self._over = isinstance(event, Failed)
            return [event]
        if chunk.error is not None:
            self._over = True
            return [errors.failed(0, [], {"error": chunk.error})]
        out: list[Event] = []
        if isinstance(chunk.usageMetadata, dict):
            self._counts.merge(chunk.usageMetadata, usages.PATHS)
            out.append(events.UsageReport(usages.usage_of(self._counts)))
        if not self._started:
            self._begin(chunk, out)
        for candidate in chunk.candidates or ():
            self._candidate(candidate, out)
        if chunk.block_reason and not self._choices:
            self._choices[0] = blocks = Blocks(0, self._names)
            blocks.finished = True
            # The prompt itself was refused.
            out.append(events.Finished(0, Finish.FILTERED, chunk.block_reason))
        return out

    def end(self) -> list[Event]:
        if self._over:
            return []
        self._over = True
        out: list[Event] = []
        for blocks in self._choices.values():
            blocks.close(out)
        if self._choices and all(one.finished for one in self._choices.values()):
            out.append(events.Ended())
        return out

    def whole(self, body: bytes) -> Answer | Failed:
        chunk = chunks.decode(body)
        if chunk is not None and chunk.error is not None:
            return errors.failed(0, [], {"error": chunk.error})
        if chunk is None or not (chunk.candidates or chunk.block_reason):
            return Failed("upstream", 502, "no candidates in response")
        return answer_of(chunk, self._names)

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return errors.failed(status, headers, failures.decoded(body))

    def _begin(self, chunk: Chunk, out: list[Event]) -> None:
        if not (chunk.candidates or chunk.block_reason or out):
            return
        self._started = True
        self._id = chunks.text(chunk.responseId)
        model = chunks.text(chunk.modelVersion)
        out.append(events.Started(id=self._id, model=model))

    def _candidate(self, candidate: Candidate, out: list[Event]) -> None:
        index = candidate.place
        blocks = self._choices.get(index)
        if blocks is None:
            blocks = self._choices[index] = Blocks(index, self._names)
        if blocks.finished:
            return
        if candidate.content is not None:
            for raw in candidate.content.parts or ():
                blocks.part(raw, self._id, out)
        if candidate.citationMetadata is not None:
            blocks.cite(candidate.citationMetadata, out)
        if candidate.groundingMetadata:
            grounding = bytes(candidate.groundingMetadata)
            out.append(events.Unknown("groundingMetadata", grounding))
        if candidate.logprobsResult is not None:
            told = logprobs.read(candidate.logprobsResult)
            if told is not None:
                out.append(events.LogProbs(index, told))
        word = finish_word_of(candidate.finishReason)
        if word:
            blocks.finished = True
            blocks.close(out)
            reason = finish_of(word, blocks.called)
            out.append(events.Finished(index, reason, word))
