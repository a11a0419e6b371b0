"""What a provider's error means, in neutral words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from aigw.errors import UNREADABLE, GatewayError
from aigw.model.event import Failed
from aigw.model.headers import Headers, first

from .unread import mended

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

_KINDS = {
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    501: "not_supported",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

#: An HTTP date says nothing without a clock; providers of models send numbers.
_SECONDS = re.compile(rb"\d{1,9}(?:\.\d+)?")

#: The longest message that is passed on, characters.
_LONGEST = 4096


def kind_of(status: int) -> str:
    """The neutral kind of an HTTP status."""
    return _KINDS.get(status) or ("invalid_request" if status < 500 else "upstream")


def retry_after(headers: Headers) -> float | None:
    """Seconds to wait by ``retry-after-ms`` or ``retry-after``, None where untold."""
    for name, divisor in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = first(headers, name)
        if value is not None and _SECONDS.fullmatch(value.strip()):
            return float(value) / divisor
    return None


def decoded(body: bytes) -> Any:
    """A JSON body, None where it is none."""
    try:
        return _decoder.decode(body)
    except UNREADABLE:
        return mended(_decoder, body)


def error_of(failed: Failed) -> GatewayError:
    """The error to answer a client with."""
    return GatewayError(
        failed.message,
        status=failed.status,
        kind=failed.kind,
        reason="error_in_answer",
        retry_after=failed.retry_after,
    )


def usual(status: int) -> int:
    """The status as vendors other than Anthropic have it: their 529 is a 503."""
    return 503 if status == 529 else status


def failed(
    status: int,
    headers: Headers,
    message: object,
    kind: str = "",
    native: object = "",
) -> Failed:
    """
    An error answer. ``message`` and ``native`` may be anything found in a body.
    """
    text = message if isinstance(message, str) and message else f"status {status}"
    return Failed(
        kind=kind or kind_of(status),
        status=status,
        message=text[:_LONGEST],
        retry_after=retry_after(headers),
        native=native if isinstance(native, str) else "",
    )
