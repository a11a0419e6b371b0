"""Errors told in a Responses stream."""

from __future__ import annotations

from typing import Any

from aigw.dialects import openai_error
from aigw.errors import GatewayError


def error_event(error: GatewayError, sequence: int) -> dict[str, Any]:
    """
    The ``error`` event. The API reference has its fields in the event itself; OpenAI
    sends them in an object ``error``, and its own clients raise for that alone. Each
    reader finds what it looks for.
    """
    told = openai_error.error_object(error)
    return {
        "type": "error",
        "code": told["code"] or told["type"],
        "message": told["message"],
        "param": None,
        "error": told,
        "sequence_number": sequence,
    }


def merged(flat: dict[str, Any], nested: Any) -> Any:
    """What an error event tells in both places; the inner one wins where it speaks."""
    if nested is None or isinstance(nested, dict):
        inner = {key: value for key, value in (nested or {}).items() if value}
        return {**flat, **inner}
    return nested
