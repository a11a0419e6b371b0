"""Several workers behind one queue: none of their ends loses what is not their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from .programs import (
    Daemon,
    chat,
    frames,
    free_port,
    mock_provider,
    program,
    wait_for,
)

pytestmark = pytest.mark.process


def streams(
    pool: ThreadPoolExecutor, port: int, count: int, model: str
) -> list[Future[tuple[int, bytes]]]:
    return [pool.submit(chat, port, model, True) for _ in range(count)]


def outcome(future: Future[tuple[int, bytes]]) -> str:
    """``whole``, ``cut`` or ``refused``."""
    try:
        status, body = future.result()
    except (http.client.IncompleteRead, ConnectionResetError):
        return "cut"
    except (OSError, http.client.HTTPException):
        return "refused"
    return "whole" if status == 200 and b"[DONE]" in body else "cut"


def test_workers_share_the_work_and_speak_with_one_voice(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running(), ThreadPoolExecutor(16) as pool:
            assert len(daemon.workers()) == 2
            done = streams(pool, daemon.port, 40, "mock-n10-d10")
            assert [outcome(each) for each in done] == ["whole"] * 40
            assert daemon.version()["version"] == 1
            assert daemon.terminate() == -signal.SIGTERM
        records = daemon.records.read_text().splitlines()
        assert len([json.loads(line) for line in records]) == 40
        assert "s3cret" not in daemon.log.read_text() + daemon.records.read_text()


def test_killed_worker_takes_only_its_own_connections(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running(), ThreadPoolExecutor(60) as pool:
            victim, survivor = daemon.workers()
            # Only one can accept while the other is stopped: so it is known whose
            # connections are whose.
            os.kill(survivor, signal.SIGSTOP)
            lost = streams(pool, daemon.port, 10, "mock-n150-d20")
            time.sleep(0.7)
            os.kill(victim, signal.SIGSTOP)
            os.kill(survivor, signal.SIGCONT)
            kept = streams(pool, daemon.port, 10, "mock-n100-d20")
            time.sleep(0.7)
            os.kill(victim, signal.SIGKILL)
            after = streams(pool, daemon.port, 20, "mock-n10-d10")
            assert [outcome(each) for each in after] == ["whole"] * 20
            assert [outcome(each) for each in kept] == ["whole"] * 10
            assert [outcome(each) for each in lost] == ["cut"] * 10
            wait_for(lambda: len(daemon.workers()) == 2, "another worker")
            assert survivor in daemon.workers()
            assert victim not in daemon.workers()


def test_stop_under_load_resets_nobody_who_waits(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running(), ThreadPoolExecutor(60) as pool:
            # Held, so that what comes next waits in the queue.
            for worker in daemon.workers():
                os.kill(worker, signal.SIGSTOP)
            waiting = streams(pool, daemon.port, 40, "mock-n5-d10")
            time.sleep(0.5)
            daemon.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            for worker in daemon.workers():
                os.kill(worker, signal.SIGCONT)
            assert [outcome(each) for each in waiting] == ["whole"] * 40
            daemon.process.wait(20)


def test_reload_reaches_every_worker(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            daemon.config["routes"][0]["uri"] = "/other/*"
            daemon.write()
            wait_for(lambda: daemon.version()["version"] == 2, "the reload")
            assert {chat(daemon.port)[0] for _ in range(20)} == {404}
            good = daemon.version()
            daemon.config["routes"][0]["uri"] = 7
            daemon.write()
            wait_for(lambda: daemon.version()["error"], "the refusal")
            assert daemon.version()["version"] == good["version"]
            assert {chat(daemon.port)[0] for _ in range(20)} == {404}


def test_what_a_reload_warns_of_is_said_once(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            daemon.config["server"]["max_connections"] = 77
            daemon.write()
            wait_for(lambda: daemon.version()["version"] == 2, "the new version")
            assert daemon.terminate() == -signal.SIGTERM
        log = daemon.log.read_text()
        assert log.count("server.max_connections has changed") == 1


def test_pythons_flags_reach_the_workers(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        flags = ["-E", "-W", "ignore::ResourceWarning", "-X", "utf8"]
        with daemon.running(flags=flags):
            assert chat(daemon.port, "mock-n3", False)[0] == 200
            for pid in daemon.workers():
                command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                assert "-E" in command
                assert "-Wignore::ResourceWarning" in command
                assert command[command.index("-X") + 1] == "utf8"
            assert daemon.terminate() == -signal.SIGTERM


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            workers = daemon.workers()
            daemon.process.kill()
            daemon.process.wait(20)
            wait_for(
                lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers),
                "the workers' end",
            )


def test_workers_share_a_unix_socket(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        path = tmp_path / "aigw.sock"
        daemon = Daemon(tmp_path, provider, workers=2, listen=[f"unix:{path}"])
        with daemon.running():
            for _ in range(6):
                client = http.client.HTTPConnection("gateway")
                client.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                client.sock.connect(str(path))
                client.request("GET", "/healthz/live")
                assert client.getresponse().status == 200
                client.close()
            assert daemon.terminate() == -signal.SIGTERM
        assert not path.exists()
        assert "Traceback" not in daemon.log.read_text()


def test_busy_port_is_told_at_once(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, 1, workers=2)
    daemon.write()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", daemon.port))
        taken.listen()
        with program(
            "twisted", "aigw", "--config", str(daemon.path), log=daemon.log
        ) as process:
            assert process.wait(20) != 0
    assert "CannotListenError" in daemon.log.read_text()


def test_streams_survive_a_workers_orderly_end(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running(), ThreadPoolExecutor(20) as pool:
            done = streams(pool, daemon.port, 10, "mock-n40-d20")
            time.sleep(0.3)
            os.kill(daemon.workers()[0], signal.SIGTERM)
            later = streams(pool, daemon.port, 10, "mock-n5-d10")
            bodies = [each.result()[1] for each in done + later]
            assert all(b"[DONE]" in body for body in bodies)
            assert {frames(body) for body in bodies[:10]} == {frames(bodies[0])}


def test_a_worker_dies_of_no_reload_while_it_starts(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            before = daemon.workers()
            os.kill(before[0], signal.SIGKILL)
            # Python takes a good part of a second to come up behind it.
            wait_for(lambda: set(daemon.workers()) - set(before), "the next worker")
            daemon.config["routes"][0]["uri"] = "/other/*"
            daemon.write()
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: daemon.version()["version"] == 2, "the reload")
            assert {chat(daemon.port)[0] for _ in range(20)} == {404}
        assert daemon.log.read_text().count("has died") == 1


def test_a_worker_comes_back_on_the_sockets_there_are(tmp_path: Path) -> None:
    """Though the file has others by now: those take a restart of the whole."""
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            daemon.config["server"]["listen"].append(f"tcp:{free_port()}")
            daemon.write()
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: daemon.version()["version"] == 2, "the reload")
            before = daemon.workers()
            for worker in before:
                os.kill(worker, signal.SIGKILL)
            wait_for(lambda: not daemon.ready(), "the end of all")
            wait_for(daemon.ready, "others in their place")
            assert chat(daemon.port)[0] == 200
        log = daemon.log.read_text()
        assert log.count("has died") == 2
        assert "server.listen" in log


def test_a_worker_comes_back_though_the_file_is_wrong(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            daemon.path.write_text("{")
            wait_for(lambda: daemon.version()["error"], "the refusal")
            for worker in daemon.workers():
                os.kill(worker, signal.SIGKILL)
            wait_for(lambda: not daemon.ready(), "the end of all")
            wait_for(daemon.ready, "others in their place")
            assert chat(daemon.port)[0] == 200
        assert daemon.log.read_text().count("has died") == 2


def test_logs_are_opened_anew_though_the_file_is_wrong(tmp_path: Path) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=2)
        with daemon.running():
            both = "Front starting"
            wait_for(lambda: daemon.log.read_text().count(both) == 2, "both workers")
            daemon.path.write_text("{")
            daemon.records.rename(tmp_path / "access.log.1")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(daemon.records.exists, "the new log")


def test_the_operator_is_warned_of_open_credentials(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, 1, workers=2, listen=[f"tcp:{free_port()}"])
    with daemon.running():
        assert "ANYBODY" in daemon.log.read_text()
