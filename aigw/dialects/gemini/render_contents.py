"""The messages of a neutral call as contents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aigw.dialects.google import VENDOR, signed, turn_under_way, wants_signed
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.turns import apart
from aigw.model.call import Call
from aigw.model.part import Part, Redacted, Signature, Text, ToolCall

from .render_parts import Parts


class Contents:
    """
    Renders the messages of one call. All results of a turn's calls must stand in the
    one user content that follows it. System text between turns joins the instruction,
    and counts as clamped.
    """

    def __init__(self, call: Call, model: str, ledger: Ledger) -> None:
        self._ledger = ledger
        self._recent = wants_signed(model)
        names = {
            part.id: part.name
            for message in call.messages
            for part in message.parts
            if isinstance(part, ToolCall)
        }
        self._parts = Parts(names, self._recent, ledger)
        self._system, self._turns = apart(call, ledger, in_place=False)
        self._current = turn_under_way(self._turns)

    def system(self) -> dict[str, Any] | None:
        """``systemInstruction``, None for none."""
        parts: list[Any] = []
        content: dict[str, Any] = {"parts": parts}
        for message in self._system:
            path = f"{message.at}.content"
            self._ledger.system(message.parts, path)
            parts += self._parts.rendered(message.parts, path)
            graft(content, self._ledger.rider(message.at, message.rider))
        if not parts and not (self._ledger.native and self._system):
            return None
        return content

    def rendered(self) -> list[dict[str, Any]]:
        contents: list[dict[str, Any]] = []
        results = False
        for place, message in enumerate(self._turns):
            if message.name:
                self._ledger.drop(f"{message.at}.name")
            if message.cache is not None:
                self._ledger.drop(f"{message.at}.cache_control")
            user = message.role != "assistant"
            parts = message.parts
            if not user and not self._ledger.native:
                parts = _merged(parts)
                if self._recent and place >= self._current:
                    parts = signed(parts, self._ledger)
            rendered = self._parts.rendered(parts, f"{message.at}.content")
            rider = self._ledger.rider(message.at, message.rider)
            if not rendered and not self._ledger.native:
                continue  # the API refuses empty contents
            if user and results:
                contents[-1]["parts"] += rendered
                graft(contents[-1], rider)
                results = message.role == "tool"
                continue
            results = message.role == "tool"
            content = {"role": "user" if user else "model", "parts": rendered}
            graft(content, rider)
            contents.append(content)
        return contents


def _merged(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """
    Signatures that came back on their own, on the text or call behind them: that is
    what Gemini signs.
    """
    kept: list[Part] = []
    loose: Signature | None = None
    for part in parts:
        if isinstance(part, Redacted) and part.signature.vendor == VENDOR:
            loose = part.signature
            continue
        if isinstance(part, Text | ToolCall) and loose is not None:
            if part.signature is None:
                part = replace(part, signature=loose)
            loose = None
        kept.append(part)
    if loose is not None:
        kept.append(Redacted(loose))
    return tuple(kept)
