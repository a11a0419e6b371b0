"""Writes answers of generateContent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures
from aigw.dialects.held import Held
from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.event import Event
from aigw.model.frame import SSEFrame
from aigw.model.part import Signature
from aigw.model.usage import Usage

from . import citation as citations
from . import error as errors
from . import logprobs
from . import usage as usages
from .words import NAME, finish_word
from .writer_whole import body_of
from .written import call_part, media_part, signed_part

_encode = msgspec.json.encode
_NOTHING = b'"content":{"parts":[{"text":""}],"role":"model"}'


class _Call:
    """A tool call under way: it is written whole, as Gemini's clients expect it."""

    __slots__ = ("id", "name", "pieces", "signature")

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name
        self.pieces: list[str] = []
        self.signature: Signature | None = None


@implementer(IWriter)
class GeminiWriter:
    """
    See :class:`aigw.interfaces.IWriter`. Nothing waits but the arguments of a call, for
    their end, and the usage that is told behind the finish.

    A chunk is put together from bytes that do not change and the one value that does:
    it is written for every token.
    """

    def __init__(self, call: Call, request_id: str) -> None:
        self._call = call
        self._id = request_id
        self._usage: Usage | None = None
        self._told: Usage | None = None
        self._held = Held()
        self._calls: dict[tuple[int, int], _Call] = {}
        self._thoughts: set[tuple[int, int]] = set()
        self._over = False
        self._tail = b"}"
        self._set_tail(request_id, call.model)

    def feed(self, event: Event) -> list[Any]:
        if self._over:
            return []
        write = self._WRITE.get(type(event))
        return [] if write is None else write(self, event)

    def end(self) -> list[Any]:
        return []

    def whole(self, answer: Answer) -> bytes:
        return body_of(answer, self._call, self._id)

    # -- frames

    def _set_tail(self, id: str, model: str) -> None:
        told = {"modelVersion": model, "responseId": id}
        self._tail = b"," + _encode(told)[1:]

    def _candidate(self, choice: int, inner: bytes) -> list[Any]:
        """A chunk of one candidate, with the usage told since the last."""
        usage = b""
        if self._usage is not None and self._usage is not self._told:
            self._told = self._usage
            usage = b',"usageMetadata":' + _encode(usages.written(self._usage))
        data = b'{"candidates":[{%s,"index":%d}]%s%s' % (
            inner,
            choice,
            usage,
            self._tail,
        )
        return [SSEFrame(data=data)]

    def _part(self, choice: int, part: bytes) -> list[Any]:
        inner = b'"content":{"parts":[%s],"role":"model"}' % part
        return self._candidate(choice, inner)

    # -- events

    def _started(self, event: events.Started) -> list[Any]:
        self._set_tail(event.id or self._id, event.model or self._call.model)
        return []

    def _opened(self, event: events.BlockOpened) -> list[Any]:
        place = event.choice, event.block
        if event.kind == "thinking":
            self._thoughts.add(place)
        elif event.kind == "tool" and not event.custom:
            self._calls[place] = _Call(event.id, event.name)
        elif event.kind == "opaque" and event.dialect == NAME:
            return self._part(event.choice, event.raw)
        return []

    def _text(self, event: events.Text | events.Refusal) -> list[Any]:
        return self._part(event.choice, b'{"text":%s}' % _encode(event.text))

    def _thinking(self, event: events.Thinking) -> list[Any]:
        part = b'{"text":%s,"thought":true}' % _encode(event.text)
        return self._part(event.choice, part)

    def _arguments(self, event: events.Arguments) -> list[Any]:
        call = self._calls.get((event.choice, event.block))
        if call is not None:
            self._held.add(event.json, call.pieces)
        return []

    def _signature(self, event: events.Signature) -> list[Any]:
        place = event.choice, event.block
        call = self._calls.get(place)
        if call is not None:
            call.signature = event.signature
            return []
        part = signed_part(event.signature, place in self._thoughts, False)
        return self._part(event.choice, _encode(part))

    def _redacted(self, event: events.Redacted) -> list[Any]:
        part = signed_part(event.signature, True, True)
        return self._part(event.choice, _encode(part))

    def _media(self, event: events.Media) -> list[Any]:
        if not event.data:
            return []
        return self._part(event.choice, _encode(media_part(event.type, event.data)))

    def _citation(self, event: events.Citation) -> list[Any]:
        entry = citations.written(event.citation)
        if entry is None:
            return []
        told = _encode({"citations": [entry]})
        return self._candidate(event.choice, b'"citationMetadata":%s' % told)

    def _logprobs(self, event: events.LogProbs) -> list[Any]:
        told = logprobs.write(event.raw)
        if told is None:
            return []
        return self._candidate(event.choice, b'"logprobsResult":%s' % _encode(told))

    def _closed(self, event: events.BlockClosed) -> list[Any]:
        call = self._calls.pop((event.choice, event.block), None)
        if call is None:
            return []
        arguments = "".join(call.pieces)
        part = call_part(call.id, call.name, arguments, call.signature)
        return self._part(event.choice, _encode(part))

    def _used(self, event: events.UsageReport) -> list[Any]:
        self._usage = event.usage
        return []

    def _finished(self, event: events.Finished) -> list[Any]:
        word = _encode(finish_word(event.reason, event.native))
        inner = b'%s,"finishReason":%s' % (_NOTHING, word)
        return self._candidate(event.choice, inner)

    def _ended(self, event: events.Ended) -> list[Any]:
        self._over = True
        if self._usage is None or self._usage is self._told:
            return []
        usage = _encode(usages.written(self._usage))
        return [SSEFrame(data=b'{"usageMetadata":%s%s' % (usage, self._tail))]

    def _failed(self, event: events.Failed) -> list[Any]:
        self._over = True
        return errors.broken(failures.error_of(event))

    _WRITE: ClassVar[dict[type[Event], Callable[[Any, Any], list[Any]]]] = {
        events.Started: _started,
        events.BlockOpened: _opened,
        events.Text: _text,
        events.Refusal: _text,
        events.Thinking: _thinking,
        events.Arguments: _arguments,
        events.Signature: _signature,
        events.Redacted: _redacted,
        events.Media: _media,
        events.Citation: _citation,
        events.LogProbs: _logprobs,
        events.BlockClosed: _closed,
        events.UsageReport: _used,
        events.Finished: _finished,
        events.Ended: _ended,
        events.Failed: _failed,
    }
