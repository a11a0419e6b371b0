"""The commands and the snippet of docs/mock.md run."""

from __future__ import annotations

import re
import subprocess

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from .client import CHAT, Client, Served, chat, post
from .test_documented import PAGE

COMMANDS = re.findall(r"^\$ (curl .*)$", PAGE.read_text(), re.MULTILINE)


def shell(command: str) -> bytes:
    return subprocess.run(
        ["/bin/sh", "-c", command], check=True, stdout=subprocess.PIPE, timeout=20
    ).stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest_twisted.ensureDeferred
async def test_a_command_of_the_page_is_answered(command: str, served: Served) -> None:
    assert "127.0.0.1:9081/" in command
    command = command.replace("127.0.0.1:9081", f"127.0.0.1:{served.port}")
    said = await deferToThread(shell, command)
    assert said
    for seen in served.mock.requests:
        assert seen.state == "complete"
        assert seen.status == (429 if "status=429" in command else 200)


@pytest_twisted.ensureDeferred
async def test_the_snippet_of_the_page_sees_the_peer_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred
    from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    ports = []
    listen = reactor.listenTCP

    def listening(*args: object, **more: object) -> object:
        ports.append(listen(*args, **more))
        return ports[-1]

    monkeypatch.setattr(reactor, "listenTCP", listening)
    scope: dict[str, object] = {}
    exec(code, scope)
    leaving = Deferred.fromCoroutine(scope["the_peer_leaves"]())
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", ports[0].getHost().port)
    client = await connectProtocol(endpoint, Client())
    client.transport.write(post(CHAT, chat("mock-stall3")))
    await client.until(lambda: client.data.count(b"\n\n") == 3)
    await client.leave()
    assert await leaving >= 0
