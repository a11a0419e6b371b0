"""
``$env://NAME``, ``$env://NAME/member``, ``${{NAME}}`` and ``${{NAME:=default}}`` in the
strings of a configuration. Replaced once: what a variable holds is never read again for
references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .source import scalar

_REFERENCE = re.compile(
    r"\$env://(?P<env>[A-Za-z0-9_]*)(?:/(?P<member>[A-Za-z0-9_.-]+))?"
    r"|\$\{\{\s*(?P<name>[A-Za-z0-9_]+)\s*(?:(?P<has>:=)(?P<default>.*?))?\}\}"
    r"|(?P<secret>\$secret://)"
    r"|(?P<broken>\$\{\{)",
    re.IGNORECASE | re.DOTALL,
)


def refers(text: str) -> bool:
    """Whether ``text`` holds a reference, right or wrong."""
    return _REFERENCE.search(text) is not None


def holds_secret(text: str) -> bool:
    """Whether ``text`` holds a reference of the kind meant for secrets."""
    return "$env://" in text.lower()


def resolve(text: str, environ: Mapping[str, str]) -> list[object]:
    """
    ``text`` with its references replaced.

    :returns: the string; and behind it, where ``text`` was one reference and nothing
        else, the YAML scalar that string reads as, if that is something else.
    :raises ValueError: a variable is missing, or the reference cannot be followed.
    """

    def replace(found: re.Match[str]) -> str:
        if found["secret"]:
            raise ValueError("$secret:// references are not supported; use $env://")
        if found["broken"]:
            raise ValueError("a ${{ that is neither ${{NAME}} nor ${{NAME:=default}}")
        if found["env"] is not None:
            return _variable(found["env"], found["member"], environ)
        name = found["name"]
        if name in environ:
            return environ[name]
        if found["has"]:
            return found["default"].strip()
        raise ValueError(f"the environment has no variable {name}")

    resolved = _REFERENCE.sub(replace, text)
    only = _REFERENCE.fullmatch(text)
    if only is None:
        return [resolved]
    read = scalar(resolved)
    return [resolved] if isinstance(read, str) else [resolved, read]


def _variable(name: str, member: str | None, environ: Mapping[str, str]) -> str:
    if not name:
        raise ValueError("$env:// must be followed by letters, digits and underscores")
    value = environ.get(name)
    if value is None:
        raise ValueError(f"the environment has no variable {name}")
    if not value:
        raise ValueError(f"the variable {name} is empty")
    if member is None:
        return value
    try:
        held = json.loads(value)
    except ValueError:
        held = None
    if not isinstance(held, dict) or member not in held:
        raise ValueError(
            f"the variable {name} holds no JSON object with the member {member};"
            f" to append text write ${{{{{name}}}}}/{member}"
        )
    found = held[member]
    return found if isinstance(found, str) else json.dumps(found)
