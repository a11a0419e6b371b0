"""
Taking a request's JSON object apart, field by field, and putting one together.

Values nobody asks for are never decoded; what is left at the end is the rider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

import msgspec

from aigw.errors import UNREADABLE, BadRequest
from aigw.model.part import Rider

_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_strings = msgspec.json.Decoder(str)
_numbers = msgspec.json.Decoder(int | float)
_integers = msgspec.json.Decoder(int)
_booleans = msgspec.json.Decoder(bool)
_string_lists = msgspec.json.Decoder(list[str])


def wrong(path: str, expected: str) -> NoReturn:
    """:raises BadRequest: always; names the path and what was expected there."""
    raise BadRequest(f"{path}: {expected} is expected", key="error_msg")


def items(raw: bytes | msgspec.Raw, path: str) -> list[msgspec.Raw]:
    """The items of an array; :raises BadRequest: it is none."""
    try:
        return _lists.decode(raw)
    except UNREADABLE:
        wrong(path, "an array")


def opens_with(raw: bytes | msgspec.Raw, opener: bytes) -> bool:
    """Whether raw JSON is an object (``{``), an array (``[``), a string (``"``)."""
    return memoryview(raw)[:1] == opener


class JSONObject:
    """
    One object of a request. Each getter takes the field out and returns its value, None
    where it is absent or null.

    :ivar path: where it stands in the body, for error messages.
    :raises BadRequest: from the constructor and every getter, for a wrong type.
    """

    __slots__ = ("_fields", "_inner", "path")

    def __init__(
        self, raw: bytes | msgspec.Raw | Mapping[str, msgspec.Raw], path: str
    ) -> None:
        self.path = path
        self._inner: list[tuple[str, JSONObject]] = []
        if isinstance(raw, Mapping):
            self._fields = dict(raw)
            return
        try:
            self._fields = _objects.decode(raw)
        except UNREADABLE:
            wrong(path or "body", "an object")

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> bytes | None:
        """The field's JSON."""
        raw = self._fields.pop(name, None)
        if raw is None:
            return None
        value = bytes(raw)
        return None if value == b"null" else value

    def whole(self) -> bytes:
        """The object as it stands now, as JSON."""
        return msgspec.json.encode(self._fields)

    def look(self, name: str) -> bytes | None:
        """The field's JSON; it stays."""
        raw = self._fields.get(name)
        return None if raw is None else bytes(raw)

    def string(self, name: str) -> str | None:
        value: str | None = self._decode(name, _strings, "a string")
        return value

    def number(self, name: str) -> float | None:
        value: float | None = self._decode(name, _numbers, "a number")
        return value

    def integer(self, name: str) -> int | None:
        value: int | None = self._decode(name, _integers, "an integer")
        return value

    def boolean(self, name: str) -> bool | None:
        value: bool | None = self._decode(name, _booleans, "true or false")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        value = self._decode(name, _string_lists, "an array of strings")
        return () if value is None else tuple(value)

    def object(self, name: str) -> Self | None:
        """A nested object; what is left of it at the end belongs to the rider."""
        raw = self.raw(name)
        if raw is None:
            return None
        inner = type(self)(raw, self.at(name))
        self._inner.append((name, inner))
        return inner

    def objects(self, name: str) -> list[Self]:
        """The objects of an array; what is left of each is its own affair."""
        raw = self.raw(name)
        if raw is None:
            return []
        path = self.at(name)
        return [
            type(self)(item, f"{path}[{index}]")
            for index, item in enumerate(items(raw, path))
        ]

    def rest(self) -> Rider:
        """What nobody took, nested objects included."""
        rider: list[tuple[tuple[str, ...], bytes]] = [
            ((name,), bytes(raw)) for name, raw in self._fields.items()
        ]
        for name, inner in self._inner:
            rider += [((name, *path), raw) for path, raw in inner.rest()]
        return tuple(rider)

    def _decode(self, name: str, decoder: Any, expected: str) -> Any:
        raw = self.raw(name)
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except UNREADABLE:
            wrong(self.at(name), expected)


def graft(target: dict[str, Any], rider: Rider) -> None:
    """Put ``rider`` back into an object being built; what stands there stays."""
    for path, raw in rider:
        inner = target
        for name in path[:-1]:
            deeper = inner.setdefault(name, {})
            if not isinstance(deeper, dict):
                break
            inner = deeper
        else:
            inner.setdefault(path[-1], msgspec.Raw(raw))
