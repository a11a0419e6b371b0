"""
How long a provider asks to wait. No clock of ours is read: times of day are measured
against the answer's own ``date``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from aigw.model.headers import Headers, first

#: "6m0s", "1h2m3.5s", "20ms" (OpenAI, Groq), "3.5s" (google.protobuf.Duration).
_DURATION = re.compile(
    r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d*)?)s)?(?:(\d+(?:\.\d*)?)ms)?\Z"
)
_UNITS = (3600.0, 60.0, 1.0, 0.001)

#: Fields that tell when a limit starts anew, and what is left of it until then.
_RESET = re.compile(
    rb"(x-ratelimit-|anthropic-ratelimit-)(?:reset(-[a-z-]+)?|([a-z-]+)-reset)\Z"
)

#: Numbers above these are no seconds to wait but times of day: in seconds, in ms.
_EPOCH, _EPOCH_MS = 1e9, 1e12


def wait_of(headers: Headers, exhausted: bool = False) -> float | None:
    """
    Seconds to wait: ``retry-after-ms`` (OpenAI, Azure), else ``retry-after`` (RFC 9110,
    section 10.2.3), else, where a limit is ``exhausted``, until that limit starts anew.
    None where nothing usable is said.
    """
    ms = first(headers, b"retry-after-ms")
    if ms is not None:
        told = _number(ms)
        return None if told is None else max(0.0, told / 1000)
    value = first(headers, b"retry-after")
    if value is not None:
        if value.strip().isdigit():
            return _number(value)
        return _until(_http_date(value), headers)
    return _reset(headers) if exhausted else None


def retry_delay(error: Mapping[str, Any] | None) -> float | None:
    """Seconds of a Google error's ``RetryInfo`` (google/rpc/error_details.proto)."""
    details = error.get("details") if error is not None else None
    for detail in details if isinstance(details, list) else ():
        told = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(told, str):
            return _duration(told)
    return None


def _reset(headers: Headers) -> float | None:
    """
    The wait of the limits that are used up: the longest of them. Where none says that
    it is, the shortest of all.
    """
    fields = dict(headers)
    spent, all_told = [], []
    for name, value in headers:
        found = _RESET.match(name)
        if found is None:
            continue
        told = _moment(value.decode("latin-1").strip(), headers)
        if told is None:
            continue
        all_told.append(told)
        left = fields.get(_remaining(found))
        if left is not None and _number(left) == 0:
            spent.append(told)
    return max(spent) if spent else min(all_told, default=None)


def _remaining(found: re.Match[bytes]) -> bytes:
    """The field of what is left, beside the one of the reset."""
    prefix, after, before = found.groups()
    if before is not None:
        return bytes(prefix + before + b"-remaining")
    return bytes(prefix + b"remaining" + (after or b""))


def _moment(text: str, headers: Headers) -> float | None:
    number = _number(text.encode("latin-1"))
    if number is not None:
        if number < _EPOCH:
            return max(0.0, number)
        seconds = number / 1000 if number >= _EPOCH_MS else number
        try:
            return _until(datetime.fromtimestamp(seconds, UTC), headers)
        except (ValueError, OverflowError, OSError):
            return None
    duration = _duration(text)
    if duration is not None:
        return duration
    try:
        return _until(datetime.fromisoformat(text), headers)
    except ValueError:
        return None


def _duration(text: str) -> float | None:
    found = _DURATION.match(text) if text else None
    if found is None:
        return None
    pairs = zip(found.groups(), _UNITS, strict=True)
    return sum(float(number) * unit for number, unit in pairs if number is not None)


def _number(value: bytes) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _http_date(value: bytes | None) -> datetime | None:
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value.decode("latin-1"))
    except (ValueError, TypeError):
        return None


def _until(moment: datetime | None, headers: Headers) -> float | None:
    now = _http_date(first(headers, b"date"))
    if moment is None or now is None:
        return None
    try:
        return max(0.0, (moment - now).total_seconds())
    except TypeError:
        return None  # one of the two names no time zone
