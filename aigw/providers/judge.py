"""What the status of a provider's answer means, in the words all vendors share."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from aigw.model.headers import Headers, first
from aigw.model.outcome import Judgement, Verdict

#: 529 is Anthropic's "overloaded"; 498 is Groq's "flex tier capacity exceeded".
_OVERLOADED = frozenset({498, 503, 529})
_REFUSED = frozenset({401, 402, 403, 407})


def judge(status: int, headers: Headers) -> Judgement:
    """Judge by status; Retry-After (RFC 9110, section 10.2.3) counts where given."""
    if status < 400:
        return Judgement(Verdict.OK)
    if status == 429:
        return Judgement(Verdict.THROTTLED, retry_after(headers))
    if status in _OVERLOADED:
        return Judgement(Verdict.OVERLOADED, retry_after(headers))
    if status in _REFUSED:
        return Judgement(Verdict.REFUSED)
    if status >= 500 or status == 408:
        return Judgement(Verdict.BROKEN, retry_after(headers))
    return Judgement(Verdict.REJECTED)


def retry_after(headers: Headers) -> float | None:
    """
    Seconds to wait: ``retry-after-ms`` (OpenAI, Azure), else ``retry-after`` in
    seconds, else as an HTTP date measured against the answer's own ``date``, so that no
    clock of ours is asked. None where nothing usable is said.
    """
    ms = first(headers, b"retry-after-ms")
    value = first(headers, b"retry-after")
    try:
        if ms is not None:
            return max(0.0, float(ms) / 1000)
        if value is not None and value.strip().isdigit():
            return float(value)
        date = first(headers, b"date")
        if value is not None and date is not None:
            until = parsedate_to_datetime(value.decode("latin-1"))
            now = parsedate_to_datetime(date.decode("latin-1"))
            return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        pass
    return None
