"""Embeddings that are always the same for the same text."""

from __future__ import annotations

import hashlib


def vector(text: str, size: int) -> list[float]:
    """``size`` numbers of a vector not longer than 1."""
    digest = hashlib.shake_128(text.encode()).digest(size)
    return [(byte - 127.5) / 128 / size**0.5 for byte in digest]
