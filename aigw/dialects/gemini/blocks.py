"""
The blocks of a candidate, put together of parts: pieces of text and of thought go on
until something else begins, any other part is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from aigw.model import event as events
from aigw.model.event import Event
from aigw.model.part import Redacted

from . import chunk as chunks
from .citation import citations_of
from .words import NAME, kind_of, made_id, thought_of, unpacked

Spoken = Literal["text", "thinking"]


class Blocks:
    """
    The blocks of one candidate.

    :param names: tool names as sent to those the client knows.
    :ivar finished: whether its finish reason was seen.
    :ivar called: whether it holds tool calls.
    """

    __slots__ = ("_choice", "_kind", "_names", "_next", "called", "finished")

    def __init__(self, choice: int, names: Mapping[str, str]) -> None:
        self._choice = choice
        self._names = names
        self._next = 0
        self._kind: Spoken | None = None
        self.called = False
        self.finished = False

    def part(self, raw: msgspec.Raw, answer: str, out: list[Event]) -> None:
        """
        :param answer: the answer's id, of which the ids of calls are made.
        """
        part = chunks.part_of(raw)
        if part is None:
            out.append(events.Unknown("part", bytes(raw)))
        elif isinstance(part.text, str):
            self._said(part.text, part, out)
        elif part.functionCall:
            self._call(part, part.functionCall, answer, out)
        elif isinstance(part.inlineData, dict):
            self._media(part.inlineData, out)
        elif part.thoughtSignature is not None and not chunks.kind_of(raw):
            self._said("", part, out)
        else:
            block = self._alone("opaque", out, chunks.kind_of(raw), chunks.compact(raw))
            out.append(events.BlockClosed(self._choice, block))

    def cite(self, metadata: object, out: list[Event]) -> None:
        for citation in citations_of(metadata):
            block = self._speak("text", out)
            out.append(events.Citation(self._choice, block, citation))

    def close(self, out: list[Event]) -> None:
        """Close what is open."""
        if self._kind is not None:
            out.append(events.BlockClosed(self._choice, self._next - 1))
            self._kind = None

    def _speak(self, kind: Spoken, out: list[Event]) -> int:
        if self._kind != kind:
            self._alone(kind, out)
            self._kind = kind
        return self._next - 1

    def _alone(
        self,
        kind: events.BlockKind,
        out: list[Event],
        name: str = "",
        raw: bytes = b"",
    ) -> int:
        self.close(out)
        block = self._next
        self._next += 1
        dialect = NAME if kind == "opaque" else ""
        out.append(
            events.BlockOpened(
                self._choice, block, kind, name=name, dialect=dialect, raw=raw
            )
        )
        return block

    def _said(self, text: str, part: chunks.Part, out: list[Event]) -> None:
        choice = self._choice
        value = chunks.text(part.thoughtSignature)
        if part.thought is True:
            thought = thought_of(text, value)
            if isinstance(thought, Redacted):
                block = self._alone("redacted", out)
                out.append(events.Redacted(choice, block, thought.signature))
                out.append(events.BlockClosed(choice, block))
                return
            if text:
                out.append(events.Thinking(choice, self._speak("thinking", out), text))
            if thought.signature is not None:
                self._sign(self._speak("thinking", out), value, out)
                self.close(out)  # what is signed is complete
            return
        if text:
            out.append(events.Text(choice, self._speak("text", out), text))
        if value:
            self._sign(self._speak("text", out), value, out)
            self.close(out)

    def _sign(self, block: int, value: str, out: list[Event]) -> None:
        out.append(events.Signature(self._choice, block, unpacked(value)[0]))

    def _call(
        self, part: chunks.Part, raw: msgspec.Raw, answer: str, out: list[Event]
    ) -> None:
        call = chunks.call_of(raw)
        if call is None:
            out.append(events.Unknown("functionCall", bytes(raw)))
            return
        self.close(out)
        self.called = True
        block = self._next
        self._next += 1
        sent = chunks.text(call.name)
        name = self._names.get(sent, sent)
        id = chunks.text(call.id) or made_id(answer, self._choice, block, sent)
        out.append(events.BlockOpened(self._choice, block, "tool", id, name))
        out.append(events.Arguments(self._choice, block, call.arguments))
        value = chunks.text(part.thoughtSignature)
        if value:
            self._sign(block, value, out)
        out.append(events.BlockClosed(self._choice, block))

    def _media(self, given: dict[str, object], out: list[Event]) -> None:
        type = chunks.text(given.get("mimeType"))
        data = chunks.text(given.get("data"))
        found = kind_of(type)
        if found not in ("image", "audio"):
            raw = msgspec.json.encode({"inlineData": given})
            block = self._alone("opaque", out, "inlineData", raw)
        else:
            block = self._alone("image" if found == "image" else "audio", out)
            out.append(events.Media(self._choice, block, type, data))
        out.append(events.BlockClosed(self._choice, block))
