"""``python -m benchmarks``: build, measure, print and save the table."""

from __future__ import annotations

import datetime
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import peers, tools
from .arguments import Plan, parse
from .machine import machine
from .peers import Peer
from .processes import Cores
from .run import Measurement, say
from .table import Run, markdown, to_json


def _present(plan: Plan) -> list[Peer]:
    """The peers to compare, installed where the plan says so."""
    present = []
    for peer in peers.ALL:
        if peer.name not in plan.peers:
            continue
        if plan.install:
            peers.install(peer)
        if peer.program() is not None:
            present.append(peer)
        elif peer.name not in plan.optional:
            raise SystemExit(f"{peer.name} is not installed; see benchmarks/README.md")
    return present


def _files() -> int:
    """Allow this process, and its children with it, all the descriptors there are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; the exit status, 1 where a case failed."""
    plan = parse(arguments, os.environ, _files())
    tools.build()
    present = _present(plan)
    cores = Cores.of(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="aigw-bench-") as folder:
        measurement = Measurement(present, plan.pace, cores, Path(folder))
        samples = measurement.measure(plan.cases)
    run = Run(
        made=datetime.date.today().isoformat(),
        machine=machine(),
        versions={peer.name: peer.version() for peer in present},
        settings={"rounds": plan.pace.rounds, "seconds": plan.pace.seconds},
        cases=plan.cases,
        samples=samples,
    )
    table = markdown(run)
    targets = [tools.BUILD / "latest"]
    if plan.save:
        (tools.HERE / "results").mkdir(exist_ok=True)
        targets.append(tools.HERE / "results" / plan.save)
    for target in targets:
        target.with_name(target.name + ".md").write_text(table)
        target.with_name(target.name + ".json").write_text(to_json(run))
    print(table)
    failed = [
        f"{case}, {peer}"
        for case, by_peer in run.figures.items()
        for peer, sample in by_peer.items()
        if sample.value is None
    ]
    if failed:
        say(f"failed: {'; '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
