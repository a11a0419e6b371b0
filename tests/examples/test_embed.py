"""The embedding example runs: the gateway serves beside the program's own page."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[2]
STREAM = (
    b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


class Provider(BaseHTTPRequestHandler):
    """Answers every chat with one stream."""

    asked: list[str]

    def do_POST(self) -> None:
        type(self).asked = [self.path, self.headers["authorization"]]
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(STREAM)))
        self.end_headers()
        self.wfile.write(STREAM)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def program(upstream: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The example as a process, and its address."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "UPSTREAM": upstream,
        "UPSTREAM_KEY": "k",
    }
    arguments = [sys.executable, "examples/embed.py", "tcp:0:interface=127.0.0.1"]
    with subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, f"http://127.0.0.1:{int(line.split()[-1])}"
        finally:
            process.kill()


@pytest.mark.process
def test_the_example_streams_counts_and_stops(
    program: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = program
    body = json.dumps({"model": "m", "stream": True, "messages": []}).encode()
    chat = Request(
        f"{address}/ai/v1/chat/completions",
        body,
        {"content-type": "application/json"},
    )
    with urlopen(chat, timeout=10) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.read() == STREAM
    assert Provider.asked == ["/v1/chat/completions", "Bearer k"]
    with urlopen(f"{address}/served", timeout=10) as answer:
        assert json.load(answer) == {"completed": 1}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) in (0, -signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.read() == ""
