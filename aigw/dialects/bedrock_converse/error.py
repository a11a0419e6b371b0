"""
Errors in Bedrock's words: ``x-amzn-errortype`` and ``{"message"}``; in a stream an
exception message (https://docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_ConverseStream.html, "Errors", and ``ConverseStreamOutput``).
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from aigw.dialects import failures
from aigw.errors import GatewayError
from aigw.model.event import Failed
from aigw.model.frame import EventStreamFrame
from aigw.model.headers import Headers, first

_INVALID = "ValidationException"
_BUSY = "ServiceUnavailableException"

#: Neutral kind to the error type of an answer.
_WORDS = {
    "invalid_request": _INVALID,
    "not_supported": _INVALID,
    "content_filter": _INVALID,
    "too_large": _INVALID,
    "authentication": "UnrecognizedClientException",
    "permission": "AccessDeniedException",
    "billing": "ServiceQuotaExceededException",
    "not_found": "ResourceNotFoundException",
    "model_not_found": "ResourceNotFoundException",
    "rate_limit": "ThrottlingException",
    "timeout": "ModelTimeoutException",
    "overloaded": _BUSY,
    "unavailable": _BUSY,
    "upstream": "InternalServerException",
    "internal": "InternalServerException",
}

#: Neutral kind to the exception of a stream, which knows five.
_EXCEPTIONS = {
    "rate_limit": "throttlingException",
    "overloaded": "serviceUnavailableException",
    "unavailable": "serviceUnavailableException",
    "timeout": "modelStreamErrorException",
    "upstream": "modelStreamErrorException",
    "internal": "internalServerException",
}

#: Error type, in lower case and without its ending, to neutral kind, and the status of
#: one told in a stream.
_KINDS = {
    "validation": ("invalid_request", 400),
    "accessdenied": ("permission", 403),
    "unrecognizedclient": ("authentication", 403),
    "invalidsignature": ("authentication", 403),
    "incompletesignature": ("authentication", 403),
    "missingauthenticationtoken": ("authentication", 403),
    "expiredtoken": ("authentication", 403),
    "resourcenotfound": ("not_found", 404),
    "modeltimeout": ("timeout", 504),
    "modelerror": ("upstream", 502),
    "modelstreamerror": ("upstream", 502),
    "modelnotready": ("overloaded", 503),
    "throttling": ("rate_limit", 429),
    "toomanyrequests": ("rate_limit", 429),
    "servicequotaexceeded": ("rate_limit", 429),
    "serviceunavailable": ("overloaded", 503),
    "internalserver": ("upstream", 500),
    "internalfailure": ("upstream", 500),
}

_JSON = "application/json"


def problem(error: GatewayError, request_id: str) -> tuple[int, Headers, bytes]:
    """
    Status, headers and body. The reference's own key for the message stands beside
    ``message``. Bedrock's status for an overloaded provider is 503.
    """
    word = _WORDS.get(error.kind)
    if word is None:
        word = _INVALID if error.status < 500 else "InternalServerException"
    body = {"message": error.message}
    if error.key:
        body[error.key] = error.message
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", word.encode()),
        (b"x-amzn-requestid", request_id.encode("ascii", "replace")),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(0, ceil(error.retry_after))))
    status = 503 if error.kind == "overloaded" else error.status
    return status, headers, msgspec.json.encode(body)


def broken(error: GatewayError) -> list[Any]:
    """The exception that tells it in a stream; no event may follow."""
    word = _EXCEPTIONS.get(error.kind)
    if word is None:
        word = "validationException" if error.status < 500 else _EXCEPTIONS["internal"]
    headers = {
        ":exception-type": word,
        ":content-type": _JSON,
        ":message-type": "exception",
    }
    body: dict[str, Any] = {"message": error.message}
    if word == "modelStreamErrorException":
        body["originalStatusCode"] = error.status
    return [EventStreamFrame(headers, msgspec.json.encode(body))]


def failed(status: int, headers: Headers, body: Any) -> Failed:
    """What an error answer means, whatever its body holds."""
    told = body if isinstance(body, dict) else {}
    native: object = told.get("__type")
    named = first(headers, b"x-amzn-errortype")
    if named is not None:
        native = named.decode("latin-1")
    message = told.get("message") or told.get("Message")
    name = _name(native)
    kind, usual = _KINDS.get(_key(name), ("", 502))
    return failures.failed(status or usual, headers, message, kind, name)


def told_in(frame: EventStreamFrame) -> tuple[str, str]:
    """
    Type and message of the error that a message of type ``exception`` or ``error``
    tells: an exception says them in its payload, an error in its headers.
    """
    headers = frame.headers
    body = failures.decoded(frame.payload)
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        message = headers.get(":error-message")
    name = headers.get(":exception-type") or headers.get(":error-code")
    return _name(name), message if isinstance(message, str) else ""


def failed_in(frame: EventStreamFrame) -> Failed:
    """The same as an event."""
    name, message = told_in(frame)
    kind, status = _KINDS.get(_key(name), ("", 502))
    return failures.failed(status, [], message, kind, name)


def _name(native: object) -> str:
    """An error type without namespace before it or URL behind it."""
    if not isinstance(native, str):
        return ""
    return native.split(":", 1)[0].rsplit("#", 1)[-1].strip()


def _key(name: str) -> str:
    return name.lower().removesuffix("exception")
