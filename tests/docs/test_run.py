"""`make run` of README.md: the gateway without a file, and the line that it prints."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.process.programs import PATIENCE, answers, free_port, program, wait_for

from .snippets import needs_curl

#: Where the mock provider listens when the gateway starts it, which nothing changes.
_MOCK = ("127.0.0.1", 9081)


def taken(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
    return False


@needs_curl
@pytest.mark.process
def test_the_line_that_is_printed_streams(tmp_path: Path) -> None:
    if taken(_MOCK):
        pytest.skip("somebody listens where the mock provider would")
    port, admin = free_port(), free_port()
    listen = ["--listen", f"tcp:{port}:interface=127.0.0.1"]
    listen += ["--admin", f"tcp:{admin}:interface=127.0.0.1"]
    log = tmp_path / "log"
    with program("aigw.cli", "run", *listen, log=log) as process:
        wait_for(
            lambda: process.poll() is not None or answers(admin, "/healthz/ready"),
            "the gateway",
        )
        assert process.poll() is None, log.read_text()
        printed = re.search(
            r"^  curl .*?\}'$", log.read_text(), re.MULTILINE | re.DOTALL
        )
        assert printed, log.read_text()
        done = subprocess.run(
            ["/bin/sh", "-c", printed[0]],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert done.stdout.count("data: ") > 3, done.stderr
    assert done.stdout.endswith("data: [DONE]\n\n")
