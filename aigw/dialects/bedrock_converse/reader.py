"""Reads answers of Converse and ConverseStream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures
from aigw.dialects.unread import mended, unread
from aigw.errors import UNREADABLE
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import EventStreamFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered

from . import blob
from . import error as errors
from . import usage as usages
from .citation import citation_of
from .frames import kind_of
from .media import type_of
from .reader_whole import answer_of, inner, sequence_of, signature_of, text, vendor_of
from .words import NAME, finish_of


class _Told(msgspec.Struct):
    """An event; leaves of any type, for it may come from anybody's server."""

    contentBlockIndex: Any = None
    start: Any = None
    delta: Any = None
    stopReason: Any = None
    additionalModelResponseFields: Any = None
    usage: Any = None


_told = msgspec.json.Decoder(_Told)


class _Block:
    """
    :ivar argued: whether arguments came, of a tool call.
    :ivar pieces: what came so far of redacted reasoning, which is told whole.
    """

    __slots__ = ("argued", "kind", "number", "pieces", "type")

    def __init__(self, number: int, kind: events.BlockKind, type: str = "") -> None:
        self.number = number
        self.kind = kind
        self.type = type
        self.argued = False
        self.pieces: list[str] = []


@implementer(IReader)
class BedrockConverseReader:
    """
    See :class:`aigw.interfaces.IReader`. Only tools, and what else has a name, are
    announced by a start: other blocks begin with their first delta.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._model = rendered.model
        self._vendor = vendor_of(rendered.model)
        self._open: dict[Any, _Block] = {}
        self._next = 0
        self._started = False
        self._called = False
        self._finished = False
        self._over = False

    def feed(self, frame: EventStreamFrame) -> list[Event]:
        if self._over:
            return []
        kind = kind_of(frame)
        if not kind:
            self._over = True
            return [errors.failed_in(frame)]
        read = self._READ.get(kind)
        if read is None:
            return [events.Unknown(f"event {kind}", frame.payload)]
        told: _Told | None
        try:
            told = _told.decode(frame.payload)
        except UNREADABLE:
            told = mended(_told, frame.payload)
        if told is None:
            event = unread(f"event {kind}", frame.payload)
            self._over = isinstance(event, Failed)
            return [event]
        if not isinstance(told.contentBlockIndex, int | str | None):
            told.contentBlockIndex = None  # what is no number or name is none
        out: list[Event] = []
        read(self, told, out)
        return out

    def end(self) -> list[Event]:
        if self._over:
            return []
        self._over = True
        out: list[Event] = []
        self._close_all(out)
        if self._finished:
            out.append(events.Ended())
        return out

    def whole(self, body: bytes) -> Answer | Failed:
        told = failures.decoded(body)
        if isinstance(told, dict):
            if isinstance(inner(told, "output", "message").get("content"), list):
                return answer_of(told, self._names, self._model)
            if isinstance(told.get("message"), str):
                return errors.failed(0, [], told)
        return Failed("upstream", 502, "no content in response")

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return errors.failed(status, headers, failures.decoded(body))

    # -- events by kind

    def _start(self, told: _Told, out: list[Event]) -> None:
        if not self._started:
            self._started = True
            out.append(events.Started())

    def _opened(self, told: _Told, out: list[Event]) -> None:
        start = told.start
        if not isinstance(start, dict) or self._finished:
            return
        index = told.contentBlockIndex
        use = inner(start, "toolUse")
        if use and use.get("type") is None:
            self._called = True
            name = text(use.get("name"))
            block = self._begin(index, "tool", out, tell=False)
            out.append(
                events.BlockOpened(
                    0,
                    block.number,
                    "tool",
                    text(use.get("toolUseId")),
                    self._names.get(name, name),
                )
            )
        elif "image" in start:
            format = text(inner(start, "image").get("format"))
            self._begin(index, "image", out).type = type_of("image", format)
        else:
            block = self._begin(index, "opaque", out, tell=False)
            form = next(iter(start), "")
            raw = msgspec.json.encode(start)
            out.append(
                events.BlockOpened(
                    0, block.number, "opaque", name=form, dialect=NAME, raw=raw
                )
            )

    def _delta(self, told: _Told, out: list[Event]) -> None:
        delta = told.delta
        if not isinstance(delta, dict) or self._finished:
            return
        index = told.contentBlockIndex
        for form, value in delta.items():
            read = self._DELTAS.get(form)
            if read is None or not read(self, index, value, out):
                raw = msgspec.json.encode({form: value})
                out.append(events.Unknown(f"delta {form}", raw))

    def _closed(self, told: _Told, out: list[Event]) -> None:
        block = self._open.pop(told.contentBlockIndex, None)
        if block is not None:
            self._close(block, out)

    def _stopped(self, told: _Told, out: list[Event]) -> None:
        word = text(told.stopReason)
        if not word or self._finished:
            return
        self._start(told, out)
        self._finished = True
        self._close_all(out)
        fields = {"additionalModelResponseFields": told.additionalModelResponseFields}
        reason = finish_of(word, self._called)
        out.append(events.Finished(0, reason, word, sequence_of(fields)))

    def _metadata(self, told: _Told, out: list[Event]) -> None:
        if isinstance(told.usage, dict):
            out.append(events.UsageReport(usages.usage_of(told.usage)))
        if self._finished:
            self._over = True
            out.append(events.Ended())

    # -- deltas by kind; whether it was read

    def _text(self, index: Any, value: Any, out: list[Event]) -> bool:
        if not isinstance(value, str):
            return False
        block = self._at(index, "text", out)
        if value:
            out.append(events.Text(0, block.number, value))
        return True

    def _reasoned(self, index: Any, value: Any, out: list[Event]) -> bool:
        if not isinstance(value, dict):
            return False
        piece = value.get("redactedContent")
        if isinstance(piece, str):
            self._at(index, "redacted", out).pieces.append(piece)
            return True
        said, signature = value.get("text"), value.get("signature")
        if not isinstance(said, str) and not isinstance(signature, str):
            return False
        block = self._at(index, "thinking", out)
        if isinstance(said, str) and said:
            out.append(events.Thinking(0, block.number, said))
        signed = signature_of(text(signature), self._vendor)
        if signed is not None:
            out.append(events.Signature(0, block.number, signed))
        return True

    def _argued(self, index: Any, value: Any, out: list[Event]) -> bool:
        block = self._open.get(index)
        piece = value.get("input") if isinstance(value, dict) else None
        if block is None or block.kind != "tool" or not isinstance(piece, str):
            return False
        if piece:
            block.argued = True
            out.append(events.Arguments(0, block.number, piece))
        return True

    def _cited(self, index: Any, value: Any, out: list[Event]) -> bool:
        if not isinstance(value, dict):
            return False
        block = self._at(index, "text", out)
        out.append(events.Citation(0, block.number, citation_of(value)))
        return True

    def _image(self, index: Any, value: Any, out: list[Event]) -> bool:
        data = inner(value, "source").get("bytes")
        if not isinstance(data, str):
            return False
        block = self._at(index, "image", out)
        out.append(events.Media(0, block.number, block.type or "image", data))
        return True

    # -- blocks

    def _at(self, index: Any, kind: events.BlockKind, out: list[Event]) -> _Block:
        """The open block of that kind at a place; what else is open there ends."""
        block = self._open.get(index)
        if block is None or block.kind != kind:
            block = self._begin(index, kind, out)
        return block

    def _begin(
        self, index: Any, kind: events.BlockKind, out: list[Event], tell: bool = True
    ) -> _Block:
        if not self._started:
            self._start(_Told(), out)
        old = self._open.pop(index, None)
        if old is not None:
            self._close(old, out)
        block = self._open[index] = _Block(self._next, kind)
        self._next += 1
        if tell:
            out.append(events.BlockOpened(0, block.number, kind))
        return block

    def _close(self, block: _Block, out: list[Event]) -> None:
        if block.kind == "tool" and not block.argued:
            # No deltas mean no arguments; elsewhere that is an object too.
            out.append(events.Arguments(0, block.number, "{}"))
        if block.pieces:
            signature = blob.read(blob.joined(block.pieces), self._vendor)
            out.append(events.Redacted(0, block.number, signature))
        out.append(events.BlockClosed(0, block.number))

    def _close_all(self, out: list[Event]) -> None:
        for block in self._open.values():
            self._close(block, out)
        self._open.clear()

    _READ: ClassVar[dict[str, Callable[[Any, _Told, list[Event]], None]]] = {
        "messageStart": _start,
        "contentBlockStart": _opened,
        "contentBlockDelta": _delta,
        "contentBlockStop": _closed,
        "messageStop": _stopped,
        "metadata": _metadata,
    }
    _DELTAS: ClassVar[dict[str, Callable[[Any, Any, Any, list[Event]], bool]]] = {
        "text": _text,
        "reasoningContent": _reasoned,
        "toolUse": _argued,
        "citation": _cited,
        "image": _image,
    }
