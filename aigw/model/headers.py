"""
Header fields as they travel through aigw: a list of (name, value) pairs of
bytes, names in lower case, in wire order, repeated fields kept apart.

A list, because a gateway mostly walks over all fields once; a mapping would
have to be built for each request and would lose order or repetitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

#: (lower-case name, value) pairs in wire order.
Headers = list[tuple[bytes, bytes]]

#: The same where nobody adds to them: most often there are none.
Fields = Sequence[tuple[bytes, bytes]]


def first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of ``name`` (lower case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def media_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """
    The media type of ``content-type`` in lower case, without parameters;
    ``""`` where the field is absent (RFC 9110, section 8.3.1).
    """
    return media_type_of(first(headers, b"content-type") or b"")


@lru_cache(maxsize=256)
def media_type_of(value: bytes) -> str:
    """The media type of one ``content-type`` value, as :func:`media_type`."""
    return value.split(b";", 1)[0].strip().lower().decode("latin-1")
