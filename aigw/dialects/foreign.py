"""
Signatures in a place meant for others of a dialect's own: a client stores them unread
and sends them back, and we take them out again before any provider sees them.

Signatures of other vendors stand, marked, in the place of the own vendor's. Those of
tool calls, which only Gemini and chat completions have a place for, stand as redacted
reasoning *behind* the call: there a stream knows them. They name the call by its id,
since parallel calls may each be signed. Nothing is remembered between turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Final

from aigw.model.part import Part, Redacted, Signature, ToolCall

#: A vendor, and behind a colon which call it signed.
VENDOR: Final = r"[^.:]+(?::[0-9a-f]{16})?"

_VENDOR = re.compile(VENDOR, re.S)
_OTHER = re.compile(r"[.:]")
_PACKED = re.compile(rf"aigw\.({VENDOR})\.(.*)", re.S)


def word(vendor: str) -> str:
    """``vendor`` as it can stand in a mark; chat completions may name any."""
    return vendor if _VENDOR.fullmatch(vendor) else _OTHER.sub("_", vendor) or "_"


def pack(signature: Signature, own: str) -> str:
    """The value as it is for the vendor ``own``, marked with its vendor for others."""
    if signature.vendor == own:
        return signature.value
    return f"aigw.{word(signature.vendor)}.{signature.value}"


def unpack(value: str, own: str) -> Signature:
    """The inverse of :func:`pack`."""
    packed = _PACKED.fullmatch(value)
    return Signature(own, value) if packed is None else Signature(packed[1], packed[2])


def of_call(signature: Signature, id: str) -> Signature:
    """
    The signature of a call as it stands on its own; no vendor takes it for one.

    :param id: the call's, as the client is told it.
    """
    return Signature(f"{word(signature.vendor)}:{_digest(id)}", signature.value)


def bound(parts: Iterable[Part]) -> tuple[Part, ...]:
    """
    The parts of one turn, each signature made by :func:`of_call` on its own call again.
    One whose call is not there stays as it is: every target drops it.
    """
    given = tuple(parts)
    loose = {
        part.signature.vendor.partition(":")[2]: part
        for part in given
        if isinstance(part, Redacted) and ":" in part.signature.vendor
    }
    if not loose:
        return given
    kept: list[Part] = []
    taken: list[Redacted] = []
    for part in given:
        if isinstance(part, ToolCall) and part.signature is None:
            found = loose.get(_digest(part.id))
            if found is not None:
                taken.append(found)
                vendor = found.signature.vendor.partition(":")[0]
                signature = Signature(vendor, found.signature.value)
                part = replace(part, signature=signature)
        kept.append(part)
    return tuple(part for part in kept if part not in taken)


def _digest(id: str) -> str:
    return sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
