"""Data URIs (RFC 2397), base64 only."""

from __future__ import annotations

_MARK = ";base64,"


def split(url: str) -> tuple[str, str] | None:
    """Media type and base64 data of a data URI, None for any other URL."""
    if url[:5].lower() != "data:":
        return None
    head, mark, data = url[5:].partition(_MARK)
    return (head, data) if mark else None


def join(type: str, data: str) -> str:
    return f"data:{type}{_MARK}{data}"
