"""
The parent's watch over providers' health: one prober for all workers, who are told what
it finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aigw.config.settings import Settings
from aigw.http.upstream import Upstream
from aigw.interfaces import IProvider
from aigw.routing.clusters import Clusters
from aigw.routing.probe import Prober
from aigw.streaming.timers import Wheel

#: What only the worker that asks an instance knows of it.
_WORKERS: Final = frozenset({"breaker", "cooldown_ms", "in_flight", "queued"})


class Watch:
    """
    :param changed: called when a node's health has changed.
    """

    def __init__(
        self,
        reactor: Any,
        providers: Mapping[str, IProvider],
        balancers: Mapping[str, Any],
        changed: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._wheel = Wheel(reactor)
        self._upstream = Upstream(reactor, self._wheel)
        self._clusters = Clusters(balancers)
        self._prober = Prober(
            reactor, self._upstream, self._wheel, providers, self._clusters, changed
        )

    def use(self, settings: Settings) -> None:
        """Watch what ``settings`` asks for from now on."""
        self._clusters.use(settings.routes)
        self._prober.use(settings.server.disable_upstream_healthcheck)

    def health(self) -> dict[str, dict[str, dict[str, bool]]]:
        """What was found out, as :meth:`Clusters.heard` takes it."""
        return self._clusters.health()

    def instances(self) -> list[dict[str, Any]]:
        """The state of all instances, as far as it is the same for all workers."""
        told = self._clusters.told(self._reactor.seconds())
        for cluster in told:
            cluster["instances"] = [
                {key: item for key, item in one.items() if key not in _WORKERS}
                for one in cluster["instances"]
            ]
        return told

    async def stop(self) -> None:
        """Watch no more."""
        self._prober.stop()
        await self._upstream.stop()
        self._wheel.stop()
