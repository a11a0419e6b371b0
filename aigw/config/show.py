"""
The effective configuration as YAML: defaults filled in, secrets hidden. A string that
held ``$env://`` is shown as it was written; a ``${{…}}`` as what it came to, unless its
field is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from .accepted import arms, bare
from .part import SECRET, Part, Shown
from .references import holds_secret
from .settings import Settings

#: A secret written as one reference: that may be shown, it is but a name.
_NAMED = re.compile(
    r"(?:(?:Bearer|Basic|Token) +)?"
    r"(?:\$env://[A-Za-z0-9_]+(?:/[A-Za-z0-9_.-]+)?|\$\{\{\s*[A-Za-z0-9_]+\s*\}\})\Z",
    re.IGNORECASE,
)

#: Names under which a free-form object probably holds a secret.
_TELLING = re.compile(
    r"(?i)api[-_]?key|secret|passw|authorization|credential|private[-_]?key"
    r"|access[-_]?key|(?:^|[-_])token\Z"
)


def show(settings: Settings) -> str:
    """``settings`` as a YAML file, without any secret; unset fields are left out."""
    tree = _part(settings.file, "", None, settings.written)
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return text


def _part(
    part: Part, path: str, shown: Shown | None, written: Mapping[str, str]
) -> dict[str, Any]:
    told = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if value is not None:
            here = f"{path}.{field.encode_name}" if path else field.encode_name
            told[field.encode_name] = _value(
                value, here, _shown(field.type) or shown, written
            )
    return told


def _shown(kind: Any) -> Shown | None:
    for each in (kind, *arms(kind)):
        for extra in bare(each)[1]:
            if isinstance(extra, Shown):
                return extra
    return None


def _value(
    value: Any, path: str, shown: Shown | None, written: Mapping[str, str]
) -> Any:
    if isinstance(value, Part):
        return _part(value, path, shown, written)
    if isinstance(value, dict):
        return {
            key: _value(
                item,
                f"{path}.{key}",
                shown or (SECRET if _TELLING.search(key) else None),
                written,
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _value(item, f"{path}[{index}]", shown, written)
            for index, item in enumerate(value)
        ]
    text = written.get(path)
    if shown is SECRET:
        return text if text is not None and _NAMED.match(text) else SECRET.text(value)
    if text is not None and holds_secret(text):
        value = text
    return value if shown is None else shown.text(value)
