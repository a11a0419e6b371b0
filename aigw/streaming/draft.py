"""
A draft: what of an answer the client has been told so far, where another attempt may
have to go on from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from aigw.model import event as events
from aigw.model.event import Event
from aigw.model.usage import Usage

#: The most bytes (UTF-8) that another attempt is asked to go on from.
LIMIT: Final = 256 * 1024

#: What no other model can be asked to go on from.
_OTHER: Final = frozenset(
    {
        events.Thinking,
        events.Signature,
        events.Redacted,
        events.Arguments,
        events.Refusal,
        events.Media,
        events.Citation,
        events.LogProbs,
        events.Finished,
    }
)


class Draft:
    """
    Sees the events that were written for the client.

    :ivar plain: whether all of it is one answer's text, of at most ``LIMIT`` bytes, and
        unfinished.
    :ivar open: the number of the text block that is open, or None.
    :ivar blocks: how many were opened.
    :ivar usage: what was used for it, as far as it was told.
    :ivar size: bytes (UTF-8) of the text.
    """

    def __init__(self) -> None:
        self.plain = True
        self.open: int | None = None
        self.blocks = 0
        self.usage: Usage | None = None
        self.size = 0
        # One piece of memory: a stream's tokens, kept as they come, would take twenty
        # times their text.
        self._text = bytearray()

    def text(self) -> str:
        return self._text.decode("utf-8", "surrogatepass")

    def see(self, event: Event) -> None:
        kind = type(event)
        if isinstance(event, events.Text):
            self._said(event)
        elif isinstance(event, events.BlockOpened):
            self.blocks += 1
            self.open = event.block
            if event.kind != "text" or event.choice:
                self._spoil()
        elif isinstance(event, events.BlockClosed):
            self.open = None
        elif isinstance(event, events.UsageReport):
            self.usage = event.usage
        elif kind in _OTHER:
            self._spoil()

    def _said(self, event: events.Text) -> None:
        if not self.plain:
            return
        self._text += event.text.encode("utf-8", "surrogatepass")
        self.size = len(self._text)
        if self.size > LIMIT or event.choice:
            self._spoil()

    def _spoil(self) -> None:
        self.plain = False
        self._text.clear()


class Joint:
    """
    Fits the events of an attempt that goes on to those of a draft: the answer does not
    start again, the open block goes on, blocks are numbered on, usage is added up.
    Reasoning of the new attempt is left out where it would stand behind text.

    Providers refuse a prefix that ends in white space, so it is asked for without;
    where the new attempt says that again, it is left out too.
    """

    def __init__(self, draft: Draft) -> None:
        text = draft.text()
        self._behind = draft.size > 0
        self._open = draft.open
        self._next = draft.blocks
        self._before = draft.usage
        self._blocks: dict[int, int] = {}
        self._hidden: set[int] = set()
        self._echo = text[len(text.rstrip()) :]
        self.usage: Usage | None = None

    def fit(self, event: Event) -> Iterator[Event]:
        """What is to be written in place of ``event``."""
        if isinstance(event, events.Started):
            return
        if isinstance(event, events.BlockOpened):
            yield from self._opened(event)
        elif isinstance(event, events.UsageReport):
            self.usage = event.usage
            before = self._before
            yield event if before is None else events.UsageReport(before + event.usage)
        elif isinstance(event, events.Finished):
            yield from self._closed()
            yield event
        elif isinstance(event, events.OfBlock):
            yield from self._within(event)
        else:
            yield event

    def _opened(self, event: events.BlockOpened) -> Iterator[Event]:
        if self._behind and event.kind in ("thinking", "redacted"):
            self._hidden.add(event.block)
        elif event.kind == "text" and self._open is not None:
            self._blocks[event.block], self._open = self._open, None
        else:
            self._echo = ""
            yield from self._closed()
            self._blocks[event.block] = self._next
            self._next += 1
            yield msgspec.structs.replace(event, block=self._next - 1)

    def _closed(self) -> Iterator[Event]:
        """What the new attempt did not go on with is closed."""
        if self._open is not None:
            yield events.BlockClosed(0, self._open)
            self._open = None

    def _within(self, event: events.OfBlock) -> Iterator[Event]:
        if event.block in self._hidden:
            return
        event = msgspec.structs.replace(event, block=self._blocks[event.block])
        if self._echo and isinstance(event, events.Text):
            said = event.text
            same = 0
            for ours, theirs in zip(self._echo, said, strict=False):
                if ours != theirs:
                    break
                same += 1
            self._echo = self._echo[same:] if same == len(said) else ""
            if same == len(said):
                return
            event = msgspec.structs.replace(event, text=said[same:])
        yield event
