"""Words of Messages: stop reasons and names."""

from __future__ import annotations

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
