"""
Dialects: wire APIs for talking to models, one file each. They know frames and JSON,
never Twisted, never each other.

The functions here know the built-in dialects. A gateway uses a :class:`Dialects` of its
own, made at start, which also knows third parties'.
"""

from __future__ import annotations

from .detect import Dialects

__all__ = ["Dialects", "detect", "get", "known"]

_built_in = Dialects()
get = _built_in.get
known = _built_in.known
detect = _built_in.detect
