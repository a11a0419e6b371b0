"""Writes answers as Responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, foreign
from aigw.dialects.held import Held
from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from .error import error_event
from .item import Item, annotation_of
from .logprobs import content_of
from .response import Response
from .words import NAME, encrypted, image_format
from .writer_whole import body_of

_encode = msgspec.json.encode


@implementer(IWriter)
class OpenAIResponsesWriter:
    """
    See :class:`aigw.interfaces.IWriter`. Nothing waits; but the dialect repeats all it
    said in its closing events, so the whole answer is kept, within a bound.

    There is one choice; events of others are left out. Each block is an item of its
    own, text blocks messages of one part.
    """

    def __init__(self, call: Call, now: float, request_id: str) -> None:
        self._call = call
        self._response = Response(call, int(now), request_id)
        self._held = Held()
        self._items: dict[int, Item] = {}
        self._output: list[Item] = []
        self._sequence = 0
        self._begun = False
        self._over = False
        self._logprobs: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._finish = Finish.STOP

    def feed(self, event: Event) -> list[Any]:
        choice: int = getattr(event, "choice", 0)
        if self._over or choice:
            return []
        write = self._WRITE.get(type(event))
        return [] if write is None else write(self, event)

    def end(self) -> list[Any]:
        return []

    def whole(self, answer: Answer) -> bytes:
        return body_of(answer, self._response)

    # -- frames

    def _frame(self, kind: str, /, **told: Any) -> SSEFrame:
        body = {"type": kind, **told, "sequence_number": self._sequence}
        self._sequence += 1
        return SSEFrame(type=kind, data=_encode(body))

    def _delta(self, item: Item, kind: str, place: bytes, value: str) -> SSEFrame:
        """One for every token: put together from bytes."""
        data = (
            b'{"type":"%s","item_id":%s,"output_index":%d,%s"delta":%s,'
            b'"sequence_number":%d}'
        ) % (
            kind.encode(),
            item.encoded_id,
            item.index,
            place,
            _encode(value),
            self._sequence,
        )
        self._sequence += 1
        return SSEFrame(type=kind, data=data)

    # -- events

    def _started(self, event: events.Started) -> list[Any]:
        if self._begun:
            return []
        self._begun = True
        self._response.started(event)
        told = self._response.body("in_progress", [], None)
        return [
            self._frame("response.created", response=told),
            self._frame("response.in_progress", response=told),
        ]

    def _opened(self, event: events.BlockOpened) -> list[Any]:
        begun = self._started(events.Started())
        kind = event.kind
        if kind == "audio" or (kind == "opaque" and event.dialect != NAME):
            return begun
        if kind == "redacted" or kind == "image":
            return begun  # its data opens it
        item = Item(
            kind,
            len(self._output),
            self._response.id,
            event.id,
            event.name,
            event.custom,
        )
        self._items[event.block] = item
        self._output.append(item)
        if kind == "opaque":
            item.raw = event.raw
        return [*begun, *self._added(item)]

    def _added(self, item: Item) -> list[Any]:
        where = {"output_index": item.index}
        out = [
            self._frame("response.output_item.added", **where, item=item.body("added"))
        ]
        if item.kind == "text" or item.kind == "refusal":
            out.append(
                self._frame(
                    "response.content_part.added",
                    item_id=item.id,
                    **where,
                    content_index=0,
                    part=item.part(""),
                )
            )
        return out

    def _text(self, event: events.Text) -> list[Any]:
        item = self._items.get(event.block)
        if item is None:
            return []
        return self._said(item, event.text)

    def _said(self, item: Item, text: str) -> list[Any]:
        self._held.add(text, item.pieces)
        place = b'"content_index":0,"logprobs":[],'
        if self._logprobs:
            place = b'"content_index":0,"logprobs":%s,' % _encode(self._logprobs)
            item.logprobs += self._logprobs
            self._logprobs = []
        return [self._delta(item, "response.output_text.delta", place, text)]

    def _probable(self, event: events.LogProbs) -> list[Any]:
        """They go with the text they are told of, which comes next."""
        self._logprobs += content_of(event.raw)
        return []

    def _refusal(self, event: events.Refusal) -> list[Any]:
        item = self._items.get(event.block)
        if item is None:
            return []
        self._held.add(event.text, item.pieces)
        kind = "response.refusal.delta"
        return [self._delta(item, kind, b'"content_index":0,', event.text)]

    def _thinking(self, event: events.Thinking) -> list[Any]:
        item = self._items.get(event.block)
        if item is None:
            return []
        out = []
        if not item.pieces:
            out.append(
                self._frame(
                    "response.reasoning_summary_part.added",
                    item_id=item.id,
                    output_index=item.index,
                    summary_index=0,
                    part={"type": "summary_text", "text": ""},
                )
            )
        self._held.add(event.text, item.pieces)
        kind = "response.reasoning_summary_text.delta"
        return [*out, self._delta(item, kind, b'"summary_index":0,', event.text)]

    def _arguments(self, event: events.Arguments) -> list[Any]:
        item = self._items.get(event.block)
        if item is None or item.kind != "tool":
            return []
        self._held.add(event.json, item.pieces)
        kind = f"response.{item.deltas}.delta"
        return [self._delta(item, kind, b"", event.json)]

    def _signature(self, event: events.Signature) -> list[Any]:
        """
        Responses signs reasoning alone. A call's signature is an item of its own behind
        it; text is not signed, and no vendor insists on it.
        """
        item = self._items.get(event.block)
        if item is not None and item.kind == "thinking":
            item.encrypted = encrypted(event.signature, redacted=False)
        elif item is not None and item.kind == "tool":
            item.signature = event.signature
        return []

    def _redacted(self, event: events.Redacted) -> list[Any]:
        item = Item("thinking", len(self._output), self._response.id)
        item.encrypted = encrypted(event.signature, redacted=True)
        self._items[event.block] = item
        self._output.append(item)
        return self._added(item)

    def _media(self, event: events.Media) -> list[Any]:
        item = self._items.get(event.block)
        if item is not None and item.kind == "image":
            self._held.add(event.data, item.pieces)
            return []
        if item is not None or not event.type.startswith("image"):
            return []
        item = Item("image", len(self._output), self._response.id)
        item.name = image_format(event.type)
        self._held.add(event.data, item.pieces)
        self._items[event.block] = item
        self._output.append(item)
        return self._added(item)

    def _citation(self, event: events.Citation) -> list[Any]:
        item = self._items.get(event.block)
        annotation = annotation_of(event.citation)
        if item is None or annotation is None or item.kind != "text":
            return []
        item.annotations.append(annotation)
        return [
            self._frame(
                "response.output_text.annotation.added",
                item_id=item.id,
                output_index=item.index,
                content_index=0,
                annotation_index=len(item.annotations) - 1,
                annotation=annotation,
            )
        ]

    def _closed(self, event: events.BlockClosed) -> list[Any]:
        item = self._items.get(event.block)
        if item is None or item.closed:
            return []
        item.closed = True
        out: list[Any] = []
        if item.kind == "text" and self._logprobs:
            out = self._said(item, "")  # they came behind the last piece
        out += [self._frame(kind, **told) for kind, told in item.closing()]
        if item.signature is not None:
            marked = foreign.of_call(item.signature, item.call_id)
            out += self._redacted(events.Redacted(0, event.block, marked))
            out += self._closed(event)
        return out

    def _used(self, event: events.UsageReport) -> list[Any]:
        self._usage = event.usage
        return []

    def _finished(self, event: events.Finished) -> list[Any]:
        self._finish = event.reason
        return []

    def _ended(self, event: events.Ended) -> list[Any]:
        begun = self._started(events.Started())
        self._over = True
        output = [item.body("completed") for item in self._output]
        told = self._response.body(self._finish, output, self._usage)
        return [*begun, self._frame(f"response.{told['status']}", response=told)]

    def _failed(self, event: events.Failed) -> list[Any]:
        self._over = True
        told = error_event(failures.error_of(event), self._sequence)
        return [SSEFrame(type="error", data=_encode(told))]

    _WRITE: ClassVar[dict[type[Event], Callable[[Any, Any], list[Any]]]] = {
        events.Started: _started,
        events.BlockOpened: _opened,
        events.Text: _text,
        events.Refusal: _refusal,
        events.Thinking: _thinking,
        events.Arguments: _arguments,
        events.Signature: _signature,
        events.Redacted: _redacted,
        events.Media: _media,
        events.Citation: _citation,
        events.LogProbs: _probable,
        events.BlockClosed: _closed,
        events.UsageReport: _used,
        events.Finished: _finished,
        events.Ended: _ended,
        events.Failed: _failed,
    }
