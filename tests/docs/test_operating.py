"""The page on operating: its tables are complete, what it lists works as listed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aigw.model.outcome import Outcome
from aigw.model.record import AttemptRecord, Record
from aigw.telemetry.line import fields
from tests.http.authority import Authority
from tests.process.programs import (
    PATIENCE,
    ROOT,
    answers,
    free_port,
    get,
    program,
    wait_for,
)

from .snippets import needs_curl, snippets

PAGE = (ROOT / "docs" / "operating.md").read_text()


def section(title: str) -> str:
    text = PAGE.split(f"\n## {title}\n", 1)[1]
    return text.split("\n## ", 1)[0]


def first_cells(title: str) -> list[list[str]]:
    """What stands in backticks in the first cell of each row of a section's table."""
    rows = re.findall(r"^\| (`.*?) \| ", section(title), re.MULTILINE)
    assert rows, title
    return [re.findall(r"`([^`]+)`", row) for row in rows]


def test_the_table_of_the_access_log_names_every_field() -> None:
    record = Record(
        attempts=[AttemptRecord("a")],
        dropped_fields=("x",),
        summaries=True,
        prompt=b"[]",
        text="",
    )
    named = [name for cell in first_cells("The access log") for name in cell]
    assert len(named) == len(set(named))
    assert set(named) == set(fields(record))


def test_the_table_of_the_access_log_names_every_outcome() -> None:
    (row,) = re.findall(r"^\| `outcome` \| (.*?) \(", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(Outcome)


# -- as processes


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "aigw.yaml"
    path.write_text("routes: []\nlog: {access: null}\n")
    return path


@contextmanager
def running(
    arguments: list[str], admin: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with program(*arguments, log=log) as process:
        wait_for(
            lambda: process.poll() is not None or answers(admin, "/healthz/ready"),
            "the gateway",
        )
        assert process.poll() is None, log.read_text()
        yield process


def on(port: int) -> str:
    return f"tcp:{port}:interface=127.0.0.1"


def served(path: list[str], *options: str) -> bool:
    """Whether curl is answered 200."""
    command = ["curl", "--silent", "--fail", "--max-time", "10", *options, *path]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    return done.stdout == b'{"status":"ok"}'


@needs_curl
@pytest.mark.process
def test_each_way_to_listen_is_one(config: Path, tmp_path: Path) -> None:
    cells = first_cells("Where it listens")
    kinds = [[text.split(":")[0] for text in cell] for cell in cells]
    assert kinds == [
        ["tcp", "tcp", "tcp6"],
        ["unix"],
        ["ssl"],
        ["tls"],
        ["haproxy"],
        ["systemd"],  # test_the_unit_of_the_page_starts
    ]
    authority = Authority(tmp_path)
    pem = authority.issue("localhost")
    folder = tmp_path / "tls"
    folder.mkdir()
    shutil.copy(pem, folder / "localhost.pem")
    ports = {text: free_port() for cell in cells for text in cell}
    descriptions = {}
    for text, port in ports.items():
        moved = re.sub(r"\b9(080|443)\b", str(port), text)
        moved = moved.replace("key.pem", pem).replace("cert.pem", pem)
        moved = moved.replace("/etc/aigw/tls", str(folder))
        descriptions[text] = moved.replace("/run/aigw", str(tmp_path))
    del descriptions["systemd:domain=INET:index=0"]
    admin = free_port()
    arguments = ["twisted", "aigw", "--config", str(config), "--admin", on(admin)]
    for description in descriptions.values():
        arguments += ["--listen", description]
    ways = {
        "tcp": ("http://127.0.0.1:{}", []),
        "tcp6": ("http://[::1]:{}", []),
        "unix": ("http://localhost", ["--unix-socket", str(tmp_path / "aigw.sock")]),
        "ssl": ("https://localhost:{}", ["--cacert", authority.ca_file]),
        "tls": ("https://localhost:{}", ["--cacert", authority.ca_file]),
        "haproxy": ("http://127.0.0.1:{}", ["--haproxy-protocol"]),
    }
    with running(arguments, admin, tmp_path / "log"):
        for text in descriptions:
            url, options = ways[text.split(":")[0]]
            where = url.format(ports[text]) + "/healthz/live"
            assert served([where], "--noproxy", "*", *options), text
        mode = (tmp_path / "aigw.sock").stat().st_mode & 0o777
        assert mode == 0o660


@pytest.mark.process
def test_each_health_check_is_answered_where_it_says(
    config: Path, tmp_path: Path
) -> None:
    port, admin = free_port(), free_port()
    arguments = ["twisted", "aigw", "--config", str(config), "--listen", on(port)]
    paths = first_cells("Health")
    *public, instances, last = paths
    assert (instances[0], last) == ("/v1/instances", ["/v1/config-version"])
    with running([*arguments, "--admin", on(admin)], admin, tmp_path / "log"):
        for path in (path for cell in public for path in cell):
            assert get(port, path) == get(admin, path) == (200, b'{"status":"ok"}')
        version = json.loads(get(admin, "/v1/config-version")[1])
        assert {*version} == {"version", "sha256", "error"}
        for path in instances:
            assert get(admin, path) == (200, b"[]")
        for path in (*instances, *last):
            assert get(port, path)[0] == 404


def unit(name: str) -> str:
    """A setting of the page's service unit."""
    (service,) = [each.text for each in snippets("ini") if "[Service]" in each.text]
    (value,) = re.findall(rf"^{name}=(.*)$", service, re.MULTILINE)
    return str(value)


_ACTIVATE = """
import os, socket, sys
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(held.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="aigw")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@pytest.mark.process
@pytest.mark.parametrize("workers", [1, 2])
def test_the_unit_of_the_page_starts_reloads_and_stops(
    workers: int, config: Path, tmp_path: Path
) -> None:
    with config.open("a") as more:
        more.write(f"\nserver: {{workers: {workers}}}\n")
    port, admin = free_port(), free_port()
    command, *options = shlex.split(unit("ExecStart"))
    assert command == "/opt/aigw/bin/twist"
    options[options.index("/etc/aigw/aigw.yaml")] = str(config)
    options += ["--admin", on(admin)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _ACTIVATE, str(port), "-m", "twisted", *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(
            lambda: process.poll() is not None or answers(admin, "/healthz/ready"),
            "the gateway",
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert answers(port, "/healthz/ready")
        assert unit("ExecReload") == "/bin/kill -HUP $MAINPID"
        process.send_signal(signal.SIGHUP)

        def renewed() -> bool:
            told = json.loads(get(admin, "/v1/config-version")[1])
            return bool(told["version"] == 2)

        wait_for(renewed, "the reload")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)


@pytest.mark.process
@pytest.mark.parametrize("place", range(4))
def test_each_runner_runs_the_gateway(place: int, config: Path, tmp_path: Path) -> None:
    (command,) = first_cells("Runners")[place][:1]
    port, admin = free_port(), free_port()
    pid = tmp_path / "pid"
    words = [
        {"F": str(config), "L": str(tmp_path / "twistd.log"), "P": str(pid)}.get(
            word, word
        )
        for word in command.split()
    ]
    words += ["--listen", on(port), "--admin", on(admin)]
    name, *arguments = words
    module = {
        "twist": ["-m", "twisted"],
        "twistd": ["-c", "from twisted.scripts.twistd import run; run()"],
        "aigw": ["-m", "aigw.cli"],
    }[name]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *module, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: answers(port, "/healthz/live"), command)
        if "--pidfile P" in command:
            assert process.wait(PATIENCE) == 0  # it has detached
            daemon = int(pid.read_text())
            os.kill(daemon, signal.SIGTERM)
            wait_for(lambda: not pid.exists(), "the daemon's end")
            wait_for(lambda: not listens(port), "the listener's end")
        else:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == -signal.SIGTERM
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.process
def test_a_refused_configuration_ends_the_start_with_status_1(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("routes: 7\n")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "twisted", "aigw", "--config", str(wrong)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert b"wrong.yaml: routes" in done.stderr
    assert time.monotonic() - began < PATIENCE
