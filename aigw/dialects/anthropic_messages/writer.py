"""Writes answers as Messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, foreign
from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.frame import SSEFrame
from aigw.model.part import Signature
from aigw.model.usage import Usage

from . import error as errors
from . import usage as usages
from .citation import written
from .words import NAME, TIERS, VENDOR, finish_word
from .writer_whole import body_of

_encode = msgspec.json.encode
_NOTHING = Usage()
_STOP = SSEFrame(type="message_stop", data=b'{"type":"message_stop"}')
_PING = SSEFrame(type="ping", data=b'{"type":"ping"}')

#: The first and the rest of a delta, as :meth:`AnthropicMessagesWriter._delta` joins
#: them: they are written for every token.
_TEXT = b'"text_delta","text":'
_THINKING = b'"thinking_delta","thinking":'
_JSON = b'"input_json_delta","partial_json":'
_SIGNATURE = b'"signature_delta","signature":'


@implementer(IWriter)
class AnthropicMessagesWriter:
    """
    See :class:`aigw.interfaces.IWriter`. The finish waits for the end: it carries the
    usage, which other providers tell behind it.

    There is one choice; events of others are left out. Blocks are numbered anew, since
    a kind this dialect has no word for takes no number.
    """

    def __init__(self, call: Call, request_id: str) -> None:
        self._call = call
        self._request_id = request_id
        self._usage = _NOTHING
        self._blocks: dict[int, int] = {}
        self._thoughts: set[int] = set()
        self._calls: dict[int, str] = {}
        self._signed: dict[int, Signature] = {}
        self._next = 0
        self._begun = False
        self._over = False
        self._finish: events.Finished | None = None

    def feed(self, event: Event) -> list[Any]:
        if self._over:
            return []
        write = self._WRITE.get(type(event))
        return [] if write is None else write(self, event)

    def end(self) -> list[Any]:
        return []

    def whole(self, answer: Answer) -> bytes:
        return body_of(answer, self._call, f"msg_{self._request_id}")

    # -- events

    def _started(self, event: events.Started) -> list[Any]:
        if self._begun:
            return []
        self._begun = True
        usage = usages.written(self._usage)
        if event.tier in TIERS:
            usage["service_tier"] = event.tier
        message: dict[str, Any] = {
            "id": event.id or f"msg_{self._request_id}",
            "type": "message",
            "role": "assistant",
            "model": event.model or self._call.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        data = _encode({"type": "message_start", "message": message})
        return [SSEFrame(type="message_start", data=data)]

    def _opened(self, event: events.BlockOpened) -> list[Any]:
        if event.choice:
            return []
        kind = event.kind
        block: Any
        if kind == "text" or kind == "refusal":
            block = {"type": "text", "text": ""}
        elif kind == "thinking":
            self._thoughts.add(event.block)
            block = {"type": "thinking", "thinking": "", "signature": ""}
        elif kind == "tool" and not event.custom:
            self._calls[event.block] = event.id
            block = {
                "type": "tool_use",
                "id": event.id,
                "name": event.name,
                "input": {},
            }
        elif kind == "opaque" and event.dialect == NAME:
            block = msgspec.Raw(event.raw)
        else:
            return []  # a redacted block is all in its start, which its data writes
        return self._open(event.block, block)

    def _open(self, number: int, block: Any) -> list[Any]:
        index = self._blocks[number] = self._next
        self._next += 1
        told = {"type": "content_block_start", "index": index, "content_block": block}
        frame = SSEFrame(type="content_block_start", data=_encode(told))
        if self._begun:
            return [frame]
        return [*self._started(events.Started()), frame]

    def _delta(self, choice: int, block: int, form: bytes, value: str) -> list[Any]:
        index = self._blocks.get(block)
        if index is None or choice:
            return []
        data = b'{"type":"content_block_delta","index":%d,"delta":{"type":%s%s}}' % (
            index,
            form,
            _encode(value),
        )
        return [SSEFrame(type="content_block_delta", data=data)]

    def _text(self, event: events.Text | events.Refusal) -> list[Any]:
        return self._delta(event.choice, event.block, _TEXT, event.text)

    def _thinking(self, event: events.Thinking) -> list[Any]:
        return self._delta(event.choice, event.block, _THINKING, event.text)

    def _arguments(self, event: events.Arguments) -> list[Any]:
        return self._delta(event.choice, event.block, _JSON, event.json)

    def _signature(self, event: events.Signature) -> list[Any]:
        if not event.choice and event.block in self._calls:
            self._signed[event.block] = event.signature
            return []
        if event.block not in self._thoughts:
            return []  # text is not signed here, and no vendor insists on it
        value = foreign.pack(event.signature, VENDOR)
        return self._delta(event.choice, event.block, _SIGNATURE, value)

    def _redacted(self, event: events.Redacted) -> list[Any]:
        if event.choice:
            return []
        data = foreign.pack(event.signature, VENDOR)
        block = {"type": "redacted_thinking", "data": data}
        return self._open(event.block, block)

    def _citation(self, event: events.Citation) -> list[Any]:
        index = self._blocks.get(event.block)
        citation = written(event.citation)
        if event.choice or index is None or citation is None:
            return []
        delta = {"type": "citations_delta", "citation": citation}
        told = {"type": "content_block_delta", "index": index, "delta": delta}
        return [SSEFrame(type="content_block_delta", data=_encode(told))]

    def _closed(self, event: events.BlockClosed) -> list[Any]:
        index = self._blocks.get(event.block)
        if event.choice or index is None:
            return []
        data = b'{"type":"content_block_stop","index":%d}' % index
        stop = SSEFrame(type="content_block_stop", data=data)
        signature = self._signed.pop(event.block, None)
        if signature is None:
            return [stop]
        # There is no place on a call: the signature is a block of its own behind it.
        marked = foreign.of_call(signature, self._calls[event.block])
        inner = events.Redacted(0, event.block, marked)
        return [stop, *self._redacted(inner), *self._closed(event)]

    def _used(self, event: events.UsageReport) -> list[Any]:
        self._usage = event.usage
        return []

    def _finished(self, event: events.Finished) -> list[Any]:
        if not event.choice:
            self._finish = event
        return []

    def _ended(self, event: events.Ended) -> list[Any]:
        self._over = True
        finish = self._finish
        if finish is None:
            finish = events.Finished(0, Finish.STOP)
        told = {
            "type": "message_delta",
            "delta": {
                "stop_reason": finish_word(finish.reason),
                "stop_sequence": finish.sequence,
            },
            "usage": usages.written(self._usage),
        }
        begun = self._started(events.Started())
        return [*begun, SSEFrame(type="message_delta", data=_encode(told)), _STOP]

    def _ping(self, event: events.Ping) -> list[Any]:
        return [_PING]

    def _failed(self, event: events.Failed) -> list[Any]:
        self._over = True
        return errors.broken(failures.error_of(event), self._request_id)

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
        events.BlockClosed: _closed,
        events.UsageReport: _used,
        events.Finished: _finished,
        events.Ended: _ended,
        events.Ping: _ping,
        events.Failed: _failed,
    }
