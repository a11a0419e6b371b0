"""JSON Schema as OpenAI's strict mode demands it."""

from __future__ import annotations

from typing import Any

import msgspec

_LISTS = ("anyOf", "oneOf", "allOf")
_MAPS = ("properties", "$defs", "definitions")


def strict(raw: bytes) -> bytes:
    """
    A schema in which every object with ``properties`` allows no others and requires all
    of them, at every depth; ``raw`` itself where it cannot be read.
    """
    try:
        schema = msgspec.json.decode(raw)
        return msgspec.json.encode(_strict(schema))
    except (msgspec.MsgspecError, RecursionError):
        return raw


def _strict(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for name in _MAPS:
        inner = result.get(name)
        if isinstance(inner, dict):
            result[name] = {key: _strict(value) for key, value in inner.items()}
    for name in _LISTS:
        several = result.get(name)
        if isinstance(several, list):
            result[name] = [_strict(value) for value in several]
    items = result.get("items")
    if isinstance(items, list):
        result["items"] = [_strict(value) for value in items]
    elif isinstance(items, dict):
        result["items"] = _strict(items)
    properties = result.get("properties")
    if isinstance(properties, dict):
        result["additionalProperties"] = False
        result["required"] = sorted(properties)
    return result
