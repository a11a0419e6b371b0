"""What was measured, and what follows from it: values and pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from .cases import Case, Unit

#: What must be zero in each run of the load generator, and what it means if it is not.
FLAWS = {
    "integ": "corrupt streams",
    "err": "broken connections",
    "http": "answers with another status than 200",
    "connerr": "refused connections",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One measurement of one case at one peer.

    :ivar value: the figure in its case's unit; None where the run failed.
    :ivar extra: other figures of the run, by name.
    :ivar problem: why it failed, empty if it did not.
    """

    value: float | None
    extra: dict[str, float] = field(default_factory=dict)
    problem: str = ""


def of_load(case: Case, result: dict[str, Any], direct: Sample | None = None) -> Sample:
    """
    The sample that a run of the load generator gives.

    A run with a single corrupt stream, broken connection or unexpected status has no
    figure: speed does not excuse it.

    :param result: what load.c printed.
    :param direct: the same case without a proxy, for cases that need it.
    """
    flaws = [f"{result[key]} {name}" for key, name in FLAWS.items() if result[key]]
    if flaws:
        return Sample(None, problem=f"{', '.join(flaws)}: {result['note']}")
    count = result["ok"] if case.unit is Unit.REQUEST else result["ev"]
    if not count:
        return Sample(None, problem="nothing was completed")
    extra = {"rate": count / result["secs"]}
    first = result["ttft"] or {}
    for name in ("p50", "p99"):
        if name in first:
            extra[f"first_token_{name}_us"] = first[name]
    if case.unit is not Unit.FIRST_TOKEN:
        return Sample(result["cpu"] / count * 1e6, extra)
    if direct is not None:
        for name in ("p50", "p99"):
            key = f"first_token_{name}_us"
            if key in direct.extra and key in extra:
                extra[f"added_{name}_us"] = extra[key] - direct.extra[key]
    added = extra.get("added_p50_us")
    if added is None:
        return Sample(extra.get("first_token_p50_us"), extra)
    return Sample(added, extra)


def middle(samples: Sequence[Sample]) -> Sample:
    """
    The median of several samples, each figure by itself; the first failure if one is.
    """
    for sample in samples:
        if sample.problem:
            return sample
    values = [sample.value for sample in samples if sample.value is not None]
    if not values:
        return Sample(None, problem="not measured")
    names = {name for sample in samples for name in sample.extra}
    extra = {
        name: median(s.extra[name] for s in samples if name in s.extra)
        for name in sorted(names)
    }
    return Sample(median(values), extra)


def spread(samples: Iterable[Sample]) -> float:
    """How far the largest value is above the smallest, as a part of the smallest."""
    values = [sample.value for sample in samples if sample.value]
    return max(values) / min(values) - 1 if len(values) > 1 else 0.0


def ratio(ours: Sample | None, theirs: Sample | None) -> float | None:
    """
    How much more of the case aigw does for the same: their figure over ours.

    Above 1, aigw needs less; None where one of the two is missing or not positive.
    """
    if ours is None or theirs is None:
        return None
    if not ours.value or not theirs.value or ours.value < 0 or theirs.value < 0:
        return None
    return theirs.value / ours.value
