"""
Redacted reasoning: bytes, which JSON has in base64. Claude's are the very text that
Anthropic's own API calls ``redacted_thinking.data``; other models' may be anything.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

from aigw.dialects import foreign
from aigw.dialects.claude import VENDOR
from aigw.model.part import Signature

#: The vendor of what only Bedrock itself can read; its value is the base64.
BEDROCK: Final = "bedrock"


def read(wire: str, vendor: str = VENDOR) -> Signature:
    """
    The signature that ``redactedContent`` is.

    :param vendor: whose the model is.
    """
    if vendor == VENDOR:
        try:
            data = b64decode(wire, validate=True)
            text = data.decode()
        except (Error, ValueError):
            return Signature(BEDROCK, wire)
        if b64encode(data).decode() == wire:
            return foreign.unpack(text, VENDOR)
    return Signature(BEDROCK, wire)


def written(signature: Signature) -> str:
    """The inverse of :func:`read`."""
    if signature.vendor == BEDROCK:
        return signature.value
    packed = foreign.pack(signature, VENDOR).encode("utf-8", "replace")
    return b64encode(packed).decode()


def joined(pieces: list[str]) -> str:
    """Pieces of one block, each base64 of its own, as one."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        whole = b"".join([b64decode(piece, validate=True) for piece in pieces])
    except (Error, ValueError):
        return "".join(pieces)
    return b64encode(whole).decode()
