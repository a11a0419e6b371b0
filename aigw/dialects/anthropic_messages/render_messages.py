"""The messages of a neutral call as Messages has them."""

from __future__ import annotations

from typing import Any

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.turns import apart
from aigw.model.call import Call
from aigw.model.part import Part, Text

from .render_content import Content


class Messages:
    """
    Renders the messages of one call. All results of a turn's tool calls must stand in
    the one user message that follows it, with what else the user said behind them.

    System text between turns joins the system prompt, and counts as clamped: only some
    models take it in its place. What came as Messages keeps its places.
    """

    def __init__(self, call: Call, ledger: Ledger) -> None:
        self._ledger = ledger
        self._content = Content(ledger)
        self._system, self._turns = apart(call, ledger, in_place=True)

    def system(self) -> Any:
        """``system``: a string where that says the same, else blocks; None for none."""
        blocks: list[Any] = []
        parts: list[Part] = []
        for message in self._system:
            self._ledger.rider(message.at, message.rider)
            path = message.at if message.at == "system" else f"{message.at}.content"
            self._ledger.system(message.parts, path)
            blocks += self._content.blocks(message.parts, path)
            parts += message.parts
        if not blocks and not (self._ledger.native and self._system):
            return None
        only = parts[0] if len(parts) == 1 else None
        if isinstance(only, Text) and only.plain:
            return only.text
        return blocks

    def rendered(self) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = []
        results = False
        for message in self._turns:
            if message.name:
                self._ledger.drop(f"{message.at}.name")
            path = f"{message.at}.content"
            blocks = self._content.blocks(message.parts, path)
            rider = self._ledger.rider(message.at, message.rider)
            if not blocks and not self._ledger.native:
                continue  # the API refuses empty messages
            user = message.role == "tool" or message.role == "user"
            if user and results and turns:
                turns[-1]["content"] += blocks
                results = message.role == "tool"
                continue
            results = message.role == "tool"
            turn: dict[str, Any] = {
                "role": "user" if user else message.role,
                "content": blocks,
            }
            graft(turn, rider)
            turns.append(turn)
        for turn in turns:
            _plain(turn)
        return turns


def _plain(turn: dict[str, Any]) -> None:
    """A lone text is written as a string, as clients do."""
    blocks = turn["content"]
    if len(blocks) == 1 and isinstance(blocks[0], dict):
        if blocks[0].keys() == {"type", "text"}:
            turn["content"] = blocks[0]["text"]
