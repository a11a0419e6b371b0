"""The aigw command, as a process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from aigw import __version__

ROOT = Path(__file__).parents[1]
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

pytestmark = pytest.mark.process


def aigw(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aigw.cli", *arguments],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture
def mock() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "aigw.cli", "mock"]
        + ["--listen", "tcp:0:interface=127.0.0.1"] * 2,
        cwd=ROOT,
        env=ENVIRON,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_the_help_names_the_commands_without_twisted() -> None:
    done = aigw("--help")
    assert done.returncode == 0
    for command in ("run", "mock", "demo"):
        assert re.search(rf"^ +{command} ", done.stdout, re.MULTILINE)
    code = (
        "import aigw.cli, sys; aigw.cli._parser(); sys.exit('twisted' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRON).returncode == 0
    assert aigw("--version").stdout == f"aigw {__version__}\n"
    assert aigw().returncode == 2


def test_the_demo_streams_a_completion_and_tells_its_figures() -> None:
    done = aigw("demo", "--model", "mock-n5-d10")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nA stream is a promise\n" in done.stdout
    figures = done.stdout.splitlines()[-1]
    found = re.fullmatch(r"ttft (\d+) ms · 5 tokens · duration (\d+) ms", figures)
    assert found is not None
    assert 0 < int(found[1]) <= int(found[2])
    # 8 events, 7 pauses
    assert int(found[2]) >= 70


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("mock-n5-fin3", "failed"),
        ("mock-n5-error3", "failed"),
        ("mock-n5-noterm", "without its terminal frame"),
        ("mock-status429", "the gateway answered 429"),
    ],
)
def test_a_demo_that_fails_says_so(model: str, said: str) -> None:
    done = aigw("demo", "--model", model)
    assert done.returncode == 1
    assert done.stderr.startswith("aigw demo: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_mock_provider_tells_where_it_listens(
    mock: subprocess.Popen[str],
) -> None:
    assert mock.stdout is not None
    for _ in range(2):
        line = mock.stdout.readline()
        found = re.fullmatch(r"mock provider: (http://127\.0\.0\.1:\d+)\n", line)
        assert found is not None
        with urllib.request.urlopen(f"{found[1]}/v1/models", timeout=5) as answer:
            assert answer.status == 200
    mock.send_signal(signal.SIGINT)
    assert mock.wait(timeout=10) == 0


def test_an_address_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = aigw("mock", "--listen", f"tcp:{port}:interface=127.0.0.1")
    assert done.returncode == 1
    assert re.match(rf"aigw mock: .*{port}.*\n\Z", done.stderr)
    assert aigw("mock", "--listen", "nonsense").returncode == 1
