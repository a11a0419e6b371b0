"""
Plain objects into parts, with every problem found in one go.

msgspec stops at the first wrong field, so each field is converted by itself; a wrong
field is noted and left at its default (or, being required, takes its part with it), and
reading goes on.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, Final, get_args, get_origin

import msgspec

from .accepted import accepts, arms, bare, told
from .heirs import inherit
from .part import Check, Part, Shown
from .references import refers, resolve

_MAX_DEPTH: Final = 64


class _Wrong:
    def __repr__(self) -> str:
        return "WRONG"


#: What reading gives for a value that was found wrong; the problem is noted by then.
WRONG: Final = _Wrong()


class Reader:
    """
    Reads one file.

    :ivar dialects: provider name to the dialects it speaks, as far as that is known.
    :ivar problems: one line each, with the file, the field's path, the value found
        (secrets hidden) and what is accepted.
    :ivar warnings: one line for each field that is accepted and ignored.
    :ivar written: path to text of every string that held a reference.
    """

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        dialects: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.name = name
        self.environ = environ
        self.dialects = dialects or {}
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.written: dict[str, str] = {}
        self._wrong: set[str] = set()

    def problem(self, path: str, text: str) -> None:
        """Note that the field at ``path`` is wrong."""
        self._wrong.add(path)
        where = f"{path}: " if path else ""
        self.problems.append(f"{self.name}: {where}{text}")

    def warn(self, path: str, text: str) -> None:
        """Note what the operator should know of the field at ``path``."""
        self.warnings.append(f"{self.name}: {path}: {text}")

    def sound(self, path: str) -> bool:
        """Whether no problem was found at ``path`` or below it."""
        return not any(
            wrong == path or wrong.startswith((f"{path}.", f"{path}["))
            for wrong in self._wrong
        )

    def read(self, kind: Any, value: Any, path: str, shown: Shown | None = None) -> Any:
        """
        ``value`` as a ``kind``, or WRONG.

        :param kind: a Part, or the type of a part's field.
        :param path: where it stands, as ``routes[0].plugins``.
        :param shown: how it is printed, where it stands inside something secret.
        """
        inner, extras = bare(kind)
        for extra in extras:
            if isinstance(extra, Shown):
                shown = extra
        members = [arm for arm in arms(kind) if arm is not type(None)]
        if len(members) < len(arms(kind)) and self._unset(value):
            return None
        if len(members) == 1 and members[0] is not kind:
            found = self.read(members[0], value, path, shown)
        elif isinstance(value, dict | list):
            found = self._container(kind, inner, value, path, shown)
        else:
            found = self._scalar(kind, value, path, shown)
        if found is not WRONG:
            for extra in extras:
                if isinstance(extra, Check) and not self._passes(
                    extra, found, value, path, shown
                ):
                    return WRONG
        return found

    def _unset(self, value: Any) -> bool:
        """Whether an optional field is left out: null, or a reference to nothing."""
        if isinstance(value, str) and refers(value):
            try:
                return resolve(value, self.environ)[-1] is None
            except ValueError:
                return False  # told when it is read
        return value is None

    def _passes(
        self, check: Check, found: Any, value: Any, path: str, shown: Shown | None
    ) -> bool:
        try:
            check.test(found)
        except ValueError as error:
            self.problem(
                path,
                f"found {told(value, shown)}: {error}; accepted: {check.bounds}",
            )
            return False
        return True

    def _mismatch(self, kind: Any, value: Any, path: str, shown: Shown | None) -> Any:
        # A string where an object belongs (auth: sk-…) is not worth quoting.
        inner = bare(kind)[0]
        nested = _is_part(kind) or get_origin(inner) in (dict, list, tuple)
        text = isinstance(value, str)
        found = "a string" if nested and text else told(value, shown)
        self.problem(path, f"found {found}; accepted: {accepts(kind)}")
        return WRONG

    def _container(
        self, kind: Any, inner: Any, value: Any, path: str, shown: Shown | None
    ) -> Any:
        origin = get_origin(inner)
        if inner is Any:
            return self._anything(value, path, 0)
        if isinstance(value, dict):
            if isinstance(inner, type) and issubclass(inner, Part):
                return self._part(inner, value, path, shown)
            if origin is dict:
                return self._mapping(kind, inner, value, path, shown)
        elif origin in (list, tuple):
            item_kind = get_args(inner)[0]
            items = [
                self.read(item_kind, item, f"{path}[{index}]", shown)
                for index, item in enumerate(value)
            ]
            if _is_part(item_kind):
                return tuple(items)  # wrong ones too: the others keep their index
            if WRONG in items:
                return WRONG
            return self._convert(kind, [items], value, path, shown)
        return self._mismatch(kind, value, path, shown)

    def _mapping(
        self,
        kind: Any,
        inner: Any,
        value: dict[str, Any],
        path: str,
        shown: Shown | None,
    ) -> Any:
        key_kind, value_kind = get_args(inner)
        found = {}
        for key, item in value.items():
            try:
                msgspec.convert(key, key_kind)
            except msgspec.ValidationError:
                name = "a name" if shown else f"the name {key[:64]!r}"
                self.problem(path, f"{name} is not accepted: {accepts(kind)}")
                continue
            got = self.read(value_kind, item, _join(path, key), shown)
            if got is not WRONG:
                found[key] = got
        return found

    def _part(
        self, kind: type[Part], value: dict[str, Any], path: str, shown: Shown | None
    ) -> Any:
        fields = _fields(kind)
        values: dict[str, Any] = {}
        complete = True
        for key, item in value.items():
            field = fields.get(key)
            if field is None:
                self._stranger(kind, key, item, _join(path, key), fields)
                continue
            if item is None and not field.required and _is_part(field.type):
                continue  # "log:" with everything below it commented out
            got = self.read(field.type, item, _join(path, key), shown)
            if got is not WRONG:
                values[field.name] = got
            elif field.required:
                complete = False
        for name, field in fields.items():
            if field.required and name not in value:
                complete = False
                self.problem(
                    _join(path, name), f"missing; accepted: {accepts(field.type)}"
                )
        if not complete:
            return WRONG
        if kind.heirs and kind.heirs in values:
            # As they are from here on, and as the file is shown.
            giver = kind(**values)
            values[kind.heirs] = tuple(
                inherit(item, given, giver) if isinstance(item, Part) else item
                for item, given in zip(
                    values[kind.heirs], value[kind.heirs], strict=True
                )
            )
        return kind(**values)

    def _stranger(
        self, kind: type[Part], key: str, item: Any, path: str, fields: Iterable[str]
    ) -> None:
        """A field that the part does not have."""
        if key in kind.ignored:
            self.warn(path, "accepted and ignored")
        elif key in kind.refused:
            if not (kind.disableable and _disabled(item)):
                self.problem(path, kind.refused[key])
        else:
            names = sorted({*fields, *kind.ignored, *kind.refused})
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else _listed(sorted(fields))
            self.problem(path, f"unknown field; {hint}")

    def _scalar(self, kind: Any, value: Any, path: str, shown: Shown | None) -> Any:
        candidates = self._resolved(value, path)
        if not candidates:
            return WRONG
        if bare(kind)[0] is Any:
            return candidates[-1]
        return self._convert(kind, candidates, value, path, shown)

    def _convert(
        self,
        kind: Any,
        candidates: Iterable[Any],
        value: Any,
        path: str,
        shown: Shown | None,
    ) -> Any:
        for candidate in candidates:
            try:
                return msgspec.convert(candidate, kind)
            except msgspec.ValidationError:
                continue
        return self._mismatch(kind, value, path, shown)

    def _resolved(self, value: Any, path: str) -> list[Any]:
        """What a scalar may stand for, the text itself first; empty if it is wrong."""
        if not isinstance(value, str):
            return [value]
        found: list[Any] = [value]
        try:
            if refers(value):
                self.written[path] = value
                found = resolve(value, self.environ)
            # Escapes in a file and bytes in the environment can be half a character.
            found[0].encode()
        except UnicodeEncodeError:
            self.problem(path, "holds what is no Unicode text")
            return []
        except ValueError as error:
            self.problem(path, str(error))
            return []
        return found

    def _anything(self, value: Any, path: str, depth: int) -> Any:
        """A free-form value with the references in it replaced."""
        if depth > _MAX_DEPTH:
            self.problem(path, f"nested deeper than {_MAX_DEPTH} levels")
            return None
        if isinstance(value, dict):
            return {
                key: self._anything(item, _join(path, key), depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [
                self._anything(item, f"{path}[{index}]", depth + 1)
                for index, item in enumerate(value)
            ]
        candidates = self._resolved(value, path)
        return candidates[-1] if candidates else None


@cache
def _fields(kind: type[Part]) -> dict[str, msgspec.structs.FieldInfo]:
    """A part's fields by the names they have in a file."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_part(kind: Any) -> bool:
    return isinstance(inner := bare(kind)[0], type) and issubclass(inner, Part)


def _disabled(plugin: Any) -> bool:
    meta = plugin.get("_meta") if isinstance(plugin, dict) else None
    return isinstance(meta, dict) and meta.get("disable") is True


def _listed(names: list[str]) -> str:
    return f"accepted: {', '.join(names)}" if names else "nothing is accepted here"
