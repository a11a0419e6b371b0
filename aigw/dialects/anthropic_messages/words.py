"""Words of Messages: stop reasons, names, what models take."""

from __future__ import annotations

import re
from typing import Final

from aigw.dialects.names import Fit
from aigw.model.finish import Finish

NAME: Final = "anthropic-messages"
VENDOR: Final = "anthropic"

#: The service tiers an answer may name; other vendors' words mean nothing here.
TIERS: Final = frozenset({"standard", "priority", "batch"})

CALL_ID: Final = Fit("a-zA-Z0-9_-", 64)
TOOL_NAME: Final = Fit("a-zA-Z0-9_-", 64)

_READ: Final = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP_SEQUENCE,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.CONTEXT,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.REFUSAL,
    "pause_turn": Finish.PAUSE,
}

#: What has no word of its own ends a turn, as reference section 3.6 has it.
_WRITTEN: Final = {finish: word for word, finish in _READ.items()}


def finish_of(native: str) -> Finish:
    return _READ.get(native, Finish.OTHER)


def finish_word(finish: Finish) -> str:
    return _WRITTEN.get(finish, "end_turn")


#: Models that think as they see fit or not at all: they refuse a budget, and every
#: sampling parameter (Claude 4.7 and later; AWS's and OpenRouter's migration guides).
_UNSAMPLED = re.compile(
    r"claude-(?:mythos|fable|[a-z]+-(?:4-(?:[7-9]|\d\d)|[5-9]|\d\d)(?!\d))"
)
_ALWAYS = re.compile(r"claude-(?:mythos|fable)")
_BOTH = re.compile(r"claude-[a-z]+-4-6(?!\d)")


def unsampled(model: str) -> bool:
    """Whether the model takes neither sampling parameters nor a thinking budget."""
    return _UNSAMPLED.search(model) is not None


def always_thinks(model: str) -> bool:
    """Whether the model refuses to have its reasoning switched off."""
    return _ALWAYS.search(model) is not None


def adaptive(model: str) -> bool:
    """Whether the model can be asked to think as it sees fit."""
    return unsampled(model) or _BOTH.search(model) is not None
