"""
The table "Who may import whom" of docs/architecture.md is true: every import of every
module of aigw, at its top or inside a function, is allowed by it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
_ROW = re.compile(r"^\| (\d+|none) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
_WORD = re.compile(r"`([\w.]+)`")

#: The interfaces whose providers do not know each other, by room, and the modules of
#: the room that list them.
STRANGERS = {
    "framing": ({"IFraming"}, {"aigw.framing", "aigw.framing.framings"}),
    "dialects": (
        {"IDialect", "IChatDialect"},
        {"aigw.dialects", "aigw.dialects.detect"},
    ),
    "providers": ({"IProvider"}, {"aigw.providers"}),
}


@dataclass(frozen=True)
class Import:
    """``module`` imports ``name``, a module or something in one."""

    module: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


@dataclass(frozen=True)
class Row:
    """
    One row of the table, or the part of one on one side of a ``<``; ``rank`` is None
    for what stands outside.
    """

    rank: float | None
    rooms: frozenset[str]
    outside: frozenset[str]


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(ROOT.glob("aigw/**/*.py"))}


def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imports_of(module: str) -> Iterator[Import]:
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            for alias in node.names:
                yield Import(module, f"{base}.{alias.name}", node.lineno)


IMPORTS = [found for module in MODULES for found in imports_of(module)]


def ours(name: str) -> str | None:
    """The module of aigw that ``name`` is, or stands in; None if it is not ours."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def rows() -> list[Row]:
    section = PAGE.read_text().split("## Who may import whom", 1)[1].split("\n## ")[0]
    return [
        Row(
            None if rank == "none" else int(rank) + step / 10,
            frozenset(_WORD.findall(rooms)),
            frozenset(_WORD.findall(outside)),
        )
        for rank, several, outside in _ROW.findall(section)
        for step, rooms in enumerate(several.split("<"))
    ]


TABLE = rows()
ROOMS = {room: row for row in TABLE for room in row.rooms}


def room_of(module: str) -> str:
    """The room of a module, where one of its own is named that one."""
    parts = module.split(".")[1:]
    own = ".".join(parts[:2])
    return own if own in ROOMS else parts[0]


def test_the_page_has_a_table_with_each_room_once() -> None:
    assert [row.rank for row in TABLE] == [0, 0.1, *range(1, 8), None]
    named = [room for row in TABLE for room in row.rooms]
    assert len(named) == len(set(named))
    assert {ours(f"aigw.{room}") for room in named} == {
        f"aigw.{room}" for room in named
    }, "the table names a room that is not there"


def test_every_module_stands_in_a_room_of_the_table() -> None:
    lost = [name for name in MODULES if name != "aigw" and room_of(name) not in ROOMS]
    assert not lost, f"no rank in {PAGE.name}: {', '.join(lost)}"


def test_imports_go_downward_only() -> None:
    wrong = [str(found) for found in IMPORTS if not allowed(found)]
    assert not wrong, "\n".join(wrong)


def allowed(found: Import) -> bool:
    """Whether the table lets a module import one of ours."""
    target = ours(found.name)
    if target is None or "aigw" in (target, found.module):
        return True  # the package itself holds nothing but its version
    here, there = room_of(found.module), room_of(target)
    above, below = ROOMS[here].rank, ROOMS[there].rank
    if here == there:
        return True
    if above is None:
        return False
    if below is None:
        return above >= 6
    if here.split(".")[0] == there.split(".")[0]:
        # Within a folder, where some modules are purer than the others.
        return above >= below
    return above > below


def test_packages_from_outside_are_those_of_the_rank() -> None:
    wrong = []
    for found in IMPORTS:
        if ours(found.name) or found.name.split(".")[0] in sys.stdlib_module_names:
            continue
        outside = ROOMS[room_of(found.module)].outside
        if not any(f"{found.name}.".startswith(f"{name}.") for name in outside):
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_the_reactor_is_imported_by_the_two_entry_points_alone() -> None:
    importing = {
        found.module
        for found in IMPORTS
        if found.name.startswith("twisted.internet.reactor")
    }
    assert importing <= {"aigw.tap", "aigw.cli"}
    assert "aigw.tap" in importing


def test_the_drop_in_is_light() -> None:
    """Twisted imports it to list plugins, for whatever command."""
    script = (
        "import sys; import twisted.plugins.aigw_plugin as drop_in\n"
        "heavy = {'twisted.internet.reactor', 'twisted.internet.endpoints'}\n"
        "ours = {name for name in sys.modules if name.split('.')[0] == 'aigw'}\n"
        "print(sorted(ours - {'aigw', 'aigw.reuse'}), heavy & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert run.stdout == "[] set()\n"


def provides(module: str, interfaces: set[str]) -> bool:
    """Whether a class of ``module`` is declared to provide one of ``interfaces``."""
    return any(
        isinstance(node, ast.ClassDef)
        and any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "implementer"
            and {name.id for name in call.args if isinstance(name, ast.Name)}
            & interfaces
            for call in node.decorator_list
        )
        for node in ast.walk(parsed(module))
    )


def member(module: str) -> str:
    """``aigw.dialects.openai_chat.tap`` belongs to ``aigw.dialects.openai_chat``."""
    return ".".join(module.split(".")[:3])


@pytest.mark.parametrize("room", STRANGERS)
def test_those_of_one_kind_do_not_know_each_other(room: str) -> None:
    interfaces, lists = STRANGERS[room]
    strangers = {
        member(module)
        for module in MODULES
        if module.startswith(f"aigw.{room}.") and provides(module, interfaces)
    }
    assert strangers
    wrong = []
    for found in IMPORTS:
        target = member(ours(found.name) or "")
        if target not in strangers or found.module in lists:
            continue
        if member(found.module) != target:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)
