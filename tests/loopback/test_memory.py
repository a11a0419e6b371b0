"""What a client that does not read costs the gateway, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from aigw.mock import Mock

from .client import Client, chat, connect, post, reactor, stream, until
from .conftest import Open
from .house import still, watched

ROOT = Path(__file__).parents[2]

framings = pytest.mark.parametrize("framing", ["sse", "aws-eventstream"])


class Alone:
    """
    A gateway process and its provider, which is in this process.

    :ivar pid: the gateway's process id.
    """

    def __init__(self, front: str) -> None:
        self._before = watched()
        self.mock = Mock(reactor, keep_bytes=0)
        self._mock_port = reactor.listenTCP(0, self.mock, interface="127.0.0.1")
        port = str(self._mock_port.getHost().port)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.loopback.alone", front, port],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def memory(self) -> int:
        """Resident bytes that are the process's own: its heap, no mapped files."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if "RssAnon" in line)
        return int(line.split()[1]) * 1024

    async def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        await self._mock_port.stopListening()
        await self.mock.stop()
        await until(lambda: not watched() - self._before)


@framings
@pytest_twisted.ensureDeferred
async def test_a_client_that_never_reads_costs_under_1_mb(
    front: str, framing: str
) -> None:
    alone = Alone(front)
    clients: list[Client] = []

    async def stall(knobs: str) -> None:
        client = await connect(alone.port, receive_buffer=8192)
        clients.append(client)
        client.pause()
        client.send(stream(framing, knobs))
        count = len(clients)
        await until(lambda: len(alone.mock.requests) == count)
        await still(alone.mock.requests[-1])

    try:
        # The first has all modules loaded and all caches filled, then goes.
        await stall("endless-s1000")
        clients[0].rst()
        await until(lambda: alone.mock.requests[0].left)
        before = alone.memory
        for size in (1000, 60_000) * 2:
            await stall(f"endless-s{size}")
        each = (alone.memory - before) / 4
        for seen in list(alone.mock.requests)[1:]:
            assert seen.paused
            assert not seen.left
            assert seen.sent_bytes > 200_000  # held by backpressure, not by chance
        assert each < 1_000_000, f"{each:.0f} bytes a client"
    finally:
        for client in clients:
            if client.gone is None:
                client.rst()
        await alone.close()


@framings
@pytest.mark.parametrize("flush", [0, 10])
@pytest_twisted.ensureDeferred
async def test_nothing_is_missing_when_it_reads_again(
    house: Open, framing: str, flush: int
) -> None:
    here = house(streaming_flush_interval_ms=flush)
    # 16 MB; the client stops reading twice.
    asked = stream(framing, "n16000-s1000")
    client = await here.ask(asked, receive_buffer=65536)
    seen = await here.seen()
    for share in (100_000, 8_000_000):
        await until(lambda share=share: client.received > share, 20)
        client.pause()
        await still(seen)
        assert seen.state == "sending"
        client.resume()
    answer = await client.ended(20)
    assert answer.ended
    assert len(seen.sent) > 16_000_000
    assert answer.body == bytes(seen.sent)


@pytest_twisted.ensureDeferred
async def test_an_answer_that_ended_while_nobody_read_is_complete_in_the_end(
    house: Open,
) -> None:
    here = house()
    client = await here.connect(receive_buffer=8192)
    client.pause()
    client.send(post(chat("mock-n600-s1000")))
    seen = await here.seen()
    await until(lambda: seen.state == "complete")
    await deferLater(reactor, 0.3)  # longer than the end of HTTP is awaited
    client.resume()
    answer = await client.ended()
    assert answer.ended
    assert answer.body == bytes(seen.sent)
