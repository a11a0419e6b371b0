"""
Signatures of other vendors in a place meant for a dialect's own: a client stores it
unread and sends it back, and we take it out again before any provider sees it.
"""

from __future__ import annotations

import re

from aigw.model.part import Signature

_PACKED = re.compile(r"aigw\.([a-z]+)\.(.*)", re.S)


def pack(signature: Signature, own: str) -> str:
    """The value as it is for the vendor ``own``, marked with its vendor for others."""
    if signature.vendor == own:
        return signature.value
    return f"aigw.{signature.vendor}.{signature.value}"


def unpack(value: str, own: str) -> Signature:
    """The inverse of :func:`pack`."""
    packed = _PACKED.fullmatch(value)
    return Signature(own, value) if packed is None else Signature(packed[1], packed[2])
