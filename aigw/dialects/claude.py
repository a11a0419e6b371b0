"""
Claude, at Anthropic's or anybody else's: how it is asked to think.

Older models take a budget of tokens, recent ones an effort, Claude 4.6 either. A turn
whose signed reasoning is missing, or a tool the model is told to call, may be refused
while it reasons; so reasoning is switched off then, where the model lets it be: recent
models have it on by default, some always
(https://platform.claude.com/docs/en/build-with-claude/thinking-tool-workflows).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from aigw.model.call import Call, Reasoning
from aigw.model.part import Redacted, Thinking, ToolCall, ToolResult

from .json_object import JSONObject, graft, opens_with
from .ledger import Ledger

#: Who signs its reasoning.
VENDOR: Final = "anthropic"

#: Models that think as they see fit or not at all: they refuse a budget, and every
#: sampling parameter (Claude 4.7 and later; AWS's and OpenRouter's migration guides).
_UNSAMPLED = re.compile(
    r"claude-(?:mythos|fable|[a-z]+-(?:4-(?:[7-9]|\d\d)|[5-9]|\d\d)(?!\d))"
)
#: Models that take a temperature or a ``top_p``, and refuse both at once (Claude Opus
#: 4.1, and all from 4.5 on; AWS's page on parameters of Messages).
_EITHER = re.compile(r"claude-(?:opus-4-[1-6]|(?:sonnet|haiku)-4-[56])(?!\d)")
_ALWAYS = re.compile(r"claude-(?:mythos|fable)")
_BOTH = re.compile(r"claude-[a-z]+-4-6(?!\d)")


def unsampled(model: str) -> bool:
    """Whether the model takes neither sampling parameters nor a thinking budget."""
    return _UNSAMPLED.search(model) is not None


def sampled_either_way(model: str) -> bool:
    """Whether the model refuses a temperature and a ``top_p`` in one request."""
    return _EITHER.search(model) is not None


def always_thinks(model: str) -> bool:
    """Whether the model refuses to have its reasoning switched off."""
    return _ALWAYS.search(model) is not None


def adaptive(model: str) -> bool:
    """Whether the model can be asked to think as it sees fit."""
    return unsampled(model) or _BOTH.search(model) is not None


#: The least budget the API takes, tokens.
_LEAST = 1024

#: The inverse of reference section 3.6, and on.
_BUDGETS = {
    "minimal": _LEAST,
    "low": _LEAST,
    "medium": 2048,
    "high": 4096,
    "xhigh": 16384,
    "max": 32768,
}


def asked_of(fields: JSONObject, effort: str) -> Reasoning | None:
    """
    What ``thinking`` among ``fields`` asks for, taken out; a form of it that nobody
    knows stays.
    """
    raw = fields.look("thinking")
    kind = None
    if raw is not None and opens_with(raw, b"{"):
        kind = JSONObject(raw, fields.at("thinking")).string("type")
    if raw is None or kind not in ("enabled", "disabled", "adaptive"):
        return Reasoning(effort=effort) if effort else None
    fields.raw("thinking")
    thinking = JSONObject(raw, fields.at("thinking"))
    thinking.raw("type")
    return Reasoning(
        mode="on" if kind == "enabled" else "off" if kind == "disabled" else "adaptive",
        effort=effort,
        budget=thinking.integer("budget_tokens"),
        show=thinking.string("display") or "",
        rider=thinking.rest(),
    )


@dataclass(frozen=True, slots=True)
class Thought:
    """
    :ivar on: whether the model will reason.
    :ivar thinking: the request's ``thinking``, None to say nothing.
    :ivar effort: the request's ``output_config.effort``, ``""`` to say nothing.
    """

    on: bool = False
    thinking: dict[str, Any] | None = None
    effort: str = ""


def thought_of(call: Call, model: str, cap: int, ledger: Ledger) -> Thought:
    """
    :param cap: the most output tokens; a budget must leave room below it.
    """
    asked = call.reasoning
    if asked is None:
        return Thought()
    if ledger.native:
        return _native(asked)
    ledger.rider("reasoning", asked.rider)
    if asked.mode == "off" or asked.effort == "none":
        return _off(asked, model, "always on", ledger)
    choice = call.tool_choice
    if choice is not None and choice.mode in ("any", "tool"):
        ledger.drop("reasoning (tool choice)")
        return _off(asked, model, "", ledger)
    if unsigned(call):
        ledger.drop("reasoning (signature missing)")
        return _off(asked, model, "", ledger)
    if unsampled(model) or (adaptive(model) and asked.budget is None):
        return Thought(True, {"type": "adaptive"}, _effort(asked, model))
    budget = asked.budget or _BUDGETS.get(asked.effort, _BUDGETS["medium"])
    budget = min(max(budget, _LEAST), cap - 1)
    if budget < _LEAST:
        ledger.drop("reasoning (no room below max_tokens)")
        return Thought()
    return Thought(True, {"type": "enabled", "budget_tokens": budget})


def _off(asked: Reasoning, model: str, why: str, ledger: Ledger) -> Thought:
    """
    No reasoning, said aloud only to models that otherwise reason by themselves.

    :param why: what to tell the record where it cannot be switched off.
    """
    if always_thinks(model):
        if why:
            ledger.drop(f"reasoning ({why})")
        effort = "" if asked.effort == "none" else _effort(asked, model)
        return Thought(True, {"type": "adaptive"}, effort)
    return Thought(False, {"type": "disabled"} if adaptive(model) else None)


def unsigned(call: Call) -> bool:
    """
    Whether a tool call of the turn under way lacks its signed reasoning: what the
    client should have sent back with it, and did not.
    """
    for message in reversed(call.messages):
        if message.role == "assistant":
            if any(isinstance(part, ToolCall) for part in message.parts):
                return not any(
                    isinstance(part, Thinking | Redacted)
                    and part.signature is not None
                    and part.signature.vendor == VENDOR
                    for part in message.parts
                )
            return False
        if message.role == "user" and not any(
            isinstance(part, ToolResult) for part in message.parts
        ):
            return False
    return False


def _native(asked: Reasoning) -> Thought:
    if not asked.mode:
        return Thought(effort=asked.effort)
    words = {"on": "enabled", "off": "disabled", "adaptive": "adaptive"}
    thinking: dict[str, Any] = {"type": words[asked.mode]}
    if asked.budget is not None:
        thinking["budget_tokens"] = asked.budget
    if asked.show:
        thinking["display"] = asked.show
    graft(thinking, asked.rider)
    return Thought(asked.mode != "off", thinking, asked.effort)


def _effort(asked: Reasoning, model: str) -> str:
    effort = asked.effort
    if asked.budget is not None and not effort:
        few = "low" if asked.budget < 2048 else "medium"
        effort = few if asked.budget < 4096 else "high"
    if effort == "minimal":
        return "low"
    # Claude 4.6 does not know xhigh.
    return "high" if effort == "xhigh" and not unsampled(model) else effort
