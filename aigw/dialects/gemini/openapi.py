"""
Google's ``Schema`` (https://ai.google.dev/api/caching#Schema), a part of OpenAPI 3.0,
as the JSON Schema that all others take.
"""

from __future__ import annotations

from typing import Any

import msgspec

_COUNTS = ("minItems maxItems minProperties maxProperties minLength maxLength").split()


def json_schema(raw: bytes) -> bytes:
    """``raw`` itself where it is JSON Schema already, or cannot be read."""
    try:
        schema = msgspec.json.decode(raw)
        found = _converted(schema)
        return raw if found == schema else msgspec.json.encode(found)
    except (msgspec.MsgspecError, RecursionError):
        return raw


def _converted(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    kind = result.get("type")
    if isinstance(kind, str):
        result["type"] = kind = kind.lower()
        if kind == "type_unspecified":
            del result["type"]
    if isinstance(result.get("nullable"), bool):
        if result.pop("nullable") and isinstance(kind, str):
            result["type"] = [kind, "null"]
    result.pop("propertyOrdering", None)
    for name in _COUNTS:  # int64 is a string in the protocol's JSON
        value = result.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            result[name] = int(value)
    properties = result.get("properties")
    if isinstance(properties, dict):
        inner = {name: _converted(value) for name, value in properties.items()}
        result["properties"] = inner
    if "items" in result:
        result["items"] = _converted(result["items"])
    several = result.get("anyOf")
    if isinstance(several, list):
        result["anyOf"] = [_converted(value) for value in several]
    return result
