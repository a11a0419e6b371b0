"""Words of chat completions: finish reasons, and who signs reasoning."""

from __future__ import annotations

from typing import Final

from aigw.dialects.names import Fit
from aigw.model.finish import Finish

NAME: Final = "openai-chat"

#: The official API refuses ids of more than 40 characters.
CALL_ID: Final = Fit(r"\x20-\x7e", 40)

_READ: Final = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.FILTERED,
}

_WRITTEN: Final = {
    Finish.STOP: "stop",
    Finish.STOP_SEQUENCE: "stop",
    Finish.LENGTH: "length",
    Finish.CONTEXT: "length",
    Finish.TOOL_CALLS: "tool_calls",
    Finish.FILTERED: "content_filter",
    Finish.REFUSAL: "content_filter",
    Finish.PAUSE: "stop",
    Finish.MALFORMED: "stop",
    Finish.OTHER: "stop",
}

#: ``format`` of an entry of ``reasoning_details`` (OpenRouter's extension) to the
#: vendor that signed it, and back.
_VENDORS: Final = {
    "anthropic-claude-v1": "anthropic",
    "google-gemini-v1": "gemini",
    "openai-responses-v1": "openai",
}
_FORMATS: Final = {vendor: name for name, vendor in _VENDORS.items()}


def finish_of(native: str, called: bool) -> Finish:
    """
    The neutral reason. Some servers say ``stop`` although the model called a tool;
    clients of other dialects run the tool only when told so.

    :param called: whether the choice holds tool calls.
    """
    finish = _READ.get(native, Finish.OTHER)
    return Finish.TOOL_CALLS if called and finish is Finish.STOP else finish


def finish_word(finish: Finish, native: str) -> str:
    """The word to write: the provider's own where it means the same here."""
    return native if _READ.get(native) is finish else _WRITTEN[finish]


def vendor_of(format: object) -> str:
    """The vendor that ``format`` of a detail names; the name itself where unknown."""
    if not isinstance(format, str):
        return "unknown"
    return _VENDORS.get(format, format)


def format_of(vendor: str) -> str:
    """The inverse of :func:`vendor_of`."""
    return _FORMATS.get(vendor, vendor)
