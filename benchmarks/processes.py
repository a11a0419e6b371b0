"""Processes on chosen cores: started, watched through /proc, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

#: How long a process may take to stop before it is killed, seconds.
_STOPPING = 10.0
#: Over how long it is seen whether a process rests, seconds.
_SETTLING = 0.2


class NotReady(Exception):
    """A process ended, or did not serve in time; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Cores:
    """
    Which core does what.

    Proxies have the first one for themselves; the mock provider and the load share the
    second, or have one each where the machine has three.
    """

    proxy: str
    mock: str
    load: str

    @classmethod
    def of(cls, available: Iterable[int]) -> Cores:
        """
        :raises ValueError: there is only one core, on which nothing can be measured.
        """
        cores = sorted(available)
        if len(cores) < 2:
            raise ValueError("the benchmark needs two cores")
        load = cores[2] if len(cores) > 2 else cores[1]
        return cls(str(cores[0]), str(cores[1]), str(load))


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of a child: without proxies and keys that would change it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


class Process:
    """
    One child on given cores, and all that it starts; a context manager.

    :param name: names its log in ``folder``.
    :param cores: a list for ``taskset -c``.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        cores: str,
        folder: Path,
        env: Mapping[str, str] = {},
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self.began = time.monotonic()
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                ["taskset", "-c", cores, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(env),
                cwd=folder,
                start_new_session=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def last_words(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(errors="replace")[-1500:].strip()

    def wait_port(self, port: int, seconds: float) -> None:
        """
        Wait until it listens.

        :raises NotReady: it ended, or ``seconds`` have passed.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._child.poll() is not None:
                raise NotReady(self.last_words())
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise NotReady(f"not listening after {seconds:.0f} s\n{self.last_words()}")

    @property
    def pids(self) -> list[int]:
        """The process and all its descendants."""
        return tree(self._child.pid)

    def stop(self) -> None:
        """End it and what it started; those that do not go are killed."""
        try:
            os.killpg(self._child.pid, signal.SIGTERM)
            self._child.wait(_STOPPING)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()


def tree(pid: int) -> list[int]:
    """``pid`` and its descendants that still are."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:  # the thread has ended meanwhile
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process so far, seconds."""
    total = 0
    for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(stat.read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def settle(pids: Sequence[int], seconds: float) -> None:
    """
    Wait until processes rest, at most ``seconds``.

    Some proxies go on for long with streams whose client has left; that work belongs
    neither to the next case nor on the core where another proxy is measured.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = sum(map(cpu_seconds, pids))
        time.sleep(_SETTLING)
        if sum(map(cpu_seconds, pids)) - before < _SETTLING / 20:
            return


def memory_kib(pids: Iterable[int]) -> int:
    """
    Memory of processes together, KiB.

    Proportional set size: pages that a parent shares with its workers count once.
    """
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total
