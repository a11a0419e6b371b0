"""
Health checks: whether the process lives, and whether it takes requests. No provider is
ever called for one, and nothing is said but yes or no. Pure.
"""

from __future__ import annotations

_LIVE = frozenset({"/healthz/live", "/health/liveliness", "/health/liveness"})
_READY = frozenset({"/healthz/ready", "/health", "/health/readiness"})


def health(path: str, ready: bool) -> tuple[int, bytes] | None:
    """
    The answer to a health check: status and JSON body.

    :param path: the request's path, decoded.
    :param ready: False while the gateway drains; it lives on then.
    :returns: None where ``path`` is no health check.
    """
    if path in _LIVE or (ready and path in _READY):
        return 200, b'{"status":"ok"}'
    if path in _READY:
        return 503, b'{"status":"draining"}'
    return None
