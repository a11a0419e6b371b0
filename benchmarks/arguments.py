"""The command line of ``python -m benchmarks``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cases import Case, chosen, scaled
from .run import Pace

_QUICK = Pace(seconds=1.5, warmup=1.0, rounds=3)
_FULL = Pace(seconds=3.0, warmup=1.5, rounds=5)

#: Those that are always compared, and those that ``BENCH_PEERS=1`` adds.
ALWAYS = ("aigw", "nginx")
ADDED = ("envoy", "portkey", "litellm")


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to run.

    :ivar peers: names, in the order of the table's columns.
    :ivar install: whether missing peers are installed.
    :ivar optional: names of peers that are left out where they are not installed.
    :ivar save: the name of the files under ``results/``; empty saves none there.
    """

    cases: tuple[Case, ...]
    peers: tuple[str, ...]
    optional: frozenset[str]
    install: bool
    pace: Pace
    save: str


def parse(
    arguments: Sequence[str], environ: Mapping[str, str], most_files: int
) -> Plan:
    """
    The plan that the command line asks for.

    :param environ: where ``BENCH_PEERS`` is looked up.
    :param most_files: descriptors a process may have; bounds the open streams.
    :raises SystemExit: it is wrong; argparse has said what.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure aigw beside other proxies and print the table.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="four cases, in under two minutes"
    )
    parser.add_argument(
        "--peers",
        default="",
        help=f"comma-separated names of {', '.join(ALWAYS + ADDED)}",
    )
    parser.add_argument("--cases", default="", help="comma-separated names of cases")
    parser.add_argument("--rounds", type=int, help="samples a case and peer")
    parser.add_argument("--seconds", type=float, help="seconds a sample")
    parser.add_argument(
        "--save", default="", metavar="NAME", help="keep it as results/NAME.json, .md"
    )
    given = parser.parse_args(arguments)
    pace = _QUICK if given.quick else _FULL
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds must be at least 1")
    if given.seconds is not None and given.seconds <= 0:
        parser.error("--seconds must be more than 0")
    if "/" in given.save or given.save.startswith("."):
        parser.error("--save takes a name, not a path")
    named = [name for name in given.peers.split(",") if name]
    unknown = sorted(set(named) - set(ALWAYS + ADDED))
    if unknown:
        parser.error(f"no such peer: {', '.join(unknown)}")
    everyone = environ.get("BENCH_PEERS", "") not in ("", "0")
    peers = ALWAYS + (ADDED if everyone else ("envoy",))
    if named:
        peers = tuple(name for name in ALWAYS + ADDED if name in named)
    try:
        cases = chosen([name for name in given.cases.split(",") if name], given.quick)
    except ValueError as error:
        parser.error(str(error))
    return Plan(
        cases=tuple(scaled(case, most_files) for case in cases),
        peers=peers,
        optional=frozenset() if named or everyone else frozenset({"envoy"}),
        install=everyone or bool(named),
        pace=Pace(
            seconds=given.seconds or pace.seconds,
            warmup=pace.warmup,
            rounds=given.rounds or pace.rounds,
        ),
        save=given.save,
    )
