"""
Browsers: on a route that injects credentials, any page could otherwise spend them.

Follows the Fetch standard's CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

from __future__ import annotations

from aigw.errors import Forbidden
from aigw.model.headers import Fields, Headers, first
from aigw.model.route import Route


def preflighted(method: str, headers: Headers) -> str | None:
    """The method a CORS preflight asks about; None where this is no preflight."""
    if method != "OPTIONS" or first(headers, b"origin") is None:
        return None
    asked = first(headers, b"access-control-request-method")
    return asked.decode("latin-1") if asked else None


def admit(route: Route, headers: Headers) -> Fields:
    """
    The fields that let a browser read the answer; empty where no browser asks.

    :raises Forbidden: the request comes from a page of an origin that is not let in.
    """
    origin = first(headers, b"origin")
    if origin is None:
        return ()
    name = origin.decode("latin-1")
    if name in route.allow_origins or "*" in route.allow_origins:
        return [(b"access-control-allow-origin", origin), (b"vary", b"origin")]
    if route.injects:
        raise Forbidden(f"origin {name[:100]!r} is not allowed here", reason="origin")
    return ()


def permit(headers: Headers) -> Headers:
    """The further fields that answer a preflight of an admitted origin."""
    asked = first(headers, b"access-control-request-method") or b"POST"
    fields = [
        (b"access-control-allow-methods", asked),
        (b"access-control-max-age", b"600"),
    ]
    names = first(headers, b"access-control-request-headers")
    if names is not None:
        fields.append((b"access-control-allow-headers", names))
    return fields
