"""The C tools: built, the mock provider started, the load generator run."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .cases import Case
from .processes import Process, environment

HERE = Path(__file__).parent
BUILD = HERE / "build"

_FLAGS = ("-O2", "-march=native", "-Wall", "-Wextra")


def build() -> None:
    """
    Compile mock and load into ``build/`` where their sources are newer.

    :raises subprocess.CalledProcessError: the compiler refuses; it has said why.
    """
    BUILD.mkdir(exist_ok=True)
    newest = max(path.stat().st_mtime for path in (HERE / "tools").iterdir())
    for name in ("mock", "load"):
        made = BUILD / name
        if not made.exists() or made.stat().st_mtime < newest:
            source = str(HERE / "tools" / f"{name}.c")
            subprocess.run(["cc", *_FLAGS, "-o", str(made), source], check=True)


def start_mock(port: int, cores: str, folder: Path) -> Process:
    """The mock provider on ``port``, once it listens."""
    mock = Process("mock", [str(BUILD / "mock"), str(port)], cores, folder)
    try:
        mock.wait_port(port, 5)
    except Exception:
        mock.stop()
        raise
    return mock


def mock_stats(port: int) -> dict[str, int]:
    """The mock's counters: ``open`` streams, ``req``, ``abort`` and so on."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/stats", timeout=10) as answer:
        stats: dict[str, int] = json.load(answer)
    return stats


def chat_body(model: str, stream: bool, size: int) -> bytes:
    """A chat request of exactly ``size`` bytes, its prompt made of short messages."""
    sentence = "A gateway that never drops a byte is told in about a hundred tokens. "
    body: dict[str, Any] = {"model": model, "stream": stream, "max_tokens": 256}
    body["messages"] = messages = [{"role": "user", "content": ""}]
    message = {"role": "user", "content": sentence * 14}
    room = size - len(json.dumps(body))
    if room < 0:
        raise ValueError(f"a body of {size} bytes is too small for a chat request")
    one = len(json.dumps(message)) + len(", ")
    messages += [message] * (room // one)
    messages[0]["content"] = "x" * (room % one)
    return json.dumps(body).encode()


def load_command(
    case: Case,
    port: int,
    seconds: float,
    warmup: float,
    *,
    pids: Iterable[int] = (),
    headers: Sequence[str] = (),
    rewritten: bool = False,
    body: Path | None = None,
) -> list[str]:
    """
    The command line that measures one case.

    :param seconds: how long is measured, after ``warmup`` seconds.
    :param pids: processes whose processor time is counted.
    :param headers: header fields to send, ``Name: value``.
    :param rewritten: whether the proxy writes events anew, so that they are checked by
        number and not by the hash of their bytes.
    :param body: the file with the request's body, for cases that have one.
    """
    command = [str(BUILD / "load"), "-p", str(port), "-k", case.kind, "-h", case.path]
    command += ["-c", str(case.connections), "-m", case.model]
    command += ["-t", f"{seconds:g}", "-w", f"{warmup:g}"]
    watched = ",".join(map(str, pids))
    if watched:
        command += ["-P", watched]
    if case.events:
        command += ["-n", str(case.events)]
    for header in headers:
        command += ["-H", header]
    if rewritten:
        command.append("-L")
    if case.close_each:
        command.append("-C")
    if body is not None:
        command += ["-B", str(body)]
    return command


def run_load(command: Sequence[str], cores: str) -> dict[str, Any]:
    """
    Run the load generator; what it printed.

    :raises subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        ["taskset", "-c", cores, *command],
        check=True,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
