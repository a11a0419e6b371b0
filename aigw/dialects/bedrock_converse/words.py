"""Words of Converse: stop reasons, names, whose a model is."""

from __future__ import annotations

import re
from typing import Final

from aigw.dialects.names import Fit
from aigw.model.finish import Finish

NAME: Final = "bedrock-converse"

CALL_ID: Final = Fit(r"a-zA-Z0-9_.:\-", 64)
#: Of calls that Claude is told: its own API takes no more.
CLAUDE_CALL_ID: Final = Fit("a-zA-Z0-9_-", 64)
TOOL_NAME: Final = Fit("a-zA-Z0-9_-", 64)

#: The service tiers a request or an answer may name.
TIERS: Final = frozenset({"priority", "default", "flex", "reserved"})

_READ: Final = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP_SEQUENCE,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.CONTEXT,
    "tool_use": Finish.TOOL_CALLS,
    "content_filtered": Finish.FILTERED,
    "guardrail_intervened": Finish.FILTERED,
    "malformed_tool_use": Finish.MALFORMED,
    "malformed_model_output": Finish.MALFORMED,
    "refusal": Finish.REFUSAL,
}

_WRITTEN: Final = {
    Finish.STOP: "end_turn",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.CONTEXT: "model_context_window_exceeded",
    Finish.TOOL_CALLS: "tool_use",
    Finish.FILTERED: "content_filtered",
    Finish.REFUSAL: "content_filtered",
    Finish.PAUSE: "end_turn",
    Finish.MALFORMED: "malformed_tool_use",
    Finish.OTHER: "end_turn",
}


def finish_of(native: str, called: bool) -> Finish:
    """
    The neutral reason. Some models say ``end_turn`` although they called a tool;
    clients of other dialects run the tool only when told so.

    :param called: whether the answer holds tool calls.
    """
    finish = _READ.get(native, Finish.OTHER)
    return Finish.TOOL_CALLS if called and finish is Finish.STOP else finish


def finish_word(finish: Finish, native: str) -> str:
    """The word to write: the provider's own where it means the same here."""
    if native in _READ and native != "refusal" and _READ[native] is finish:
        return native
    return _WRITTEN[finish]


#: A vendor and its model as ids have them, ``us.anthropic.claude-…``, alone or in an
#: ARN. Ids of profiles and imported models do not tell whose the model is.
_NAMED = re.compile(r"(?:^|/)(?:[a-z-]+\.)?[a-z0-9]+\.[a-z]")


def may_be_claude(model: str) -> bool:
    """Whether a model id names Claude, or does not say whose the model is."""
    return "claude" in model or _NAMED.search(model) is None


def may_cache(model: str) -> bool:
    """Whether the model may take cache points; others refuse the request for them."""
    return may_be_claude(model) or "nova" in model
