"""
How the models behind Converse are asked to think: in fields of their own, which it
hands through (``additionalModelRequestFields``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aigw.dialects.claude import Thought, thought_of
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call, Reasoning

#: Room for a budget where the call does not limit the answer.
_ROOM = 65536

_EFFORTS = {"minimal": "low", "xhigh": "high", "max": "high"}
_BUDGETS = ((2048, "low"), (4096, "medium"))


@dataclass(frozen=True, slots=True)
class Asked:
    """
    :ivar thought: how Claude is asked.
    :ivar fields: the model's own fields.
    """

    thought: Thought = field(default_factory=Thought)
    fields: dict[str, Any] = field(default_factory=dict)


def asked_for(call: Call, model: str, ledger: Ledger) -> Asked:
    asked = call.reasoning
    if asked is None:
        return Asked()
    if ledger.native or "claude" in model:
        thought = thought_of(call, model, call.max_tokens or _ROOM, ledger)
        thinking = thought.thinking
        return Asked(thought, {} if thinking is None else {"thinking": thinking})
    ledger.rider("reasoning", asked.rider)
    effort = _effort(asked)
    if not effort:
        return Asked()  # switched off; none of these thinks unasked
    if "gpt-oss" in model:
        return Asked(fields={"reasoning_effort": effort})
    if "nova-2" in model:
        config = {"type": "enabled", "maxReasoningEffort": effort}
        return Asked(fields={"reasoningConfig": config})
    ledger.drop("reasoning")
    return Asked()


def _effort(asked: Reasoning) -> str:
    """Low, medium or high; ``""`` for none."""
    if asked.mode == "off" or asked.effort == "none":
        return ""
    if asked.effort:
        return _EFFORTS.get(asked.effort, asked.effort)
    for bound, word in _BUDGETS:
        if asked.budget is not None and asked.budget < bound:
            return word
    return "medium" if asked.budget is None else "high"
