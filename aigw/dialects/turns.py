"""System text and turns, for dialects whose system prompt stands on its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aigw.model.call import Call, Message

from .ledger import Ledger

_SYSTEM: Final = frozenset({"system", "developer"})


def apart(
    call: Call, ledger: Ledger, *, in_place: bool
) -> tuple[list[Message], list[Message]]:
    """
    The messages of the system prompt, and those of the turns. System text between turns
    joins the prompt, and counts as clamped.

    :param in_place: whether system text that came among the turns of the target's own
        dialect stays where it was.
    """
    system: list[Message] = []
    turns: list[Message] = []
    for message in call.messages:
        stays = in_place and ledger.native and message.at != "system"
        if message.role not in _SYSTEM or stays:
            turns.append(message)
            continue
        if turns:
            ledger.clamp(f"{message.at}.role")
        system.append(message)
    if not turns and system and not ledger.native:
        # The API demands a turn; a lone system text can only be meant as one.
        lone = system.pop()
        ledger.clamp(f"{lone.at}.role")
        turns.append(replace(lone, role="user"))
    return system, turns
