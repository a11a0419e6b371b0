"""The mock provider and a gateway behind one of its fronts, on sockets of loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from aigw.config.load import load
from aigw.config.settings import Settings
from aigw.http.front import Front
from aigw.http.site import GatewaySite
from aigw.mock import Mock
from aigw.mock.seen import Seen
from aigw.model.record import Record
from aigw.providers import built_in
from aigw.service import Gateway
from tests.exchange.site import Kept

from .client import Client, connect, until

reactor: Any = _reactor


def settings(port: int, server: dict[str, Any], fields: dict[str, Any]) -> Settings:
    """
    A configuration with one provider, the mock at ``port``.

    :param server: fields of ``server``.
    :param fields: fields of every route's ``ai-proxy``.
    """
    plugin = {
        "provider": "openai-compatible",
        "auth": {},
        "override": {"endpoint": f"http://127.0.0.1:{port}"},
        # What was sent is what must arrive.
        "stream_usage": "client",
        **fields,
    }
    bedrock = {
        "provider": "bedrock",
        "provider_conf": {"region": "us-east-1"},
        "auth": {"header": {"Authorization": "Bearer k"}},
        **fields,
    }

    def written(plugin: dict[str, Any]) -> str:
        return "\n".join(f"      {key}: {json.dumps(plugin[key])}" for key in plugin)

    text = f"""
server: {json.dumps({"graceful_timeout_ms": 200, **server})}
routes:
- id: openai
  uri: /v1/*
  plugins:
    ai-proxy:
{written(plugin)}
- id: bedrock
  uri: /model/*
  plugins:
    ai-proxy:
{written({**plugin, **bedrock})}
"""
    hosts = {name: provider.host for name, provider in built_in().items()}
    return load(text.encode(), {}, providers=hosts, name="loopback.yaml")


def front_of(name: str, gateway: Gateway) -> Any:
    """The front of that name, ``site`` or ``channel``, as a factory."""
    serve = gateway.serve
    if name == "site":
        return GatewaySite(serve, reactor, refused=serve.refused)
    return Front(serve, gateway.wheel, refuse=serve.refusal, refused=serve.refused)


def watched() -> set[object]:
    """The sockets the reactor watches."""
    return set(reactor.getReaders()) | set(reactor.getWriters())


class House:
    """
    A gateway and its provider.

    :param front: ``site`` or ``channel``.
    :param configured: makes the settings from the mock's port, instead.
    """

    def __init__(
        self,
        front: str,
        server: dict[str, Any],
        fields: dict[str, Any],
        configured: Callable[[int], Settings] | None = None,
    ) -> None:
        self._before = watched()
        self.front = front
        self.mock = Mock(reactor, keep_bytes=1 << 26)
        self._mock_port = reactor.listenTCP(0, self.mock, interface="127.0.0.1")
        self.kept = Kept()
        port = self._mock_port.getHost().port
        made = configured(port) if configured else settings(port, server, fields)
        self.gateway = Gateway(reactor, made, self.kept)
        self.factory = front_of(front, self.gateway)
        self._listening = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.port: int = self._listening.getHost().port
        self.clients: list[Client] = []

    async def connect(self, *, receive_buffer: int = 0) -> Client:
        client = await connect(self.port, receive_buffer=receive_buffer)
        self.clients.append(client)
        return client

    async def ask(self, request: bytes, *, receive_buffer: int = 0) -> Client:
        """Send ``request`` on a connection of its own."""
        client = await self.connect(receive_buffer=receive_buffer)
        client.send(request)
        return client

    async def seen(self) -> Seen:
        """What the provider knows of the latest request, once it has one."""
        await until(lambda: self.mock.requests)
        return self.mock.requests[-1]

    async def record(self) -> Record:
        """The record of the one exchange there was, once it is over."""
        await until(lambda: self.kept.records)
        assert len(self.kept.records) == 1, self.kept.records
        return self.kept.records[0]

    async def close(self) -> None:
        """Close all; nothing may be left, and every exchange have its record."""
        for client in self.clients:
            if client.gone is None:
                client.rst()
        await self._listening.stopListening()
        await until(lambda: not self.gateway.serve.open)
        await self.gateway.stopService()
        await self._mock_port.stopListening()
        await self.mock.stop()
        await until(lambda: not watched() - self._before)


async def still(seen: Seen) -> None:
    """Wait until the provider is held: it has sent nothing for a while."""
    sent = -1
    while seen.sent_bytes != sent:
        assert seen.sent_bytes < 50_000_000, "nothing holds the provider"
        sent = seen.sent_bytes
        await deferLater(reactor, 0.1)
