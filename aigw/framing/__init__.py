"""
How byte streams are cut into frames. Sans-IO: bytes in, values out; a framing never
knows a transport, and never imports another framing.

The functions here know the built-in framings, ``sse`` and ``aws-eventstream``. A
gateway uses a :class:`Framings` of its own, made at start, which also knows third
parties'.
"""

from __future__ import annotations

from .decoder import BufDecoder
from .eventstream import EventStream, Int8, Int16, Int32, Int64
from .framings import Framings
from .sse import SSE

__all__ = [
    "SSE",
    "BufDecoder",
    "EventStream",
    "Framings",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "by_content_type",
    "get",
]

_built_in = Framings()
get = _built_in.get
by_content_type = _built_in.by_content_type
