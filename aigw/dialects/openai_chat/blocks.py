"""
Which blocks of a choice are open. Chat completions have none: text, reasoning and calls
are fields of each delta, so a block begins when another field begins to speak.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from aigw.dialects import foreign
from aigw.model import event as events
from aigw.model.event import Event
from aigw.model.part import Signature

#: Arguments longer than this are not watched for their end; the call then closes with
#: the choice. Characters.
_WATCHED = 1024 * 1024

Spoken = Literal["text", "thinking", "refusal", "audio"]


class _Call:
    """A tool call under way; ``pieces`` None once it is closed or not watched."""

    __slots__ = ("block", "id", "open", "pieces", "size")

    def __init__(self, block: int, id: str) -> None:
        self.block = block
        self.id = id
        self.open = True
        self.pieces: list[str] | None = []
        self.size = 0


class Blocks:
    """
    The blocks of one choice.

    :ivar finished: whether its finish reason was seen.
    :ivar called: whether it holds tool calls.
    :ivar thought: whether plain reasoning was seen.
    """

    __slots__ = (
        "_calls",
        "_choice",
        "_kind",
        "_next",
        "_open",
        "_signed",
        "finished",
        "thought",
    )

    def __init__(self, choice: int) -> None:
        self._choice = choice
        self._next = 0
        self._open = -1
        self._kind: Spoken | None = None
        self._calls: dict[Any, _Call] = {}
        self._signed: dict[str, Signature] = {}
        self.finished = False
        self.thought = False

    @property
    def called(self) -> bool:
        return bool(self._calls)

    def speak(self, kind: Spoken, out: list[Event]) -> int:
        """The number of the open block of that kind, opened if need be."""
        if self._kind != kind:
            self.close_spoken(out)
            self._close_complete(out)
            self._kind = kind
            self._open = self._new()
            out.append(events.BlockOpened(self._choice, self._open, kind))
        return self._open

    def alone(self, kind: events.BlockKind, out: list[Event]) -> int:
        """Open a block of its own, which the caller closes."""
        self.close_spoken(out)
        self._close_complete(out)
        block = self._new()
        out.append(events.BlockOpened(self._choice, block, kind))
        return block

    def call(
        self, index: Any, id: str, name: str, custom: bool, out: list[Event]
    ) -> int:
        """The number of the block of tool call ``index``, opened if need be."""
        call = self._calls.get(index)
        if call is None:
            self.close_spoken(out)
            self._close_complete(out)
            call = self._calls[index] = _Call(self._new(), id)
            out.append(
                events.BlockOpened(
                    self._choice, call.block, "tool", id, name, custom=custom
                )
            )
            signature = self._signed.pop(id, None)
            if signature is not None:
                out.append(events.Signature(self._choice, call.block, signature))
        return call.block

    def sign(self, id: str, signature: Signature, out: list[Event]) -> None:
        """
        The tool call with that id is signed. Servers say so before it, within it, or
        when all is said: what is closed by then has a block for its signature alone.
        """
        for index, call in self._calls.items():
            if call.id == id:
                self.sign_call(index, signature, out)
                return
        self._signed[id] = signature

    def sign_call(self, index: Any, signature: Signature, out: list[Event]) -> None:
        """The tool call ``index``, which has begun, is signed."""
        call = self._calls[index]
        if call.open:
            out.append(events.Signature(self._choice, call.block, signature))
        else:
            block = self.alone("redacted", out)
            marked = foreign.of_call(signature, call.id)
            out.append(events.Redacted(self._choice, block, marked))
            out.append(events.BlockClosed(self._choice, block))

    def argue(self, index: Any, piece: str) -> None:
        """Note a piece of arguments, to know when they are complete."""
        call = self._calls[index]
        if call.pieces is not None:
            call.pieces.append(piece)
            call.size += len(piece)
            if call.size > _WATCHED:
                call.pieces = None

    def last_call(self) -> Any:
        """The index of the call begun last, None where there is none."""
        return next(reversed(self._calls), None)

    def close_spoken(self, out: list[Event]) -> None:
        if self._kind is not None:
            out.append(events.BlockClosed(self._choice, self._open))
            self._kind = None

    def close_all(self, out: list[Event]) -> None:
        self.close_spoken(out)
        for call in self._calls.values():
            self._close(call, out)

    def _new(self) -> int:
        block = self._next
        self._next += 1
        return block

    def _close_complete(self, out: list[Event]) -> None:
        """
        Something new begins: calls whose arguments are complete JSON are over. Others
        may go on, as servers interleave parallel calls.
        """
        for call in self._calls.values():
            if call.open and call.pieces:
                try:
                    msgspec.json.decode("".join(call.pieces), type=dict[str, Any])
                except (msgspec.MsgspecError, RecursionError):
                    continue
                self._close(call, out)

    def _close(self, call: _Call, out: list[Event]) -> None:
        if call.open:
            call.open = False
            call.pieces = None
            out.append(events.BlockClosed(self._choice, call.block))
