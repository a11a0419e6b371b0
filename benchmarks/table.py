"""The table: what a run measured, as Markdown to read and JSON to keep. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .cases import ALL, Case
from .samples import Sample, middle, ratio, spread
from .targets import TARGETS, Figures

#: What a peer that cannot serve a case has in the table.
ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run.

    :ivar made: the day, ISO 8601.
    :ivar machine: what it ran on.
    :ivar versions: of each peer, by name, in the order of columns.
    :ivar settings: seconds and rounds.
    :ivar cases: those that ran, as they ran.
    :ivar samples: by case, by peer, one of each round.
    """

    made: str
    machine: Mapping[str, str | int]
    versions: Mapping[str, str]
    settings: Mapping[str, float]
    cases: Sequence[Case]
    samples: Mapping[str, Mapping[str, Sequence[Sample]]]

    @property
    def figures(self) -> Figures:
        """The medians, by case, by peer."""
        return {
            case: {peer: middle(several) for peer, several in peers.items()}
            for case, peers in self.samples.items()
        }


def number(value: float) -> str:
    """A figure with three significant digits, without an exponent."""
    if value == 0:
        return "0"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}"


def _cell(sample: Sample | None) -> str:
    if sample is None:
        return ABSENT
    if sample.value is None:
        return "**failed**"
    return number(sample.value)


def _times(value: float | None) -> str:
    return ABSENT if value is None else f"{number(value)} x"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _comparison(run: Run) -> list[str]:
    others = [name for name in run.versions if name != "aigw"]
    head = ["case", "figure", "aigw"]
    for name in others:
        head += [name, f"aigw / {name}"]
    lines = [_row(head), _row(["---", "---", *("---:" for _ in head[2:])])]
    figures = run.figures
    for case in run.cases:
        of_case = figures.get(case.name, {})
        ours = of_case.get("aigw")
        cells = [f"**{case.name}**: {case.title}", case.unit.value, _cell(ours)]
        for name in others:
            theirs = of_case.get(name)
            cells += [_cell(theirs), _times(ratio(ours, theirs))]
        lines.append(_row(cells))
    return lines


def _targets(figures: Figures) -> list[str]:
    lines = []
    for target in TARGETS:
        value = target.measured(figures)
        if value is None:
            continue
        bound = f"{'≤' if target.most else '≥'} {number(target.bound)}"
        verdict = "met" if target.met(figures) else "**missed**"
        lines.append(_row([target.text, number(value), bound, verdict]))
    if lines:
        lines[:0] = [
            _row(["target", "measured", "wanted", ""]),
            _row(["---", "---:", "---:", "---"]),
        ]
    return lines


def _remarks(run: Run) -> list[str]:
    lines = []
    for case, peers in run.samples.items():
        for peer, several in peers.items():
            problem = middle(several).problem
            if problem:
                lines.append(f"- {case}, {peer}: {problem}")
            elif spread(several) > 0.25:
                percent = round(spread(several) * 100)
                lines.append(f"- {case}, {peer}: rounds differ by {percent} %")
    return lines


def markdown(run: Run) -> str:
    """The tables of ratios and targets, with versions and machine, as Markdown."""
    about = ", ".join(f"{name} {value}" for name, value in run.versions.items())
    parts = [
        f"Measured {run.made}. {about}.",
        "Machine: {processor}, {cores} cores, {memory_gib} GiB, {kernel}.".format_map(
            run.machine
        ),
        "{rounds:g} rounds of {seconds:g} s, interleaved; medians. Less is better in "
        "every figure; a ratio above 1 x says that aigw needs less.".format_map(
            run.settings
        ),
        "\n".join(_comparison(run)),
    ]
    targets, remarks = _targets(run.figures), _remarks(run)
    if targets:
        parts.append("\n".join(targets))
    if remarks:
        parts.append("Remarks:\n\n" + "\n".join(remarks))
    return "\n\n".join(parts) + "\n"


def to_json(run: Run) -> str:
    """The whole run with every sample, as JSON."""
    value: dict[str, Any] = {
        "made": run.made,
        "machine": dict(run.machine),
        "versions": dict(run.versions),
        "settings": dict(run.settings),
        "cases": [
            {
                "name": case.name,
                "title": case.title,
                "figure": case.unit.value,
                "samples": {
                    peer: [asdict(sample) for sample in several]
                    for peer, several in run.samples.get(case.name, {}).items()
                },
            }
            for case in run.cases
        ],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Run:
    """
    The run that :func:`to_json` wrote, of cases that still are.

    :raises ValueError: it is not such a text.
    """
    value = json.loads(text)
    try:
        known = {case.name: case for case in ALL}
        return Run(
            value["made"],
            value["machine"],
            value["versions"],
            value["settings"],
            [known[c["name"]] for c in value["cases"] if c["name"] in known],
            {
                c["name"]: {
                    peer: [Sample(**sample) for sample in several]
                    for peer, several in c["samples"].items()
                }
                for c in value["cases"]
            },
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a run of the benchmark") from error
