"""Cheap looks at single top-level fields of a request, whatever stands in them."""

from __future__ import annotations

import msgspec

from aigw.model.envelope import Envelope

_strings = msgspec.json.Decoder(str)
_lists = msgspec.json.Decoder(list[msgspec.Raw])


def raw(envelope: Envelope, name: str) -> msgspec.Raw | None:
    """The field's raw JSON, or None."""
    return None if envelope.fields is None else envelope.fields.get(name)


def opens(envelope: Envelope, name: str, openers: bytes) -> bool:
    """Whether the field is there and its JSON begins with one of ``openers``."""
    value = raw(envelope, name)
    # The field may be a prompt of megabytes; only its first byte is copied.
    return value is not None and bytes(memoryview(value)[:1]) in openers


def string(envelope: Envelope, name: str) -> str:
    """The field where it is a string, else ``""``."""
    value = raw(envelope, name)
    if value is None:
        return ""
    try:
        return _strings.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def length(envelope: Envelope, name: str) -> int:
    """How many items the field has where it is an array, else 0."""
    value = raw(envelope, name)
    if value is None:
        return 0
    try:
        return len(_lists.decode(value))
    except (msgspec.MsgspecError, RecursionError):
        return 0
