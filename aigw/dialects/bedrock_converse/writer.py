"""Writes answers as ConverseStream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, foreign
from aigw.dialects.claude import VENDOR
from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.part import Signature
from aigw.model.usage import Usage

from . import blob, citation
from . import error as errors
from . import usage as usages
from .frames import event as frame
from .media import format_of
from .words import CALL_ID, NAME, TIERS, finish_word
from .writer_whole import METRICS, body_of

_encode = msgspec.json.encode
_START = frame("messageStart", b'{"role":"assistant"}')

#: What stands before and behind the string of a delta: they are written for every
#: token.
_TEXT = b'{"text":', b"}"
_THINKING = b'{"reasoningContent":{"text":', b"}}"
_SIGNATURE = b'{"reasoningContent":{"signature":', b"}}"
_REDACTED = b'{"reasoningContent":{"redactedContent":', b"}}"
_INPUT = b'{"toolUse":{"input":', b"}}"


class _Block:
    """
    :ivar index: its number for the client, None until something of it was written.
    :ivar call: the id of the tool call it is.
    :ivar signature: of that call; it is written behind it.
    """

    __slots__ = ("call", "index", "kind", "signature")

    def __init__(self, kind: events.BlockKind, call: str = "") -> None:
        self.kind = kind
        self.call = call
        self.index: int | None = None
        self.signature: Signature | None = None


@implementer(IWriter)
class BedrockConverseWriter:
    """
    See :class:`aigw.interfaces.IWriter`. The usage waits for the end: it stands behind
    the finish here, wherever other providers tell it.

    There is one choice; events of others are left out. Blocks are numbered anew, since
    a kind this dialect has no word for takes no number. Text and reasoning are opened
    by their first delta alone.
    """

    def __init__(self) -> None:
        self._usage = Usage()
        self._tier = ""
        self._blocks: dict[int, _Block] = {}
        self._next = 0
        self._begun = False
        self._finished = False
        self._over = False

    def feed(self, event: Event) -> list[Any]:
        choice: int = getattr(event, "choice", 0)
        if self._over or choice:
            return []
        write = self._WRITE.get(type(event))
        return [] if write is None else write(self, event)

    def end(self) -> list[Any]:
        return []

    def whole(self, answer: Answer) -> bytes:
        return body_of(answer)

    # -- frames

    def _begin(self) -> list[Any]:
        if self._begun:
            return []
        self._begun = True
        return [_START]

    def _delta(self, block: _Block, form: tuple[bytes, bytes], value: str) -> Any:
        before, behind = form
        payload = b'{"contentBlockIndex":%d,"delta":%s%s%s}' % (
            self._index(block),
            before,
            _encode(value),
            behind,
        )
        return frame("contentBlockDelta", payload)

    def _index(self, block: _Block) -> int:
        if block.index is None:
            block.index = self._next
            self._next += 1
        return block.index

    def _start(self, block: _Block, start: Any) -> Any:
        told = {"contentBlockIndex": self._index(block), "start": start}
        return frame("contentBlockStart", _encode(told))

    # -- events

    def _started(self, event: events.Started) -> list[Any]:
        self._tier = event.tier
        return self._begin()

    def _opened(self, event: events.BlockOpened) -> list[Any]:
        begun = self._begin()
        kind = event.kind
        if kind == "audio" or (kind == "tool" and event.custom):
            return begun
        if kind == "opaque" and event.dialect != NAME:
            return begun
        id = CALL_ID(event.id) if kind == "tool" else ""
        block = self._blocks[event.block] = _Block(kind, id)
        if kind == "tool":
            use = {"toolUseId": id, "name": event.name}
            return [*begun, self._start(block, {"toolUse": use})]
        if kind == "opaque":
            return [*begun, self._start(block, msgspec.Raw(event.raw))]
        return begun

    def _text(self, event: events.Text | events.Refusal) -> list[Any]:
        block = self._blocks.get(event.block)
        return [] if block is None else [self._delta(block, _TEXT, event.text)]

    def _thinking(self, event: events.Thinking) -> list[Any]:
        block = self._blocks.get(event.block)
        return [] if block is None else [self._delta(block, _THINKING, event.text)]

    def _arguments(self, event: events.Arguments) -> list[Any]:
        block = self._blocks.get(event.block)
        return [] if block is None else [self._delta(block, _INPUT, event.json)]

    def _signature(self, event: events.Signature) -> list[Any]:
        block = self._blocks.get(event.block)
        if block is not None and block.kind == "tool":
            block.signature = event.signature
            return []
        if block is None or block.kind != "thinking":
            return []  # text is not signed here, and no vendor insists on it
        value = foreign.pack(event.signature, VENDOR)
        return [self._delta(block, _SIGNATURE, value)]

    def _redacted(self, event: events.Redacted) -> list[Any]:
        block = self._blocks.get(event.block)
        if block is None:
            return []
        return [self._delta(block, _REDACTED, blob.written(event.signature))]

    def _citation(self, event: events.Citation) -> list[Any]:
        block = self._blocks.get(event.block)
        told = citation.written(event.citation)
        if block is None or told is None:
            return []
        delta = {"contentBlockIndex": self._index(block), "delta": {"citation": told}}
        return [frame("contentBlockDelta", _encode(delta))]

    def _media(self, event: events.Media) -> list[Any]:
        block = self._blocks.get(event.block)
        if block is None or block.kind != "image" or not event.data:
            return []
        out = []
        if block.index is None:
            format = format_of("image", event.type)
            format = format if format and event.type != "image" else "png"
            out.append(self._start(block, {"image": {"format": format}}))
        delta = {"image": {"source": {"bytes": event.data}}}
        told = {"contentBlockIndex": self._index(block), "delta": delta}
        return [*out, frame("contentBlockDelta", _encode(told))]

    def _closed(self, event: events.BlockClosed) -> list[Any]:
        block = self._blocks.pop(event.block, None)
        if block is None:
            return []
        out = []
        if block.index is None:
            if block.kind == "image" or block.kind == "redacted":
                return []  # nothing was in it
            form = _THINKING if block.kind == "thinking" else _TEXT
            out.append(self._delta(block, form, ""))
        payload = b'{"contentBlockIndex":%d}' % self._index(block)
        out.append(frame("contentBlockStop", payload))
        if block.signature is not None:
            # There is no place on a call: the signature is a block of its own.
            behind = self._blocks[event.block] = _Block("redacted")
            marked = blob.written(foreign.of_call(block.signature, block.call))
            out.append(self._delta(behind, _REDACTED, marked))
            out += self._closed(event)
        return out

    def _used(self, event: events.UsageReport) -> list[Any]:
        self._usage = event.usage
        return []

    def _finish(self, event: events.Finished) -> list[Any]:
        if self._finished:
            return []
        self._finished = True
        told: dict[str, Any] = {"stopReason": finish_word(event.reason, event.native)}
        if event.sequence is not None:
            told["additionalModelResponseFields"] = {"stop_sequence": event.sequence}
        return [*self._begin(), frame("messageStop", _encode(told))]

    def _ended(self, event: events.Ended) -> list[Any]:
        finish = self._finish(events.Finished(0, Finish.STOP))
        self._over = True
        told: dict[str, Any] = {
            "usage": usages.written(self._usage),
            "metrics": METRICS,
        }
        if self._tier in TIERS:
            told["serviceTier"] = {"type": self._tier}
        return [*finish, frame("metadata", _encode(told))]

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
        events.Citation: _citation,
        events.Media: _media,
        events.BlockClosed: _closed,
        events.UsageReport: _used,
        events.Finished: _finish,
        events.Ended: _ended,
        events.Failed: _failed,
    }
