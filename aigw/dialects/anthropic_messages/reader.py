"""Reads answers of Messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, foreign
from aigw.dialects.tokens import Counts
from aigw.dialects.unread import mended, unread
from aigw.errors import UNREADABLE
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered

from . import error as errors
from . import usage as usages
from .citation import citation_of
from .reader_whole import answer_of, text
from .words import NAME, VENDOR, finish_of


class _Told(msgspec.Struct):
    """An event; leaves of any type, for it may come from anybody's server."""

    type: Any = None
    index: Any = None
    delta: Any = None
    content_block: Any = None
    message: Any = None
    usage: Any = None
    error: Any = None


_told = msgspec.json.Decoder(_Told)


class _Block:
    __slots__ = ("argued", "kind", "number")

    def __init__(self, number: int, kind: events.BlockKind) -> None:
        self.number = number
        self.kind = kind
        self.argued = False


@implementer(IReader)
class AnthropicMessagesReader:
    """See :class:`aigw.interfaces.IReader`."""

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._counts = Counts()
        self._open: dict[Any, _Block] = {}
        self._next = 0
        self._begun = False
        self._finished = False
        self._over = False

    def feed(self, frame: SSEFrame) -> list[Event]:
        data = frame.data
        if not data or self._over:
            return []
        told: _Told | None
        try:
            told = _told.decode(data)
        except UNREADABLE:
            told = mended(_told, data)
        if told is None:
            return [self._unread(frame.type, data)]
        if not isinstance(told.index, int | str | None):
            told.index = None  # what is no number or name is none
        name = told.type if isinstance(told.type, str) else frame.type
        read = self._READ.get(name)
        if read is None:
            return [events.Unknown(f"event {name}", data)]
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
            if told.get("type") == "error" or told.get("error") is not None:
                return errors.failed(0, [], told)
            if isinstance(told.get("content"), list):
                return answer_of(told, self._names)
        return Failed("upstream", 502, "no content in response")

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return errors.failed(status, headers, failures.decoded(body))

    def _unread(self, name: str, data: bytes) -> Event:
        what = f"event {name}"
        if name != "message" and (name == "ping" or name not in self._READ):
            return events.Unknown(what, data)
        event = unread(what, data)
        self._over = isinstance(event, Failed)
        return event

    # -- events by name

    def _started(self, told: _Told, out: list[Event]) -> None:
        message = told.message if isinstance(told.message, dict) else {}
        usage = message.get("usage")
        tier = ""
        if isinstance(usage, dict):
            self._use(usage, out)
            tier = text(usage.get("service_tier"))
        id, model = text(message.get("id")), text(message.get("model"))
        self._start(events.Started(id=id, model=model, tier=tier), out)

    def _start(self, started: events.Started, out: list[Event]) -> None:
        if not self._begun:
            self._begun = True
            out.append(started)

    def _opened(self, told: _Told, out: list[Event]) -> None:
        given = told.content_block
        if not isinstance(given, dict):
            return
        if self._finished:
            return
        self._start(events.Started(), out)
        form = given.get("type")
        number = self._next
        self._next += 1
        if form == "text" or form == "thinking":
            self._begin(told.index, number, form, out)
            self._spoken(number, form, text(given.get(form)), out)
            signature = text(given.get("signature"))
            if signature:
                signed = foreign.unpack(signature, VENDOR)
                out.append(events.Signature(0, number, signed))
        elif form == "tool_use":
            block = self._open[told.index] = _Block(number, "tool")
            name = text(given.get("name"))
            name = self._names.get(name, name)
            id = text(given.get("id"))
            out.append(events.BlockOpened(0, number, "tool", id, name))
            if given.get("input"):  # some servers send the input whole
                block.argued = True
                json = msgspec.json.encode(given["input"]).decode()
                out.append(events.Arguments(0, number, json))
        elif form == "redacted_thinking":
            self._begin(told.index, number, "redacted", out)
            signature = text(given.get("data"))
            out.append(events.Redacted(0, number, foreign.unpack(signature, VENDOR)))
        else:
            self._open[told.index] = _Block(number, "opaque")
            raw = msgspec.json.encode(given)
            out.append(
                events.BlockOpened(
                    0, number, "opaque", name=text(form), dialect=NAME, raw=raw
                )
            )

    def _begin(
        self, index: Any, number: int, kind: events.BlockKind, out: list[Event]
    ) -> None:
        self._open[index] = _Block(number, kind)
        out.append(events.BlockOpened(0, number, kind))

    def _delta(self, told: _Told, out: list[Event]) -> None:
        delta = told.delta
        block = self._open.get(told.index)
        if not isinstance(delta, dict) or block is None:
            return
        form = delta.get("type")
        if form == "text_delta":
            self._spoken(block.number, block.kind, text(delta.get("text")), out)
        elif form == "thinking_delta":
            self._spoken(block.number, block.kind, text(delta.get("thinking")), out)
        elif form == "input_json_delta":
            piece = text(delta.get("partial_json"))
            if piece:
                block.argued = True
                out.append(events.Arguments(0, block.number, piece))
        elif form == "signature_delta":
            value = text(delta.get("signature"))
            if value:
                signature = foreign.unpack(value, VENDOR)
                out.append(events.Signature(0, block.number, signature))
        elif form == "citations_delta" and isinstance(delta.get("citation"), dict):
            citation = citation_of(delta["citation"])
            out.append(events.Citation(0, block.number, citation))
        else:
            raw = msgspec.json.encode(delta)
            out.append(events.Unknown(f"delta {text(form)}", raw))

    def _spoken(self, number: int, kind: str, said: str, out: list[Event]) -> None:
        if not said:
            return
        if kind == "thinking":
            out.append(events.Thinking(0, number, said))
        elif kind == "text":
            out.append(events.Text(0, number, said))

    def _closed(self, told: _Told, out: list[Event]) -> None:
        block = self._open.pop(told.index, None)
        if block is not None:
            self._close(block, out)

    def _close(self, block: _Block, out: list[Event]) -> None:
        if block.kind == "tool" and not block.argued:
            # No deltas mean no arguments; elsewhere that is an object too.
            out.append(events.Arguments(0, block.number, "{}"))
        out.append(events.BlockClosed(0, block.number))

    def _close_all(self, out: list[Event]) -> None:
        for block in self._open.values():
            self._close(block, out)
        self._open.clear()

    def _message_delta(self, told: _Told, out: list[Event]) -> None:
        delta = told.delta if isinstance(told.delta, dict) else {}
        word = text(delta.get("stop_reason"))
        if word and not self._finished:
            self._finished = True
            self._close_all(out)
            sequence = text(delta.get("stop_sequence")) or None
            out.append(events.Finished(0, finish_of(word), word, sequence))
        if isinstance(told.usage, dict):
            self._use(told.usage, out)

    def _stopped(self, told: _Told, out: list[Event]) -> None:
        self._over = True
        self._close_all(out)
        out.append(events.Ended())

    def _ping(self, told: _Told, out: list[Event]) -> None:
        out.append(events.Ping())

    def _failed(self, told: _Told, out: list[Event]) -> None:
        self._over = True
        out.append(errors.failed(0, [], {"error": told.error}))

    def _use(self, usage: dict[str, Any], out: list[Event]) -> None:
        self._counts.merge(usage, usages.PATHS)
        out.append(events.UsageReport(usages.usage_of(self._counts)))

    _READ: ClassVar[dict[str, Callable[[Any, _Told, list[Event]], None]]] = {
        "message_start": _started,
        "content_block_start": _opened,
        "content_block_delta": _delta,
        "content_block_stop": _closed,
        "message_delta": _message_delta,
        "message_stop": _stopped,
        "ping": _ping,
        "error": _failed,
    }
