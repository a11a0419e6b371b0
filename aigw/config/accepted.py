"""What a field accepts, and what was found, in words: for errors and documentation."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta

from .part import Check, Part, Shown
from .references import refers

_NAMES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "true or false",
    type(None): "null",
    Any: "anything",
}
_PLURALS = {"string": "strings", "integer": "integers", "object": "objects"}


def bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without its annotations, and those."""
    if get_origin(kind) is Annotated:
        inner, *extras = get_args(kind)
        return inner, tuple(extras)
    return kind, ()


def arms(kind: Any) -> tuple[Any, ...]:
    """The members of a union; any other type is its own only one."""
    inner, _ = bare(kind)
    if get_origin(inner) in (Union, types.UnionType):
        return get_args(inner)
    return (kind,)


def words(kind: Any) -> tuple[str, str]:
    """
    A type's name and its bounds, each in words.

    >>> words(Annotated[int, Meta(ge=1)])
    ('integer', 'at least 1')
    """
    inner, extras = bare(kind)
    members = arms(kind)
    if len(members) > 1:
        pairs = [words(member) for member in members if member is not type(None)]
        name = " or ".join(dict.fromkeys(name for name, _ in pairs))
        inherited = [bounds for _, bounds in pairs if bounds]
    else:
        name, inherited = _one(inner)
    own = [extra.bounds for extra in extras if isinstance(extra, Check)]
    own += [_bounds(extra) for extra in extras if isinstance(extra, Meta)]
    return name, "; ".join(text for text in (*inherited, *own) if text)


def accepts(kind: Any) -> str:
    """Type and bounds in one phrase."""
    name, bounds = words(kind)
    return f"{name} ({bounds})" if bounds else name


def _one(inner: Any) -> tuple[str, list[str]]:
    origin = get_origin(inner)
    if origin is Literal:
        choices = get_args(inner)
        name = "string" if isinstance(choices[0], str) else "integer"
        return name, [", ".join(map(str, choices))]
    if origin in (list, tuple):
        name, bounds = words(get_args(inner)[0])
        return f"list of {_PLURALS.get(name, name)}", [bounds]
    if origin is dict:
        key, value = get_args(inner)
        _, names = words(key)
        of, bounds = words(value)
        name = "object" if of == "anything" else f"object of {_PLURALS.get(of, of)}"
        return name, [names and f"names: {names}", bounds]
    if isinstance(inner, type) and issubclass(inner, Part):
        return "object", []
    return _NAMES[inner], []


def _bounds(meta: Meta) -> str:
    if meta.pattern is not None:
        return f"matches {meta.pattern}"
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge} to {meta.le}"
    if meta.ge is not None:
        return f"at least {meta.ge}"
    if meta.min_length == 1 and meta.max_length is None:
        return "not empty"
    if meta.min_length is not None and meta.max_length is not None:
        return f"{meta.min_length} to {meta.max_length} long"
    return ""


def told(value: Any, shown: Shown | None) -> str:
    """A value found, as an error may say it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and refers(value):
        # As it was written: what a variable holds may be a secret by itself.
        return repr(shown.text(value) if shown else value)
    text = shown.text(value) if shown else value
    quoted = repr(text)
    return quoted if len(quoted) <= 80 else f"{quoted[:76]}…'"
