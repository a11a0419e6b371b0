"""
What an error told inside an answer of status 200 comes to: the status the provider
would have answered with, had it not begun already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aigw.errors import UpstreamError

#: The vendors' words in ``type``, ``code`` or ``status``, small and without ``_``.
_THROTTLED: Final = frozenset(
    """
    429 insufficientquota ratelimiterror ratelimitexceeded resourceexhausted
    throttlingexception toomanyrequests
    """.split()
)
_OVERLOADED: Final = frozenset(
    """
    503 529 engineoverloaded overloaded overloadederror serviceunavailable
    serviceunavailableexception unavailable
    """.split()
)


def error_told(told: Mapping[str, Any]) -> UpstreamError:
    """
    The error that ``told`` reports.

    :param told: the error object, as a tap found it.
    """
    message = told.get("message")
    text = message if isinstance(message, str) else "the provider reported an error"
    words = {
        str(told[key]).lower().replace("_", "")
        for key in ("type", "code", "status")
        if isinstance(told.get(key), str | int)
    }
    reason = "error_in_stream"
    if words & _THROTTLED:
        return UpstreamError(text, status=429, kind="rate_limit", reason=reason)
    if words & _OVERLOADED:
        return UpstreamError(text, status=503, kind="overloaded", reason=reason)
    return UpstreamError(text, reason=reason)
