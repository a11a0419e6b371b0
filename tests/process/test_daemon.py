"""The daemon as a real process: it serves, drains, reloads, checks and logs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from .programs import (
    PATIENCE,
    ROOT,
    Daemon,
    chat,
    frames,
    free_port,
    get,
    mock_provider,
    program,
    wait_for,
)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The mock provider's port."""
    with mock_provider(tmp_path_factory.mktemp("provider")) as port:
        yield port


@pytest.fixture
def daemon(tmp_path: Path, provider: int) -> Daemon:
    return Daemon(tmp_path, provider)


class Stream:
    """A streamed completion under way, its head and first frame received."""

    def __init__(self, port: int, model: str) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE
        )
        messages = [{"role": "user", "content": "a s3cret question"}]
        body = {"model": model, "stream": True, "messages": messages}
        self._connection.request(
            "POST",
            "/v1/chat/completions",
            json.dumps(body),
            {"content-type": "application/json", "authorization": "Bearer sk-mine"},
        )
        self._answer = self._connection.getresponse()
        self.first = self._answer.readline()

    def rest(self) -> tuple[bytes, bool]:
        """What follows, and whether it ended as it should."""
        try:
            return self._answer.read(), True
        except http.client.IncompleteRead as cut:
            return cut.partial, False
        finally:
            self._connection.close()


def records(daemon: Daemon, count: int) -> list[dict[str, Any]]:
    """The access log's lines, once there are so many."""

    def lines() -> list[str]:
        if not daemon.records.exists():
            return []
        return daemon.records.read_text().splitlines()

    wait_for(lambda: len(lines()) >= count, "the access log")
    return [json.loads(line) for line in lines()]


def test_it_serves_and_logs_one_json_line_a_request_without_secrets(
    daemon: Daemon,
) -> None:
    with daemon.running():
        status, body = chat(daemon.port, "mock-n5")
        assert status == 200
        stream, whole = Stream(daemon.port, "mock-n5").rest()
        assert whole
        assert stream.endswith(b"data: [DONE]\n\n")
        assert chat(daemon.port, "mock-status429-retry3")[0] == 429
        assert get(daemon.port, "/nowhere")[0] == 404
        assert get(daemon.port, "/v1/..%2fsecret")[0] in (400, 404)
        assert get(daemon.port, "/healthz/ready")[0] == 200
        told = records(daemon, 6)
    text = daemon.records.read_text() + daemon.log.read_text()
    assert "s3cret" not in text
    assert "sk-mine" not in text
    assert json.loads(body)["choices"][0]["message"]["content"] not in text
    assert [(line["status"], line["outcome"]) for line in told[:3]] == [
        (200, "completed"),
        (200, "completed"),
        (429, "failed"),
    ]
    assert told[1]["llm_stream"] is True
    assert told[1]["llm_completion_tokens"] == 5  # asked for, and hidden
    assert [line["outcome"] for line in told[3:5]] == ["refused", "refused"]
    assert len({line["request_id"] for line in told}) == len(told)
    assert "Traceback" not in daemon.log.read_text()


def test_access_log_on_stdout_has_stdout_to_itself(daemon: Daemon) -> None:
    daemon.config["log"]["access"]["path"] = "-"
    with daemon.running():
        assert chat(daemon.port)[0] == 200
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.stdout is not None
        lines = daemon.process.stdout.read().splitlines()
        daemon.process.wait(PATIENCE)
    assert "/v1/chat/completions" in [json.loads(line)["uri"] for line in lines]


def test_sigterm_lets_open_streams_end_and_nobody_new_in(daemon: Daemon) -> None:
    with daemon.running():
        stream = Stream(daemon.port, "mock-n40-d20")
        daemon.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not reachable(daemon.port), "the listener's end")
        assert get(daemon.admin, "/healthz/ready")[0] == 503
        assert get(daemon.admin, "/healthz/live")[0] == 200
        rest, whole = stream.rest()
        assert whole
        assert rest.endswith(b"data: [DONE]\n\n")
        assert daemon.process.wait(PATIENCE) == -signal.SIGTERM
    assert [line["outcome"] for line in records(daemon, 1)][-1] == "completed"
    assert "Traceback" not in daemon.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_load_balancers_may_see_the_drain_before_the_listener_closes(
    tmp_path: Path, provider: int, workers: int
) -> None:
    daemon = Daemon(tmp_path, provider, workers=workers, drain_delay_ms=800)
    with daemon.running():
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        for port in (daemon.admin, daemon.port):
            wait_for(
                lambda port=port: get(port, "/healthz/ready")[0] == 503, "the drain"
            )
        assert chat(daemon.port, "mock-n3", False)[0] == 200
        assert time.monotonic() - began < 0.8
        wait_for(lambda: not reachable(daemon.port), "the listener's end")
        assert time.monotonic() - began >= 0.8
        assert daemon.process.wait(PATIENCE) == -signal.SIGTERM
    assert "Traceback" not in daemon.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_said_twice_says_nothing_new(
    tmp_path: Path, provider: int, workers: int
) -> None:
    # systemd tells each process of a unit, and the parent tells its workers.
    daemon = Daemon(tmp_path, provider, workers=workers)
    with daemon.running():
        stream = Stream(daemon.port, "mock-n40-d20")
        for _ in range(2):
            for pid in [*daemon.workers(), daemon.process.pid]:
                os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
        rest, whole = stream.rest()
        assert whole
        assert rest.endswith(b"data: [DONE]\n\n")
        assert daemon.process.wait(PATIENCE) == -signal.SIGTERM
    assert "Traceback" not in daemon.log.read_text()


def test_past_the_graceful_timeout_streams_are_told_and_cut(
    tmp_path: Path, provider: int
) -> None:
    daemon = Daemon(tmp_path, provider, graceful_timeout_ms=300)
    with daemon.running(), ThreadPoolExecutor(1) as pool:
        stream = Stream(daemon.port, "mock-n1000-d20")
        silent = pool.submit(chat, daemon.port, "mock-nohead")
        wait_for(lambda: b"mock-nohead" in stats(provider), "the second request")
        began = time.monotonic()
        assert daemon.terminate() == -signal.SIGTERM
        assert time.monotonic() - began < 5
        rest, whole = stream.rest()
        assert not whole
        last = rest.removesuffix(b"\n\n").rpartition(b"\n\n")[2]
        error = json.loads(last.removeprefix(b"data: "))["error"]
        assert error["code"] == "service_unavailable"
        status, body = silent.result()
        assert status == 503
        assert json.loads(body)["error"]["code"] == "service_unavailable"
    told = [line["outcome"] for line in records(daemon, 2)]
    assert sorted(told) == ["shutdown", "shutdown"]


def test_a_request_half_sent_at_the_graceful_timeout_is_told(
    tmp_path: Path, provider: int
) -> None:
    daemon = Daemon(tmp_path, provider, graceful_timeout_ms=300)
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    with (
        daemon.running(),
        socket.create_connection(("127.0.0.1", daemon.port), PATIENCE) as client,
    ):
        client.sendall(head + b'{"model":')
        assert chat(daemon.port)[0] == 200  # by now it has read the other one
        assert daemon.terminate() == -signal.SIGTERM
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503 ")
    told = records(daemon, 2)[-1]
    assert (told["status"], told["reason"]) == (503, "shutdown")


def test_sighup_swaps_the_file_in_whole_and_streams_keep_theirs(
    daemon: Daemon,
) -> None:
    with daemon.running():
        first = daemon.version()
        assert first == {
            "version": 1,
            "sha256": sha256(daemon.path.read_bytes()).hexdigest(),
            "error": None,
        }
        stream = Stream(daemon.port, "mock-n60-d20")
        assert get(daemon.port, "/v1/models")[0] == 200
        records(daemon, 1)
        rotated = daemon.records.rename(daemon.records.with_suffix(".1"))
        daemon.config["routes"][0]["uri"] = "/other/*"
        daemon.write()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.version()["version"] == 2, "the reload")
        assert chat(daemon.port)[0] == 404
        rest, whole = stream.rest()
        assert whole
        assert rest.endswith(b"data: [DONE]\n\n")
        assert frames(stream.first + rest) == 63
        # The log's file was moved away: it is made anew, and nothing is lost.
        assert [line["status"] for line in records(daemon, 2)] == [404, 200]
        old = rotated.read_text().splitlines()
        assert [json.loads(line)["uri"] for line in old] == ["/v1/models"]


def test_a_changed_file_is_taken_and_a_wrong_one_changes_nothing(
    daemon: Daemon,
) -> None:
    with daemon.running():
        daemon.config["routes"][0]["plugins"]["ai-proxy"]["tiemout"] = 1
        daemon.config["routes"][0]["plugins"]["key-auth"] = {"key": "s3cret"}
        daemon.write()
        wait_for(lambda: daemon.version()["error"], "the refusal")
        version = daemon.version()
        assert version["version"] == 1
        assert version["sha256"] == sha256(daemon.path.read_bytes()).hexdigest()
        assert "routes[0].plugins.ai-proxy.tiemout" in version["error"]
        assert "routes[0].plugins.key-auth" in version["error"]
        assert "s3cret" not in json.dumps(version) + daemon.log.read_text()
        assert chat(daemon.port)[0] == 200
        del daemon.config["routes"][0]["plugins"]["key-auth"]
        del daemon.config["routes"][0]["plugins"]["ai-proxy"]["tiemout"]
        daemon.config["routes"][0]["uri"] = "/v1/embeddings"
        daemon.write()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.version()["version"] == 2, "the reload")
        assert daemon.version()["error"] is None
        assert chat(daemon.port)[0] == 404


def test_listen_and_admin_override_the_file_and_a_reload_keeps_them(
    daemon: Daemon,
) -> None:
    first, second, admin = free_port(), free_port(), free_port()
    asked = []
    for port in (first, second):
        asked += ["--listen", f"tcp:{port}:interface=127.0.0.1"]
    asked += ["--admin", f"tcp:{admin}:interface=127.0.0.1"]
    filed, filed_admin = daemon.port, daemon.admin
    daemon.admin = admin  # to be asked whether it is ready
    with daemon.running(*asked):
        assert chat(first)[0] == chat(second)[0] == 200
        assert not reachable(filed)
        assert not reachable(filed_admin)
        daemon.config["server"]["graceful_timeout_ms"] = 100
        daemon.write()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.version()["version"] == 2, "the reload")
        assert chat(first)[0] == chat(second)[0] == 200


def test_a_busy_port_ends_it_with_an_error(daemon: Daemon) -> None:
    daemon.write()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", daemon.port))
        taken.listen()
        with program(
            "twisted", "aigw", "--config", str(daemon.path), log=daemon.log
        ) as process:
            assert process.wait(PATIENCE) > 0
    assert f"{daemon.port}" in daemon.log.read_text()
    assert "CannotListenError" in daemon.log.read_text()


def checked(daemon: Daemon, *options: str) -> subprocess.CompletedProcess[str]:
    """``twist aigw --check`` of the daemon's file."""
    daemon.write()
    return check(daemon.path, *options)


def check(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``twist aigw --check``."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "twisted", "aigw"),
            *("--config", str(path), "--check", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_check_says_yes_and_prints_without_secrets(daemon: Daemon) -> None:
    done = checked(daemon, "--print")
    assert done.returncode == 0, done.stderr
    assert "/v1/*" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_check_names_every_error_and_its_path(daemon: Daemon) -> None:
    daemon.config["server"]["workers"] = "many"
    daemon.config["routes"][0]["plugins"]["ip-restriction"] = {"whitelist": []}
    daemon.config["routes"][0]["plugins"]["ai-proxy"]["timeout"] = -1
    done = checked(daemon)
    assert done.returncode == 1
    assert str(daemon.path) in done.stderr
    for path in (
        "server.workers",
        "routes[0].plugins.ip-restriction",
        "routes[0].plugins.ai-proxy.timeout",
    ):
        assert path in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("text", [None, "", "routes: [", "[]"])
def test_check_refuses_a_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "aigw.yaml"
    if text is not None:
        path.write_text(text)
    done = check(path)
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_check_tries_the_listeners(tmp_path: Path) -> None:
    path = tmp_path / "aigw.yaml"
    listen = "['foo:1', 'tcp:0:interfce=::1', 'ssl:0:privateKey=/no.pem', 'systemd:0']"
    path.write_text(f"server: {{listen: {listen}}}")
    done = check(path)
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "listener foo:1",
        "listener tcp:0:interfce=::1",
        "listener ssl:0:privateKey=/no.pem",
    ]


def test_a_start_that_is_refused_says_why_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "aigw.yaml"
    path.write_text("log: {access: {path: /no/such/place/log}}")
    done = subprocess.run(
        [sys.executable, "-m", "twisted", "aigw", "--config", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("log.access.path: '/no/such/place/log' cannot be opened")


def test_twistd_serves_and_drains_too(daemon: Daemon) -> None:
    daemon.write()
    run = "from twisted.scripts.twistd import run; run()"
    with daemon.log.open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", run, "--nodaemon", "--pidfile="),
                *("aigw", "--config", str(daemon.path)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: process.poll() is not None or daemon.ready(), "twistd")
        stream = Stream(daemon.port, "mock-n20-d20")
        process.terminate()
        rest, whole = stream.rest()
        assert whole
        assert rest.endswith(b"data: [DONE]\n\n")
        assert process.wait(PATIENCE) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait(PATIENCE)


def reachable(port: int) -> bool:
    """Whether anybody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except OSError:
        return False
    return True


def stats(provider: int) -> bytes:
    return get(provider, "/stats")[1]
