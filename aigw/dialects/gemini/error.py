"""
Errors in Google's words: ``{"error": {code, message, status, details}}``
(https://google.aip.dev/193), the status being a name of google.rpc.Code.
"""

from __future__ import annotations

import re
from math import ceil
from typing import Any

import msgspec

from aigw.dialects import failures
from aigw.errors import GatewayError
from aigw.model.event import Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers

#: Neutral kind to Google's ``status``.
_WORDS = {
    "invalid_request": "INVALID_ARGUMENT",
    "content_filter": "INVALID_ARGUMENT",
    "too_large": "INVALID_ARGUMENT",
    "not_supported": "UNIMPLEMENTED",
    "authentication": "UNAUTHENTICATED",
    "billing": "FAILED_PRECONDITION",
    "permission": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "model_not_found": "NOT_FOUND",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "timeout": "DEADLINE_EXCEEDED",
    "overloaded": "UNAVAILABLE",
    "unavailable": "UNAVAILABLE",
    "upstream": "INTERNAL",
    "internal": "INTERNAL",
}

#: Google's ``status`` to neutral kind, and the HTTP status that goes with it.
_KINDS = {
    "INVALID_ARGUMENT": ("invalid_request", 400),
    "FAILED_PRECONDITION": ("invalid_request", 400),
    "OUT_OF_RANGE": ("invalid_request", 400),
    "UNAUTHENTICATED": ("authentication", 401),
    "PERMISSION_DENIED": ("permission", 403),
    "NOT_FOUND": ("not_found", 404),
    "RESOURCE_EXHAUSTED": ("rate_limit", 429),
    "CANCELLED": ("upstream", 499),
    "INTERNAL": ("upstream", 500),
    "UNKNOWN": ("upstream", 500),
    "UNIMPLEMENTED": ("not_supported", 501),
    "UNAVAILABLE": ("overloaded", 503),
    "DEADLINE_EXCEEDED": ("timeout", 504),
}

_RETRY = "type.googleapis.com/google.rpc.RetryInfo"
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def error_object(error: GatewayError) -> dict[str, Any]:
    """The object under ``error``."""
    word = _WORDS.get(error.kind)
    if word is None:
        word = "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL"
    code = failures.usual(error.status)
    told = {"code": code, "message": error.message, "status": word}
    if error.retry_after is None:
        return told
    delay = f"{max(0, ceil(error.retry_after))}s"
    return {**told, "details": [{"@type": _RETRY, "retryDelay": delay}]}


def problem(error: GatewayError) -> tuple[int, Headers, bytes]:
    """
    Status, headers and body. The reference's own key for the message stands beside
    ``error``.
    """
    body: dict[str, Any] = {"error": error_object(error)}
    if error.key:
        body[error.key] = error.message
    headers: Headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(0, ceil(error.retry_after))))
    return failures.usual(error.status), headers, msgspec.json.encode(body)


def broken(error: GatewayError) -> list[Any]:
    """The event that tells it in a stream."""
    return [SSEFrame(data=msgspec.json.encode({"error": error_object(error)}))]


def failed(status: int, headers: Headers, body: Any) -> Failed:
    """
    What an error body means, whatever it holds. Streams without ``alt=sse`` wrap it in
    an array.

    :param status: 0 for an error told in a stream: its code or status decides.
    """
    if isinstance(body, list) and body:
        body = body[0]
    told = body.get("error") if isinstance(body, dict) else None
    message: object = told
    native: object = ""
    code: object = None
    details: list[Any] = []
    if isinstance(told, dict):
        message, native, code = map(told.get, ("message", "status", "code"))
        if isinstance(told.get("details"), list):
            details = [one for one in told["details"] if isinstance(one, dict)]
    kind, usual = "", 502
    if isinstance(native, str):
        kind, usual = _KINDS.get(native, (kind, usual))
    if any(one.get("reason") == "API_KEY_INVALID" for one in details):
        kind = "authentication"  # told as a wrong argument, status 400
    if not status:
        known = type(code) is int and 400 <= code < 600
        status = code if known and isinstance(code, int) else usual
    found = failures.failed(status, headers, message, kind, native)
    if found.retry_after is None:
        wait = next(filter(None, map(_delay, details)), None)
        if wait is not None:
            return msgspec.structs.replace(found, retry_after=wait)
    return found


def _delay(detail: dict[str, Any]) -> float | None:
    """Seconds to wait, by a RetryInfo."""
    value = detail.get("retryDelay")
    match = _DELAY.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else float(match[1])
