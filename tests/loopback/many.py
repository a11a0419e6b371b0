"""A gateway whose route has several instances, each the mock in a mood of its own."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred

from aigw.config.load import load
from aigw.config.settings import Settings
from aigw.mock import Mock
from aigw.providers import built_in

from .client import reactor
from .house import House


class Many(House):
    """
    :param models: instance name to the model it asks the mock for.
    :param ports: instance name to the port it is at, where that is not the mock's own.
    :param fields: fields of ``ai-proxy-multi``.
    """

    def __init__(
        self,
        models: dict[str, str],
        ports: dict[str, int] | None = None,
        each: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        def settings(port: int) -> Settings:
            instances = [
                {
                    "name": name,
                    "provider": "openai-compatible",
                    "weight": 1,
                    "auth": {},
                    "options": {"model": model} if model else {},
                    "override": {
                        "endpoint": f"http://127.0.0.1:{(ports or {}).get(name, port)}"
                    },
                    **(each or {}),
                }
                for name, model in models.items()
            ]
            multi = {"instances": instances, "stream_usage": "client", **fields}
            route = {"id": "many", "plugins": {"ai-proxy-multi": multi}}
            file = {
                "server": {"graceful_timeout_ms": 200},
                "routes": [
                    {**route, "uri": "/v1/*"},
                    {**route, "id": "bedrock", "uri": "/model/*"},
                    {**route, "id": "gemini", "uri": "/v1beta/*"},
                ],
            }
            hosts = {name: provider.host for name, provider in built_in().items()}
            return load(json.dumps(file).encode(), {}, providers=hosts)

        super().__init__("channel", {}, {}, settings)

    def asked(self) -> list[str]:
        """The models the mock was asked for, in order."""
        return [json.loads(seen.body)["model"] for seen in self.mock.requests]

    def times(self, model: str) -> int:
        """How often the mock was asked for that model, in whatever dialect."""
        name = model.encode()
        return sum(
            name
            in (seen.line + b" " + seen.body)
            .replace(b'"', b" ")
            .replace(b"/", b" ")
            .split()
            for seen in self.mock.requests
        )

    def told(self) -> dict[str, Any]:
        """What is known of each instance, by its name."""
        (state, *_) = self.gateway.clusters.told(reactor.seconds())
        return {each["name"]: each for each in state["instances"]}


class Second:
    """A second provider, which can be killed and revived at its port."""

    def __init__(self) -> None:
        self.mock = Mock(reactor)
        self._listening = reactor.listenTCP(0, self.mock, interface="127.0.0.1")
        self.port: int = self._listening.getHost().port

    async def kill(self) -> None:
        """Refuse connections, and reset those there are."""
        await self._listening.stopListening()
        gone: Deferred[None] = self.mock.stop()
        await gone

    def revive(self) -> None:
        self._listening = reactor.listenTCP(self.port, self.mock, interface="127.0.0.1")
