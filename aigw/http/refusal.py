"""
The answer to a request that never becomes an exchange: JSON, in the shape most clients
of language models can read. (A refusal inside an exchange has its client's dialect.)
"""

from __future__ import annotations

import msgspec

from aigw.errors import GatewayError
from aigw.model.headers import Headers

_TYPES = {
    "invalid_request": "invalid_request_error",
    "too_large": "invalid_request_error",
    "not_found": "invalid_request_error",
}


def refusal(error: GatewayError) -> tuple[int, Headers, bytes]:
    """Status, header fields (content-length included) and body."""
    told = {
        "message": error.message,
        "type": _TYPES.get(error.kind, "server_error"),
        "param": None,
        "code": None,
    }
    body = msgspec.json.encode({"error": told})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    return error.status, headers, body
