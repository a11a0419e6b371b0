"""Reads answers of Responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, openai_error
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered

from . import usage as usages
from .reader_whole import answer_of, citation_of, seconds, text
from .words import NAME, finish_of, signed


class _Told(msgspec.Struct):
    """An event; leaves of any type, for it may come from anybody's server."""

    type: Any = None
    response: Any = None
    item: Any = None
    part: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    annotation: Any = None
    logprobs: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_told = msgspec.json.Decoder(_Told)

#: Events that only repeat, or announce, what others tell.
_SILENT = frozenset(
    {
        "response.in_progress",
        "response.queued",
        "response.output_text.done",
        "response.refusal.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
    }
)


class _Block:
    __slots__ = ("argued", "kind", "number")

    def __init__(self, number: int, kind: events.BlockKind) -> None:
        self.number = number
        self.kind = kind
        self.argued = False


@implementer(IReader)
class OpenAIResponsesReader:
    """
    See :class:`aigw.interfaces.IReader`. A block is an item, or a part of a message:
    items have content, so their blocks are told apart by both indexes.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._open: dict[tuple[int, int], _Block] = {}
        self._next = 0
        self._started = False
        self._called = False
        self._over = False

    def feed(self, frame: SSEFrame) -> list[Event]:
        data = frame.data
        if not data or self._over or data == b"[DONE]":
            return []
        try:
            told = _told.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [events.Unknown(f"event {frame.type}", data)]
        name = told.type if isinstance(told.type, str) else frame.type
        read = self._READ.get(name)
        if read is None:
            known = name in _SILENT
            return [] if known else [events.Unknown(f"event {name}", data)]
        out: list[Event] = []
        read(self, told, out)
        return out

    def end(self) -> list[Event]:
        if self._over:
            return []
        self._over = True
        out: list[Event] = []
        self._close_all(out)
        return out

    def whole(self, body: bytes) -> Answer | Failed:
        told = failures.decoded(body)
        if isinstance(told, dict):
            if told.get("error") is not None or told.get("status") == "failed":
                return openai_error.failed(0, [], told)
            if isinstance(told.get("output"), list):
                return answer_of(told, self._names)
        return Failed("upstream", 502, "no output in response")

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return openai_error.failed(status, headers, failures.decoded(body))

    # -- the response as a whole

    def _created(self, told: _Told, out: list[Event]) -> None:
        if not self._started:
            self._started = True
            given = told.response if isinstance(told.response, dict) else {}
            out.append(
                events.Started(
                    id=text(given.get("id")),
                    model=text(given.get("model")),
                    created=seconds(given.get("created_at")),
                    tier=text(given.get("service_tier")),
                )
            )

    def _ended(self, told: _Told, out: list[Event]) -> None:
        self._over = True
        self._created(told, out)
        self._close_all(out)
        given = told.response if isinstance(told.response, dict) else {}
        details = given.get("incomplete_details")
        why = text(details.get("reason")) if isinstance(details, dict) else ""
        status = "incomplete" if told.type == "response.incomplete" else "completed"
        finish = finish_of(status, why, self._called)
        out.append(events.Finished(0, finish, why or status))
        if isinstance(given.get("usage"), dict):
            out.append(events.UsageReport(usages.usage_of(given["usage"])))
        out.append(events.Ended())

    def _failed(self, told: _Told, out: list[Event]) -> None:
        self._over = True
        given = told.response if isinstance(told.response, dict) else {}
        error = told.error or given.get("error")
        if error is None:
            error = {"message": told.message, "code": told.code}
        out.append(openai_error.failed(0, [], {"error": error}))

    # -- items

    def _added(self, told: _Told, out: list[Event]) -> None:
        item = told.item
        if not isinstance(item, dict):
            return
        kind = item.get("type")
        if kind == "reasoning":
            _, redacted = signed("", text(item.get("encrypted_content")))
            form: events.BlockKind = "redacted" if redacted else "thinking"
            self._begin((_index(told.output_index), -1), form, out)
        elif kind == "function_call" or kind == "custom_tool_call":
            self._called = True
            name = text(item.get("name"))
            self._begin(
                (_index(told.output_index), -1),
                "tool",
                out,
                id=text(item.get("call_id")),
                name=self._names.get(name, name),
                custom=kind == "custom_tool_call",
            )

    def _done(self, told: _Told, out: list[Event]) -> None:
        item = told.item
        output = _index(told.output_index)
        if not isinstance(item, dict):
            return
        for key in [key for key in self._open if key[0] == output and key[1] >= 0]:
            self._close(key, out)
        kind = item.get("type")
        block = self._open.get((output, -1))
        if kind == "reasoning":
            self._sign(block, item, out)
        elif block is not None and not block.argued:
            custom = kind == "custom_tool_call"
            whole = text(item.get("input" if custom else "arguments"))
            if whole:
                out.append(events.Arguments(0, block.number, whole))
        elif kind != "message" and block is None:
            raw = msgspec.json.encode(item)
            number = self._new()
            form = text(kind)
            opened = events.BlockOpened(
                0, number, "opaque", name=form, dialect=NAME, raw=raw
            )
            out += [opened, events.BlockClosed(0, number)]
        if block is not None:
            self._close((output, -1), out)

    def _sign(
        self, block: _Block | None, item: dict[str, Any], out: list[Event]
    ) -> None:
        value = text(item.get("encrypted_content"))
        if block is None or not value:
            return
        signature, _ = signed(text(item.get("id")), value)
        if block.kind == "redacted":
            out.append(events.Redacted(0, block.number, signature))
        elif block.kind == "thinking":
            out.append(events.Signature(0, block.number, signature))

    # -- content

    def _part(self, told: _Told, out: list[Event]) -> None:
        if not isinstance(told.part, dict):
            return
        kind = told.part.get("type")
        key = (_index(told.output_index), _index(told.content_index))
        if kind == "output_text":
            self._begin(key, "text", out)
        elif kind == "refusal":
            self._begin(key, "refusal", out)

    def _part_done(self, told: _Told, out: list[Event]) -> None:
        self._close((_index(told.output_index), _index(told.content_index)), out)

    def _text(self, told: _Told, out: list[Event]) -> None:
        if told.delta and isinstance(told.delta, str):
            block = self._spoken(told, "text", out)
            out.append(events.Text(0, block.number, told.delta))
        if told.logprobs and isinstance(told.logprobs, list):
            raw = msgspec.json.encode({"content": told.logprobs, "refusal": None})
            out.append(events.LogProbs(0, raw))

    def _refusal(self, told: _Told, out: list[Event]) -> None:
        if told.delta and isinstance(told.delta, str):
            block = self._spoken(told, "refusal", out)
            out.append(events.Refusal(0, block.number, told.delta))

    def _annotated(self, told: _Told, out: list[Event]) -> None:
        if isinstance(told.annotation, dict):
            block = self._spoken(told, "text", out)
            citation = citation_of(told.annotation)
            out.append(events.Citation(0, block.number, citation))

    def _summary(self, told: _Told, out: list[Event]) -> None:
        """Parts of a summary are paragraphs."""
        if _index(told.summary_index) > 0:
            block = self._thinking(told, out)
            out.append(events.Thinking(0, block.number, "\n\n"))

    def _thought(self, told: _Told, out: list[Event]) -> None:
        if told.delta and isinstance(told.delta, str):
            block = self._thinking(told, out)
            out.append(events.Thinking(0, block.number, told.delta))

    def _argued(self, told: _Told, out: list[Event]) -> None:
        block = self._open.get((_index(told.output_index), -1))
        if block is None or block.kind != "tool":
            return
        if told.delta and isinstance(told.delta, str):
            block.argued = True
            out.append(events.Arguments(0, block.number, told.delta))

    # -- blocks

    def _spoken(self, told: _Told, kind: events.BlockKind, out: list[Event]) -> _Block:
        key = (_index(told.output_index), _index(told.content_index))
        block = self._open.get(key)
        if block is None or block.kind != kind:
            block = self._begin(key, kind, out)
        return block

    def _thinking(self, told: _Told, out: list[Event]) -> _Block:
        key = (_index(told.output_index), -1)
        block = self._open.get(key)
        if block is None or block.kind != "thinking":
            block = self._begin(key, "thinking", out)
        return block

    def _begin(
        self,
        key: tuple[int, int],
        kind: events.BlockKind,
        out: list[Event],
        id: str = "",
        name: str = "",
        custom: bool = False,
    ) -> _Block:
        if not self._started:
            self._created(_Told(), out)
        self._close(key, out)
        block = self._open[key] = _Block(self._new(), kind)
        opened = events.BlockOpened(0, block.number, kind, id, name, custom=custom)
        out.append(opened)
        return block

    def _new(self) -> int:
        number = self._next
        self._next += 1
        return number

    def _close(self, key: tuple[int, int], out: list[Event]) -> None:
        block = self._open.pop(key, None)
        if block is not None:
            out.append(events.BlockClosed(0, block.number))

    def _close_all(self, out: list[Event]) -> None:
        for key in list(self._open):
            self._close(key, out)

    _READ: ClassVar[dict[str, Callable[[Any, _Told, list[Event]], None]]] = {
        "response.created": _created,
        "response.completed": _ended,
        "response.incomplete": _ended,
        "response.failed": _failed,
        "error": _failed,
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.content_part.added": _part,
        "response.content_part.done": _part_done,
        "response.output_text.delta": _text,
        "response.output_text.annotation.added": _annotated,
        "response.refusal.delta": _refusal,
        "response.reasoning_summary_part.added": _summary,
        "response.reasoning_summary_text.delta": _thought,
        "response.reasoning_text.delta": _thought,
        "response.function_call_arguments.delta": _argued,
        "response.custom_tool_call_input.delta": _argued,
    }


def _index(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
