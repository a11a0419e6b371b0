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
from aigw.model.event import Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers

from . import failures

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
    status = failures.usual(error.status)
    return status, json_headers(error), msgspec.json.encode(body)


#: OpenAI's words, as ``type`` or ``code``, that say more than the status does.
_KINDS = {
    "insufficient_quota": "billing",
    "billing_hard_limit_reached": "billing",
    "model_not_found": "model_not_found",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "invalid_api_key": "authentication",
    "authentication_error": "authentication",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "rate_limit_exceeded": "rate_limit",
    "rate_limit_error": "rate_limit",
    "too_many_requests": "rate_limit",
    "overloaded": "overloaded",
    "overloaded_error": "overloaded",
    "server_is_overloaded": "overloaded",
    "service_unavailable": "overloaded",
    "invalid_request_error": "invalid_request",
    "invalid_prompt": "invalid_request",
    "timeout": "timeout",
}

#: The status of an error told in a stream, by its kind.
_STATUS = {
    "billing": 429,
    "model_not_found": 404,
    "not_found": 404,
    "content_filter": 400,
    "invalid_request": 400,
    "authentication": 401,
    "permission": 403,
    "rate_limit": 429,
    "overloaded": 503,
    "timeout": 504,
}


def failed(status: int, headers: Headers, body: Any) -> Failed:
    """
    What an error body means, whatever it holds.

    :param status: 0 for an error told in a stream: its own code or kind decides.
    """
    told = body.get("error") if isinstance(body, dict) else None
    message: object = told
    native: object = ""
    kind = ""
    code: object = None
    if isinstance(told, dict):
        message, code = told.get("message"), told.get("code")
        native = told.get("type") or code
        for word in (code, told.get("type")):
            if not kind and isinstance(word, str):
                kind = _KINDS.get(word, "")
    elif isinstance(body, dict):
        message = told or body.get("message") or body.get("detail")
    if not status:
        status = _STATUS.get(kind, 502)
        if isinstance(code, int) and 400 <= code < 600:
            status = code
    return failures.failed(status, headers, message, kind, native)


def json_headers(error: GatewayError) -> Headers:
    """``content-type``, and ``retry-after`` in whole seconds where a wait is known."""
    headers: Headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(0, ceil(error.retry_after))))
    return headers


def broken(error: GatewayError) -> list[Any]:
    """The frame that tells it in a stream; no ``[DONE]`` may follow."""
    return [SSEFrame(data=msgspec.json.encode({"error": error_object(error)}))]
