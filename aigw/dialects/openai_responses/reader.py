"""Reads answers of Responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, openai_error
from aigw.dialects.unread import unread
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered

from . import told as tolds
from . import usage as usages
from .blocks import Block, Blocks
from .error import merged
from .reader_whole import answer_of, citation_of, dicts, reasoned, seconds, text
from .told import Told
from .words import NAME, finish_of, signed


@implementer(IReader)
class OpenAIResponsesReader:
    """
    See :class:`aigw.interfaces.IReader`. A block is an item, or a part of a message.

    OpenAI tells everything in deltas and repeats it in the events that close; of
    servers that leave deltas out those are read. Nothing is told twice.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._blocks = Blocks()
        self._started = False
        self._called = False
        self._over = False

    def feed(self, frame: SSEFrame) -> list[Event]:
        data = frame.data
        if not data or self._over or data == b"[DONE]":
            return []
        told = tolds.decode(data)
        if told is None:
            return [self._unread(frame.type, data)]
        name = told.type if isinstance(told.type, str) else frame.type
        read = self._READ.get(name)
        if read is None and name not in tolds.SILENT:
            return [events.Unknown(f"event {name}", data)]
        out: list[Event] = []
        if not self._started and name not in tolds.FAILURES:
            self._start(told, out)
        if read is not None:
            told.type = name
            read(self, told, out)
        return out

    def _unread(self, name: str, data: bytes) -> Event:
        if name != "message" and name not in self._READ:
            return events.Unknown(f"event {name}", data)
        event = unread(f"event {name}", data)
        self._over = isinstance(event, Failed)
        return event

    def end(self) -> list[Event]:
        if self._over:
            return []
        self._over = True
        out: list[Event] = []
        self._blocks.close_all(out)
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

    def _start(self, told: Told, out: list[Event]) -> None:
        self._started = True
        given = tolds.mapping(told.response)
        out.append(
            events.Started(
                id=text(given.get("id")),
                model=text(given.get("model")),
                created=seconds(given.get("created_at")),
                tier=text(given.get("service_tier")),
            )
        )

    def _ended(self, told: Told, out: list[Event]) -> None:
        self._over = True
        given = tolds.mapping(told.response)
        if not self._blocks.seen:
            for output, item in enumerate(dicts(given.get("output"))):
                self._item(output, item, out)
        self._blocks.close_all(out)
        details = given.get("incomplete_details")
        why = text(details.get("reason")) if isinstance(details, dict) else ""
        status = "incomplete" if told.type == "response.incomplete" else "completed"
        finish = finish_of(status, why, self._called)
        out.append(events.Finished(0, finish, why or status))
        self._used(given, out)
        out.append(events.Ended())

    def _failed(self, told: Told, out: list[Event]) -> None:
        self._over = True
        given = tolds.mapping(told.response)
        self._used(given, out)
        flat = {"message": told.message, "code": told.code}
        error = merged(flat, told.error or given.get("error"))
        out.append(openai_error.failed(0, [], {"error": error}))

    def _used(self, response: dict[str, Any], out: list[Event]) -> None:
        if isinstance(response.get("usage"), dict):
            out.append(events.UsageReport(usages.usage_of(response["usage"])))

    # -- items

    def _added(self, told: Told, out: list[Event]) -> None:
        if isinstance(told.item, dict):
            self._open(tolds.index(told.output_index), told.item, out)

    def _done(self, told: Told, out: list[Event]) -> None:
        if isinstance(told.item, dict):
            self._item(tolds.index(told.output_index), told.item, out)

    def _open(self, output: int, item: dict[str, Any], out: list[Event]) -> None:
        kind = item.get("type")
        if kind == "reasoning":
            _, redacted = signed("", text(item.get("encrypted_content")))
            form: events.BlockKind = "redacted" if redacted else "thinking"
            self._blocks.begin((output, -1), form, out)
        elif kind == "function_call" or kind == "custom_tool_call":
            self._called = True
            name = text(item.get("name"))
            self._blocks.begin(
                (output, -1),
                "tool",
                out,
                id=text(item.get("call_id")),
                name=self._names.get(name, name),
                custom=kind == "custom_tool_call",
            )

    def _item(self, output: int, item: dict[str, Any], out: list[Event]) -> None:
        """An item as it is in the end; only what was not told yet is told."""
        blocks = self._blocks
        kind = item.get("type")
        known = output in blocks.seen
        if kind == "message":
            for place, part in enumerate(dicts(item.get("content"))):
                if not known or blocks.silent((output, place)):
                    self._content((output, place), part, out)
            blocks.close_item(output, out)
            return
        if not known:
            self._open(output, item, out)
        block = blocks.get((output, -1))
        if block is not None:
            self._rest(block, item, out)
        elif not known:
            raw = msgspec.json.encode(item)
            blocks.alone(output, NAME, text(kind), raw, out)
        blocks.close_item(output, out)

    def _rest(self, block: Block, item: dict[str, Any], out: list[Event]) -> None:
        """What closes an item: a signature, and what no delta told."""
        if block.kind == "tool":
            key = "input" if item.get("type") == "custom_tool_call" else "arguments"
            arguments = text(item.get(key))
            if arguments and not block.said:
                out.append(events.Arguments(0, block.number, arguments))
            return
        thought = "" if block.said else reasoned(item)
        if thought and block.kind == "thinking":
            out.append(events.Thinking(0, block.number, thought))
        value = text(item.get("encrypted_content"))
        if not value:
            return
        signature, _ = signed(text(item.get("id")), value)
        if block.kind == "redacted":
            out.append(events.Redacted(0, block.number, signature))
        elif block.kind == "thinking":
            out.append(events.Signature(0, block.number, signature))

    # -- content

    def _part(self, told: Told, out: list[Event]) -> None:
        kind = told.part.get("type") if isinstance(told.part, dict) else None
        if kind == "output_text" or kind == "refusal":
            form: events.BlockKind = "refusal" if kind == "refusal" else "text"
            self._blocks.begin(tolds.place(told), form, out)

    def _part_done(self, told: Told, out: list[Event]) -> None:
        key = tolds.place(told)
        if self._blocks.silent(key):
            self._content(key, tolds.mapping(told.part), out)
        self._blocks.close(key, out)

    def _content(
        self, key: tuple[int, int], part: dict[str, Any], out: list[Event]
    ) -> None:
        """A part that nothing was told of before it, or its item, was done."""
        if part.get("type") == "refusal":
            self._refused(key, part.get("refusal"), out)
        elif part.get("type") == "output_text":
            block = self._blocks.say(key, "text", out)
            self._spoken(key, part.get("text"), part.get("logprobs"), out)
            for annotation in dicts(part.get("annotations")):
                citation = citation_of(annotation)
                out.append(events.Citation(0, block.number, citation))

    def _text(self, told: Told, out: list[Event]) -> None:
        self._spoken(tolds.place(told), told.delta, told.logprobs, out)

    def _spoken(
        self, key: tuple[int, int], said: Any, logprobs: Any, out: list[Event]
    ) -> None:
        if said and isinstance(said, str):
            block = self._blocks.say(key, "text", out)
            out.append(events.Text(0, block.number, said))
        if logprobs and isinstance(logprobs, list):
            raw = msgspec.json.encode({"content": logprobs, "refusal": None})
            out.append(events.LogProbs(0, raw))

    def _refusal(self, told: Told, out: list[Event]) -> None:
        self._refused(tolds.place(told), told.delta, out)

    def _refused(self, key: tuple[int, int], said: Any, out: list[Event]) -> None:
        if said and isinstance(said, str):
            block = self._blocks.say(key, "refusal", out)
            out.append(events.Refusal(0, block.number, said))

    def _annotated(self, told: Told, out: list[Event]) -> None:
        if isinstance(told.annotation, dict):
            block = self._blocks.say(tolds.place(told), "text", out)
            citation = citation_of(told.annotation)
            out.append(events.Citation(0, block.number, citation))

    def _summary(self, told: Told, out: list[Event]) -> None:
        """Parts of a summary are paragraphs."""
        if tolds.index(told.summary_index) > 0:
            self._think(told, "\n\n", out)

    def _thought(self, told: Told, out: list[Event]) -> None:
        if told.delta and isinstance(told.delta, str):
            self._think(told, told.delta, out)

    def _think(self, told: Told, said: str, out: list[Event]) -> None:
        block = self._blocks.say(tolds.alone(told), "thinking", out)
        out.append(events.Thinking(0, block.number, said))

    def _argued(self, told: Told, out: list[Event]) -> None:
        block = self._blocks.get(tolds.alone(told))
        if block is None or block.kind != "tool":
            return
        if told.delta and isinstance(told.delta, str):
            block.said = True
            out.append(events.Arguments(0, block.number, told.delta))

    _READ: ClassVar[dict[str, Callable[[Any, Told, list[Event]], None]]] = {
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
