"""The cases of memory: streams held open, clients that do not read, streams cut."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from .cases import HELD, Case, Unit
from .processes import Process, memory_kib
from .samples import Sample
from .tools import chat_body, load_command, mock_stats

#: How long a slow reader's proxy is watched, seconds.
_WATCHED = 6.0
#: How long after its streams a proxy may take to give their memory back, seconds.
_OVER = 15.0
#: How long streams may take to open or to go, seconds.
_OPENING = 90.0


class Bench:
    """
    What a case of memory is measured with.

    :param port: where the proxy listens.
    :param mock: the port of the mock provider, which tells the streams it has open.
    :param load_cores: where the load runs.
    """

    def __init__(
        self,
        proxy: Process,
        port: int,
        mock: int,
        headers: list[str],
        load_cores: str,
    ) -> None:
        self._proxy = proxy
        self._port = port
        self._mock = mock
        self._headers = headers
        self._cores = load_cores

    def measure(self, case: Case) -> Sample:
        """The sample of one case, from a proxy that has just been started."""
        match case.unit:
            case Unit.START:
                return self._start()
            case Unit.STREAM:
                return self._idle(case)
            case Unit.GROWTH:
                return self._slow(case)
            case _:
                return self._cut(case)

    def _memory(self) -> int:
        return memory_kib(self._proxy.pids)

    def _start(self) -> Sample:
        time.sleep(1)
        return Sample(self._memory() / 1024)

    def _wait_open(self, wanted: int) -> int:
        """Wait until the mock has as many streams open; how many it has."""
        end = time.monotonic() + _OPENING
        now = -1
        while time.monotonic() < end:
            now = mock_stats(self._mock)["open"]
            if now == wanted:
                break
            time.sleep(0.2)
        return now

    @contextmanager
    def _held(self, case: Case, streams: int) -> Iterator[int]:
        """Hold streams open; gives how many are."""
        one = load_command(case, self._port, 3600, 0, headers=self._headers)
        one[one.index("-c") + 1] = str(streams)
        one[one.index("-k") + 1] = "sse"
        load = subprocess.Popen(
            ["taskset", "-c", self._cores, *one, "-R", "500"],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield self._wait_open(streams)
        finally:
            load.kill()
            load.wait()

    def _warm(self, case: Case) -> None:
        # What is built for the first streams only is no cost of the others.
        with self._held(replace(case, model=HELD), 20):
            pass
        self._wait_open(0)

    def _idle(self, case: Case) -> Sample:
        self._warm(case)
        before = self._memory()
        with self._held(case, case.connections) as opened:
            time.sleep(1.5)
            grown = self._memory() - before
        if opened != case.connections:
            return Sample(None, problem=f"{opened} of {case.connections} streams open")
        return Sample(grown / opened, {"streams": opened, "grown_kib": grown})

    def _cut(self, case: Case) -> Sample:
        self._warm(case)
        time.sleep(_OVER)
        before = self._memory()
        after = []
        for _ in range(3):
            with self._held(case, case.connections) as opened:
                if opened != case.connections:
                    text = f"{opened} of {case.connections} streams open"
                    return Sample(None, problem=text)
            left = self._wait_open(0)
            if left:
                return Sample(None, problem=f"{left} streams still open")
            time.sleep(_OVER)
            # As before the streams: some have just been served.
            self._warm(case)
            time.sleep(1)
            after.append(self._memory())
        grown = (after[-1] / before - 1) * 100
        extra = {"before_kib": before, "first_kib": after[0], "last_kib": after[-1]}
        return Sample(grown, extra)

    def _slow(self, case: Case) -> Sample:
        self._warm(case)
        before = self._memory()
        most = before
        body = chat_body(case.model, True, 1000)
        fields = "".join(f"{field}\r\n" for field in self._headers)
        head = (
            f"POST {case.path} HTTP/1.1\r\nHost: localhost\r\n{fields}"
            "Content-Type: application/json\r\n"
            "Authorization: Bearer sk-test-1234567890abcdef\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        clients = []
        try:
            for _ in range(case.connections):
                client = socket.socket()
                clients.append(client)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", self._port))
                client.sendall(head.encode() + body)
            end = time.monotonic() + _WATCHED
            while time.monotonic() < end:
                time.sleep(0.1)
                most = max(most, self._memory())
            opened = mock_stats(self._mock)["open"]
        finally:
            for client in clients:
                client.close()
        if opened != case.connections:
            return Sample(None, problem=f"{opened} of {case.connections} streams open")
        return Sample((most - before) / case.connections, {"streams": opened})
