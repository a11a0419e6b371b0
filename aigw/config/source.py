"""
The text of a configuration file as plain objects: YAML (1.2 core scalars, so that
``no`` is a word and ``1e-3`` a number) or JSON. Keys are strings; repeated ones are
refused, because two readers would disagree about what they mean.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, ClassVar, NoReturn

import yaml

_STR = "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    # Its own, empty at first: what YAML 1.1 adds (yes, 1:30, dates) must not come in.
    yaml_implicit_resolvers = {}  # noqa: RUF012
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse(key, "a key must be a plain string")
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            key.tag = _STR  # 1:, null: and true: name fields, as in JSON
            if key.value in seen:
                _refuse(key, f"the key {key.value[:64]!r} is repeated")
            seen.add(key.value)
        self.flatten_mapping(node)
        return super().construct_mapping(node, deep=deep)


def _refuse(node: yaml.Node, why: str) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, why, node.start_mark)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _number(loader: _Loader, node: yaml.ScalarNode) -> float | str:
    number = float(node.value)
    return number if math.isfinite(number) else str(node.value)


_PLAIN: tuple[tuple[str, str, str, Any], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN\0", yaml.SafeLoader.construct_yaml_null),
    (
        "bool",
        r"true|True|TRUE|false|False|FALSE",
        "tTfF",
        lambda loader, node: node.value.lower() == "true",
    ),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789", _integer),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
        _number,
    ),
    ("merge", r"<<", "<", None),
)

for _name, _pattern, _first, _construct in _PLAIN:
    _tag = f"tag:yaml.org,2002:{_name}"
    _starts = ["" if start == "\0" else start for start in _first]
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _starts)
    if _construct is not None:
        _Loader.add_constructor(_tag, _construct)
for _name in ("str", "seq", "map"):
    _Loader.add_constructor(
        f"tag:yaml.org,2002:{_name}",
        getattr(yaml.SafeLoader, f"construct_yaml_{_name}"),
    )
_Loader.add_constructor(
    None, lambda loader, node: _refuse(node, f"the tag {node.tag[:64]} is not accepted")
)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:64]!r} is repeated")
            seen.add(key)
    return fields


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:32]} is out of range")
    return number


def parse(data: bytes, *, as_json: bool = False) -> Any:
    """
    The objects that ``data`` describes.

    :param as_json: whether only JSON will do; else YAML, which a text that begins with
        ``{`` and is JSON need not be put through.
    :raises ValueError: what is wrong and where, without quoting the text around it,
        which may be a secret.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error
    if as_json or text.lstrip()[:1] == "{":
        try:
            return json.loads(
                text,
                object_pairs_hook=_once,
                parse_constant=_constant,
                parse_float=_finite,
            )
        except json.JSONDecodeError as error:
            if as_json:
                where = f"line {error.lineno}, column {error.colno}"
                raise ValueError(f"{where}: not JSON: {error.msg}") from error
        except RecursionError as error:
            raise ValueError("nested too deep") from error
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        told = error.problem or error.context or ""
        if "'\\t'" in told:
            told += "; YAML is indented with blanks"
        raise ValueError(f"{where}{told}") from error
    except yaml.YAMLError as error:
        position = getattr(error, "position", None)
        raise ValueError(f"not YAML: unreadable character at {position}") from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def scalar(text: str) -> Any:
    """``text`` read as one YAML scalar, as if it had been written in the file."""
    node = yaml.ScalarNode("", text)
    loader = _Loader("")
    try:
        tag = loader.resolve(  # type: ignore[no-untyped-call]  # the stubs' gap
            yaml.ScalarNode, text, (True, False)
        )
        node.tag = tag
        return text if node.tag.endswith(":merge") else loader.construct_object(node)
    finally:
        loader.dispose()
