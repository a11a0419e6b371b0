"""
How a model of Google's is asked to think: by a level from Gemini 3 on, by a budget of
tokens before (https://ai.google.dev/gemini-api/docs/thinking).
"""

from __future__ import annotations

from typing import Any

from aigw.dialects.google import version_of
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call, Reasoning

#: Tokens by effort, as Google's OpenAI-compatible API has it.
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192}
_MOST = 24576
#: The least budget of the models that cannot but think.
_LEAST = 128

_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM"}


def thinking_config(call: Call, model: str, ledger: Ledger) -> dict[str, Any] | None:
    """The request's ``thinkingConfig``; None to say nothing."""
    asked = call.reasoning
    if asked is None:
        return None
    if ledger.native:
        return _native(asked)
    ledger.rider("reasoning", asked.rider)
    version = version_of(model)
    if version < (2, 5) or "gemma" in model:
        if asked.mode != "off" and asked.effort != "none":
            ledger.drop("reasoning")
        return None
    pro = "pro" in model
    if asked.mode == "off" or asked.effort == "none":
        if version < (3, 0) and not pro:
            return {"thinkingBudget": 0}
        ledger.drop("reasoning (always on)")
        if version < (3, 0):
            return {"thinkingBudget": _LEAST}
        return {"thinkingLevel": "LOW" if pro else "MINIMAL"}
    config: dict[str, Any] = {"includeThoughts": True}
    if version >= (3, 0):
        level = _level(asked, pro)
        if level:
            config["thinkingLevel"] = level
    elif asked.budget is not None:
        most = 32768 if pro else _MOST
        config["thinkingBudget"] = min(max(asked.budget, _LEAST), most)
        if config["thinkingBudget"] != asked.budget:
            ledger.clamp("reasoning.budget")
    elif asked.effort:
        config["thinkingBudget"] = _BUDGETS.get(asked.effort, _MOST)
    else:
        config["thinkingBudget"] = -1  # as the model sees fit
    return config


def _level(asked: Reasoning, pro: bool) -> str:
    """``""`` leaves it to the model."""
    effort = asked.effort
    if asked.budget is not None and not effort:
        effort = "low" if asked.budget < 4096 else "high"
    if not effort:
        return ""
    if effort == "minimal" and pro:
        return "LOW"
    return _LEVELS.get(effort, "HIGH")


def _native(asked: Reasoning) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if asked.show:
        config["includeThoughts"] = True
    if asked.budget is not None:
        config["thinkingBudget"] = asked.budget
    elif asked.mode:
        config["thinkingBudget"] = 0 if asked.mode == "off" else -1
    if asked.effort:
        config["thinkingLevel"] = asked.effort.upper()
    graft(config, asked.rider)
    return config
