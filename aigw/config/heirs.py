"""What an item of a list takes over from the object that holds the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .part import Part


def inherit(heir: Part, written: Any, giver: Part) -> Part:
    """
    ``heir`` with the fields it shares with ``giver`` and that nobody wrote for it; of
    an object that was written in part, the rest.

    :param written: the plain object that ``heir`` was read from.
    """
    if not isinstance(written, Mapping):
        return heir
    shared = {field.name for field in msgspec.structs.fields(giver)}
    changed: dict[str, Any] = {}
    for field in msgspec.structs.fields(heir):
        if field.name not in shared:
            continue
        given, own = getattr(giver, field.name), getattr(heir, field.name)
        item = written.get(field.encode_name)
        if item is None:
            changed[field.name] = given
        elif isinstance(own, Part) and isinstance(given, Part):
            changed[field.name] = inherit(own, item, given)
    return msgspec.structs.replace(heir, **changed)
