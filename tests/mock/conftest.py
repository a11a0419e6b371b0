"""A mock provider on a loopback socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet.defer import maybeDeferred

from aigw.mock import Mock

from .client import Client, Served


@pytest_twisted.async_yield_fixture
async def served() -> AsyncIterator[Served]:
    # Imported late: pytest reads this file before --reactor is obeyed.
    from twisted.internet import reactor

    mock = Mock(reactor)
    port = reactor.listenTCP(0, mock, interface="127.0.0.1")
    clients: list[Client] = []
    yield Served(mock, port.getHost().port, clients)
    for client in clients:
        await client.leave()
    await maybeDeferred(port.stopListening)
    await mock.stop()
