"""Programs of ours as real processes: the daemon and the mock provider."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

#: Seconds that anything here may take before the test gives up on it.
PATIENCE = 20.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Look until ``condition`` is true, and return what it gave."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


@contextmanager
def program(
    *arguments: str, log: Path, flags: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program of the checkout; killed at the end if it still runs."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in [name for name in environ if name.endswith("_API_KEY")]:
        del environ[name]
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, *flags, "-m", *arguments],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdout is not None
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.stdout.close()
        process.wait(PATIENCE)


@contextmanager
def mock_provider(tmp_path: Path) -> Iterator[int]:
    """The mock provider; gives its port."""
    port = free_port()
    listen = f"tcp:{port}:interface=127.0.0.1"
    log = tmp_path / "mock.log"
    with program("aigw.cli", "mock", "--listen", listen, log=log):
        wait_for(lambda: answers(port, "/stats"), "the mock provider")
        yield port


class Daemon:
    """The gateway, listening on ports of its own."""

    def __init__(self, tmp_path: Path, provider: int, **server: Any) -> None:
        self.port = free_port()
        self.admin = free_port()
        self.path = tmp_path / "aigw.json"
        self.log = tmp_path / "daemon.log"
        self.records = tmp_path / "access.log"
        self.config: dict[str, Any] = {
            "server": {
                "listen": [f"tcp:{self.port}:interface=127.0.0.1:backlog=512"],
                "graceful_timeout_ms": 3000,
                **server,
            },
            "admin": {"listen": [f"tcp:{self.admin}:interface=127.0.0.1"]},
            "log": {"access": {"path": str(self.records)}},
            "routes": [
                {
                    "id": "chat",
                    "uri": "/v1/*",
                    "plugins": {
                        "ai-proxy": {
                            "provider": "openai-compatible",
                            "auth": {"header": {"Authorization": "Bearer s3cret"}},
                            "override": {"endpoint": f"http://127.0.0.1:{provider}"},
                        }
                    },
                }
            ],
        }
        self.process: subprocess.Popen[bytes]

    def write(self) -> None:
        """Put the configuration in place at once, as an operator's tool would."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.config))
        fresh.replace(self.path)

    @contextmanager
    def running(
        self, *arguments: str, reactor: str = "", flags: Sequence[str] = ()
    ) -> Iterator[Daemon]:
        """
        The daemon as a process, ready to serve.

        :param reactor: another than Twisted's default, by its name.
        :param flags: of Python itself.
        """
        self.write()
        chosen = [f"--reactor={reactor}"] if reactor else []
        options = ["--config", str(self.path), *arguments]
        command = ("twisted", *chosen, "aigw", *options)
        with program(*command, log=self.log, flags=flags) as process:
            self.process = process
            wait_for(lambda: process.poll() is not None or self.ready(), "the daemon")
            assert process.poll() is None, self.log.read_text()
            yield self

    def ready(self) -> bool:
        return answers(self.admin, "/healthz/ready")

    def version(self) -> Any:
        """What the admin listener says of the configuration."""
        return json.loads(get(self.admin, "/v1/config-version")[1])

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def terminate(self) -> int:
        """SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answers(port: int, path: str) -> bool:
    """Whether somebody answers there with 200."""
    try:
        return get(port, path)[0] == 200
    except OSError:
        return False


def chat(port: int, model: str = "mock", stream: bool = False) -> tuple[int, bytes]:
    """A chat completion: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    messages = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": model, "stream": stream, "messages": messages})
    try:
        connection.request(
            "POST", "/v1/chat/completions", body, {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def frames(body: bytes) -> int:
    """How many frames with data an event stream has."""
    return len(re.findall(rb"^data: ", body, re.MULTILINE))
