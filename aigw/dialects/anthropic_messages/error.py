"""
Errors in Anthropic's words: ``{"type": "error", "error": {type, message}, request_id}``
(https://platform.claude.com/docs/en/api/errors).
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from aigw.dialects import failures
from aigw.errors import GatewayError
from aigw.model.event import Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers

_INVALID = "invalid_request_error"

#: Neutral kind to Anthropic's ``type``.
_WORDS = {
    "invalid_request": _INVALID,
    "not_supported": _INVALID,
    "content_filter": _INVALID,
    "too_large": "request_too_large",
    "authentication": "authentication_error",
    "billing": "billing_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "model_not_found": "not_found_error",
    "rate_limit": "rate_limit_error",
    "timeout": "timeout_error",
    "overloaded": "overloaded_error",
    "unavailable": "overloaded_error",
    "upstream": "api_error",
    "internal": "api_error",
}

#: Anthropic's ``type`` to neutral kind, and the status of one told in a stream.
_KINDS = {
    _INVALID: ("invalid_request", 400),
    "authentication_error": ("authentication", 401),
    "billing_error": ("billing", 402),
    "permission_error": ("permission", 403),
    "not_found_error": ("not_found", 404),
    "request_too_large": ("too_large", 413),
    "rate_limit_error": ("rate_limit", 429),
    "timeout_error": ("timeout", 504),
    "api_error": ("upstream", 500),
    "overloaded_error": ("overloaded", 529),
}


def body_of(error: GatewayError, request_id: str) -> dict[str, Any]:
    word = _WORDS.get(error.kind)
    if word is None:
        word = _INVALID if error.status < 500 else "api_error"
    told = {"type": word, "message": error.message}
    return {"type": "error", "error": told, "request_id": request_id}


def problem(error: GatewayError, request_id: str) -> tuple[int, Headers, bytes]:
    """
    Status, headers and body. The reference's own key for the message stands beside
    ``error``. Anthropic's status for an overloaded provider is its own: 529.
    """
    body = body_of(error, request_id)
    if error.key:
        body[error.key] = error.message
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"request-id", request_id.encode("ascii", "replace")),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(0, ceil(error.retry_after))))
    status = 529 if error.kind == "overloaded" else error.status
    return status, headers, msgspec.json.encode(body)


def broken(error: GatewayError, request_id: str) -> list[Any]:
    """The ``error`` event that tells it in a stream; no ``message_stop`` may follow."""
    data = msgspec.json.encode(body_of(error, request_id))
    return [SSEFrame(type="error", data=data)]


def failed(status: int, headers: Headers, body: Any) -> Failed:
    """
    What an error body means, whatever it holds.

    :param status: 0 for an error told in a stream: its type decides.
    """
    told = body.get("error") if isinstance(body, dict) else None
    message: object = told
    native: object = ""
    if isinstance(told, dict):
        message, native = told.get("message"), told.get("type")
    elif isinstance(body, dict) and told is None:
        message = body.get("message") or body.get("detail")
    kind, usual = "", 502
    if isinstance(native, str):
        kind, usual = _KINDS.get(native, (kind, usual))
    return failures.failed(status or usual, headers, message, kind, native)
