"""The messages of a neutral call as Converse has them."""

from __future__ import annotations

from typing import Any

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.turns import apart
from aigw.model.call import Call
from aigw.model.part import ToolCall

from .render_content import Content


class Messages:
    """
    Renders the messages of one call. Turns must alternate between user and assistant,
    and all results of a turn's tool calls stand in the one user message behind it: so
    neighbours of one role become one.

    System text between turns joins the system prompt, and counts as clamped: only some
    models take it in its place. What came as Converse keeps its places and its cuts.
    """

    def __init__(self, call: Call, ledger: Ledger, content: Content) -> None:
        self._ledger = ledger
        self._content = content
        self._cache = call.cache
        self._system, self._turns = apart(call, ledger, in_place=True)

    def system(self) -> list[Any] | None:
        """``system``; None where nothing is said there."""
        blocks: list[Any] = []
        for message in self._system:
            self._ledger.rider(message.at, message.rider)
            path = message.at if message.at == "system" else f"{message.at}.content"
            self._ledger.system(message.parts, path)
            blocks += self._content.blocks(message.parts, path)
        if not blocks and not (self._ledger.native and self._system):
            return None
        return blocks

    def rendered(self) -> list[dict[str, Any]]:
        native = self._ledger.native
        turns: list[dict[str, Any]] = []
        for message in self._turns:
            if message.name:
                self._ledger.drop(f"{message.at}.name")
            blocks = self._content.blocks(message.parts, f"{message.at}.content")
            if message.cache is not None:
                blocks += self._content.mark(message.cache, message.at)
            rider = self._ledger.rider(message.at, message.rider)
            role = "user" if message.role == "tool" else message.role
            if not native:
                if not blocks:
                    continue  # the API refuses empty messages
                if turns and turns[-1]["role"] == role:
                    turns[-1]["content"] += blocks
                    continue
            turn: dict[str, Any] = {"role": role, "content": blocks}
            graft(turn, rider)
            turns.append(turn)
        if self._cache is not None and turns:
            last = turns[-1]["content"]
            if not (isinstance(last[-1], dict) and "cachePoint" in last[-1]):
                last += self._content.mark(self._cache, "")
        return turns

    def called(self) -> list[str]:
        """The names of the tools that earlier turns called, each once."""
        names: dict[str, None] = {}
        for message in self._turns:
            for part in message.parts:
                if isinstance(part, ToolCall):
                    names[part.name] = None
        return list(names)
