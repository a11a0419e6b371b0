"""
Errors as OpenAI's clients expect them: ``{"error": {message, type, param, code}}``
(https://platform.openai.com/docs/guides/error-codes). Dialects without an error shape
of their own use it too.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from aigw.errors import GatewayError
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers

_INVALID = "invalid_request_error"

#: Neutral kind to OpenAI's ``type`` and ``code``.
_WORDS: dict[str, tuple[str, str | None]] = {
    "invalid_request": (_INVALID, None),
    "too_large": (_INVALID, "request_too_large"),
    "not_supported": (_INVALID, "not_supported"),
    "content_filter": (_INVALID, "content_filter"),
    "authentication": ("authentication_error", "invalid_api_key"),
    "permission": ("permission_error", "insufficient_permissions"),
    "not_found": ("not_found_error", "not_found"),
    "model_not_found": (_INVALID, "model_not_found"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "billing": ("insufficient_quota", "insufficient_quota"),
    "overloaded": ("server_error", "overloaded"),
    "unavailable": ("server_error", "service_unavailable"),
    "upstream": ("server_error", "upstream_error"),
    "timeout": ("server_error", "timeout"),
    "internal": ("server_error", None),
}


def error_object(error: GatewayError) -> dict[str, Any]:
    """The object under ``error``."""
    words = _WORDS.get(error.kind)
    if words is None:
        words = (_INVALID if error.status < 500 else "server_error", error.kind)
    kind, code = words
    return {"message": error.message, "type": kind, "param": None, "code": code}


def problem(error: GatewayError) -> tuple[int, Headers, bytes]:
    """
    Status, headers and body. The reference's own key for the message stands beside
    ``error``, for clients written against it.
    """
    body: dict[str, Any] = {"error": error_object(error)}
    if error.key:
        body[error.key] = error.message
    return error.status, json_headers(error), msgspec.json.encode(body)


def json_headers(error: GatewayError) -> Headers:
    """``content-type``, and ``retry-after`` in whole seconds where a wait is known."""
    headers: Headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(0, ceil(error.retry_after))))
    return headers


def broken(error: GatewayError) -> list[Any]:
    """The frame that tells it in a stream; no ``[DONE]`` may follow."""
    return [SSEFrame(data=msgspec.json.encode({"error": error_object(error)}))]
