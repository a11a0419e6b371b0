"""
``docs/configuration.md`` and the JSON schema, made from the structs, so that neither
can say anything else than the code does.

``python -m aigw.config.document`` prints the page, with ``--schema`` the schema.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Meta

from .accepted import arms, bare, words
from .file import File
from .part import Part
from .variables import NAMES
from .vars import OPERATORS

_INTRODUCTION: Final = """\
# Configuration

<!-- Made by `python -m aigw.config.document > docs/configuration.md`; do not edit. -->

One file, YAML or JSON: `twist aigw --config FILE`. With `--check` it is only checked,
with `--check --print` also shown, defaults filled in and secrets hidden.

```yaml
routes:
- uri: /v1/chat/completions
  methods: [POST]
  plugins:
    ai-proxy:
      provider: openai
      auth: {header: {Authorization: "Bearer $env://OPENAI_API_KEY"}}
      options: {model: gpt-4o-mini}
```

Fields under `routes` and `consumers` are those of the reference's `ai-proxy` family;
what aigw adds is marked [new].

**Values.** `$env://NAME` and `$env://NAME/member` (a member of a JSON value) may stand
in any string, `${{NAME}}` and `${{NAME:=default}}` in any value; a value that is one
reference and nothing else is read again as a YAML scalar. A missing variable is an
error. Scalars are those of YAML 1.2's core schema: `no` is a word, `1e-3` a number.
Repeated keys are refused.

**Errors.** A wrong file is refused with every problem in it: the field's path, what was
found (secrets hidden) and what is accepted. A running gateway keeps the configuration
it has. A field or plugin of the reference that would identify, restrict, limit,
rewrite, moderate or route, and that this version does not have, refuses the file,
unless it is a plugin whose `_meta.disable` is true.

**Matching.** Hosts: exact before wildcard before none; paths: exact before the longest
prefix; then `priority`, then the order in the file; `vars` last. The path is
percent-decoded once; dot segments, empty segments, backslashes, and an encoded slash in
any segment but a model's id are refused with 400.

**vars.** A list of conditions that must all hold, each `[variable, operator, value]`,
or with `"!"` before the operator its contrary; or `AND`, `OR`, `!AND`, `!OR` followed
by such lists. Operators: {operators}. Variables: {variables}. `post_arg.*` is a path
into the JSON body, as `post_arg.messages[*].role`; `[*]` gathers a list for `has`.

`python -m aigw.config.document --schema` prints a JSON schema of the file.
"""


def page() -> str:
    """The whole page, Markdown."""
    introduction = _INTRODUCTION.replace(
        "{operators}", ", ".join(f"`{name}`" for name in OPERATORS)
    ).replace("{variables}", ", ".join(f"`{name}`" for name in NAMES))
    sections = [introduction]
    sections += [_section(path, part) for path, part in _parts("", File)]
    return "\n".join(sections)


def schema() -> dict[str, Any]:
    """The JSON schema of a file. References are strings, whatever they stand for."""
    made = msgspec.json.schema(File)
    for _, part in _parts("", File):
        properties = made["$defs"][part.__name__]["properties"]
        properties.update({name: {} for name in sorted(part.ignored)})
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return made


def _parts(path: str, part: type[Part]) -> Iterator[tuple[str, type[Part]]]:
    """Every part below ``part``, itself included, with its path."""
    yield path, part
    for field in msgspec.structs.fields(part):
        here = f"{path}.{field.encode_name}" if path else field.encode_name
        for arm in arms(field.type):
            inner, _ = bare(arm)
            if get_origin(inner) is tuple:
                inner, here = bare(get_args(inner)[0])[0], f"{here}[]"
            if isinstance(inner, type) and issubclass(inner, Part):
                yield from _parts(here, inner)


def _section(path: str, part: type[Part]) -> str:
    title = f"`{path}`" if path else "The file"
    lines = [f"## {title}", "", (part.__doc__ or "").strip(), ""]
    fields = msgspec.structs.fields(part)
    if fields:
        lines += [
            "| field | type | default | bounds | meaning |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(field) for field in fields]
        lines.append("")
    if part.ignored:
        lines += [f"Accepted and ignored: {_listed(part.ignored)}.", ""]
    if part.refused:
        lines += [f"Known and refused: {_listed(part.refused)}.", ""]
    return "\n".join(lines)


def _row(field: msgspec.structs.FieldInfo) -> str:
    name, bounds = words(field.type)
    meaning = "".join(
        extra.description
        for extra in bare(field.type)[1]
        if isinstance(extra, Meta) and extra.description
    )
    cells = (f"`{field.encode_name}`", name, _default(field), bounds, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "`{}`"
    if field.default is None:
        return "unset"
    if isinstance(field.default, Part):
        return "see below"
    return f"`{json.dumps(field.default)}`"


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def main(arguments: list[str]) -> None:
    """Print the page, or with ``--schema`` the JSON schema."""
    if arguments == ["--schema"]:
        sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main(sys.argv[1:])
