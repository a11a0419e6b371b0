"""One run: peers side by side, rounds interleaved."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from . import edge, tools
from .cases import Case, Setup
from .memory import Bench
from .peers import Nginx, Peer
from .processes import Cores, NotReady, Process, cpu_seconds, free_port, settle
from .render import Wiring
from .samples import Sample, of_load

#: How long a proxy is asked before its first case, seconds.
_PRIMED = 2.0
#: How long a proxy may take to come to rest after a case, seconds.
_RESTED = 30.0

Samples = dict[str, dict[str, list[Sample]]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is measured: seconds and seconds of warm-up a sample, and rounds."""

    seconds: float
    warmup: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A peer that serves, and the port that the load comes to."""

    peer: Peer
    process: Process
    wiring: Wiring
    port: int


def say(text: str) -> None:
    """Tell how the run goes."""
    print(text, file=sys.stderr, flush=True)


class Measurement:
    """
    Measures cases at peers.

    :param folder: where the processes' files and logs go.
    """

    def __init__(
        self, peers: Sequence[Peer], pace: Pace, cores: Cores, folder: Path
    ) -> None:
        self._peers = peers
        self._pace = pace
        self._cores = cores
        self._folder = folder
        self._tls = folder / "tls"
        self._samples: Samples = defaultdict(lambda: defaultdict(list))

    def measure(self, cases: Sequence[Case]) -> Samples:
        """All samples of the cases, by case, by peer."""
        edge.certificate(self._tls)
        mock_port = free_port()
        with tools.start_mock(mock_port, self._cores.mock, self._folder):
            loads = sorted((case for case in cases if case.kind), key=_setup)
            for setup, group in groupby(loads, key=lambda case: case.setup):
                self._measure_load(setup, list(group), mock_port)
            for case in cases:
                if not case.kind:
                    self._measure_memory(case, mock_port)
        return {case: dict(peers) for case, peers in self._samples.items()}

    # -- load --------------------------------------------------------------------------

    def _measure_load(self, setup: Setup, cases: list[Case], mock: int) -> None:
        with ExitStack() as stack:
            upstream = mock
            if setup is Setup.TLS_PROVIDER:
                upstream = self._edge(stack, "provider", Setup.TLS_CLIENT, mock)
            standing = []
            for peer in self._able(cases, setup):
                started = self._start(stack, peer, setup, upstream)
                if started is not None:
                    standing.append(started)
                    self._prime(cases[0], started)
            for turn in range(self._pace.rounds):
                for case in cases:
                    self._round(case, standing, mock, turn)

    def _able(self, cases: Iterable[Case], setup: Setup) -> list[Peer]:
        wanted = [case.only for case in cases]
        return [
            peer
            for peer in self._peers
            if setup in peer.setups
            and any(not only or peer.name in only for only in wanted)
        ]

    def _start(
        self, stack: ExitStack, peer: Peer, setup: Setup, upstream: int
    ) -> Standing | None:
        folder = self._folder / f"{peer.name}-{setup.value}"
        folder.mkdir(exist_ok=True)
        wiring = Wiring(free_port(), upstream, setup, folder, self._tls)
        try:
            process = stack.enter_context(peer.start(wiring, self._cores.proxy))
        except NotReady as error:
            say(f"{peer.name} does not serve {setup.value}: {error}")
            return None
        port = wiring.port
        if setup is Setup.TLS_CLIENT:
            name = f"clients-{peer.name}"
            port = self._edge(stack, name, Setup.TLS_PROVIDER, wiring.port)
        return Standing(peer, process, wiring, port)

    def _edge(self, stack: ExitStack, name: str, setup: Setup, upstream: int) -> int:
        folder = self._folder / f"edge-{name}"
        folder.mkdir(exist_ok=True)
        wiring = Wiring(free_port(), upstream, setup, folder, self._tls)
        program = Nginx().program() or "nginx"
        stack.enter_context(edge.start(program, wiring, self._cores.load))
        return wiring.port

    def _round(
        self, case: Case, standing: Sequence[Standing], mock: int, turn: int
    ) -> None:
        direct = self._direct(case, mock) if case.needs_direct else None
        # Every other round goes backwards, so that drift falls on all alike.
        for one in standing if turn % 2 == 0 else reversed(standing):
            if case.only and one.peer.name not in case.only:
                continue
            sample = self._sample(case, one, direct)
            self._samples[case.name][one.peer.name].append(sample)
            shown = sample.problem or f"{sample.value:.4g} {case.unit.value}"
            say(
                f"[{turn + 1}/{self._pace.rounds}] {case.name} {one.peer.name}: {shown}"
            )

    def _prime(self, case: Case, one: Standing) -> None:
        # The first requests import modules and compile code: no part of any figure.
        command = tools.load_command(
            case, one.port, _PRIMED, 0, headers=one.peer.headers(one.wiring)
        )
        tools.run_load(command, self._cores.load)
        settle(one.process.pids, _RESTED)

    def _body(self, case: Case) -> Path | None:
        if not case.body_bytes:
            return None
        file = self._folder / f"{case.name}.json"
        file.write_bytes(
            tools.chat_body(case.model, case.kind != "json", case.body_bytes)
        )
        return file

    def _direct(self, case: Case, mock: int) -> Sample:
        pace = self._pace
        command = tools.load_command(case, mock, pace.seconds, pace.warmup)
        return of_load(case, tools.run_load(command, self._cores.load))

    def _sample(self, case: Case, one: Standing, direct: Sample | None) -> Sample:
        pids = one.process.pids
        command = tools.load_command(
            case,
            one.port,
            self._pace.seconds,
            self._pace.warmup,
            pids=pids,
            headers=one.peer.headers(one.wiring),
            rewritten=one.peer.rewrites,
            body=self._body(case),
        )
        before = [cpu_seconds(pid) for pid in pids]
        sample = of_load(case, tools.run_load(command, self._cores.load), direct)
        spent = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
        settle(pids, _RESTED)
        total = sum(spent)
        if case.setup is Setup.WORKERS_2 and total and len(pids) > 1:
            # The parent that watches over the workers does next to nothing.
            sample.extra["processes"] = len(pids)
            sample.extra["busier_percent"] = max(spent) / total * 100
        return sample

    # -- memory ------------------------------------------------------------------------

    def _measure_memory(self, case: Case, mock: int) -> None:
        for peer in self._able([case], case.setup):
            with ExitStack() as stack:
                # Each has a fresh process: freed memory of an earlier case would hide
                # what this one takes.
                one = self._start(stack, peer, case.setup, mock)
                if one is None:
                    continue
                headers = peer.headers(one.wiring)
                bench = Bench(one.process, one.port, mock, headers, self._cores.load)
                sample = bench.measure(case)
            self._samples[case.name][peer.name].append(sample)
            shown = sample.problem or f"{sample.value:.4g} {case.unit.value}"
            say(f"{case.name} {peer.name}: {shown}")


def _setup(case: Case) -> int:
    return list(Setup).index(case.setup)
