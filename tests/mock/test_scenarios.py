"""The table of scenarios in docs/mock.md is the fixtures there are, in each dialect."""

from __future__ import annotations

from importlib.resources import files

from aigw.mock.knobs import NAMES

from .test_documented import PAGE

_SECTION = PAGE.read_text().partition("\n## Scenarios\n")[2].partition("\n## ")[0]
_CELLS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _SECTION.splitlines()
    if line.startswith("|")
]

DIALECTS = _CELLS[0][2:]
#: scenario to its cells, one for each dialect
ROWS = {cells[0].strip("`"): cells[2:] for cells in _CELLS[2:]}

#: What stands in a cell where there is no such thing.
NONE = "\N{EN DASH}"


def test_every_scenario_is_in_the_table_and_no_other() -> None:
    assert len(DIALECTS) == 5
    assert all(len(cells) == 5 for cells in ROWS.values())
    names = [file.name for file in files("aigw.mock").iterdir()]
    for place, dialect in enumerate(DIALECTS):
        told = {name for name, cells in ROWS.items() if cells[place] != NONE}
        held = {
            name.split(".")[1]
            for name in names
            if name.startswith(f"{dialect}.") and name.endswith(".json")
        }
        assert told == held, dialect


def test_every_dialect_has_the_common_scenarios() -> None:
    common = {"text", "tool", "tools", "thinking", "thinktools", "cached", "refusal"}
    for name in (*common, "length", "empty"):
        assert NONE not in ROWS[name], name


def test_no_scenario_is_named_as_a_knob() -> None:
    assert not NAMES & ROWS.keys()
