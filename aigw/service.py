"""
The gateway as a Twisted service, built whole from Settings: what the daemon runs behind
its listeners, and what another Twisted program mounts in a site of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from aigw.config.settings import Settings
from aigw.dialects import Dialects
from aigw.exchange.answer import Answers
from aigw.exchange.serve import Serve
from aigw.framing import Framings
from aigw.http.upstream import Upstream
from aigw.interfaces import IDialect, IFraming, IProvider, IRecorder
from aigw.providers import built_in
from aigw.routing.balance import BUILT_IN, Make
from aigw.routing.cluster import MakeRanker
from aigw.routing.clusters import Clusters
from aigw.routing.match import Match
from aigw.routing.probe import Prober
from aigw.signing.signing import Signing, load_for
from aigw.streaming.flush import Flush
from aigw.streaming.timers import Wheel

#: How often a drain looks whether the last exchange has ended, seconds.
_LOOK = 0.05


class Gateway(Service):
    """
    Everything between a front and the providers. Serves from the moment it is made;
    stopping it drains: exchanges under way may run on for the graceful timeout, then
    each is told and cut.

    :param reactor: TCP, time, threads and name resolution.
    :param recorder: who is told of each exchange.
    :param providers: providers beside the built-in ones, by name.
    :param framings: framings beside the built-in ones.
    :param dialects: dialects beside the built-in ones.
    :param balancers: what makes balancers beside the built-in ones, by name.
    :param rankers: what makes third parties' rankers, by name.
    :param probes: whether to probe the instances that have ``checks``; False where
        another process does it and tells ``clusters``.
    :ivar serve: serves one request; what a front calls, and what
        :class:`aigw.http.resource.GatewayResource` takes.
    :ivar settings: the configuration in use.
    :ivar wheel: the deadlines of the process, for the fronts.
    :ivar clusters: what is known of the instances of each route.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        recorder: IRecorder,
        *,
        providers: Mapping[str, IProvider] | None = None,
        framings: Iterable[IFraming] = (),
        dialects: Iterable[IDialect] = (),
        balancers: Mapping[str, Make] | None = None,
        rankers: Mapping[str, MakeRanker] | None = None,
        probes: bool = True,
    ) -> None:
        every = {**built_in(), **(providers or {})}
        self.wheel = Wheel(reactor)
        self._reactor = reactor
        self._flush = Flush(reactor)
        self._upstream = Upstream(reactor, self.wheel)
        self._signing = Signing(reactor, time.time, self._upstream)
        self.clusters = Clusters(
            {**BUILT_IN, **(balancers or {})}, rankers=rankers or {}
        )
        self.serve = Serve(
            self._upstream,
            recorder,
            self.wheel,
            Answers(Framings(framings), self._flush, self.wheel),
            every,
            time.time,
            self._signing,
            self.clusters,
            Dialects(dialects),
        )
        self._prober: Prober | None = None
        if probes:
            self._prober = Prober(
                reactor, self._upstream, self.wheel, every, self.clusters
            )
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """
        Serve by ``settings`` from now on. Exchanges under way keep what they began
        with; listeners and logs are not this service's business.
        """
        self.clusters.use(settings.routes)  # may refuse, so it stands first
        load_for(settings.routes)
        self.settings = settings
        self.serve.use(Match(settings.routes))
        if self._prober is not None:
            self._prober.use(settings.server.disable_upstream_healthcheck)

    def stopService(self) -> Deferred[None]:
        """Drain, then let go of the providers. Fires when all has ended."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self.drain(self.settings.server.graceful_timeout)
        self._signing.stop()
        if self._prober is not None:
            self._prober.stop()
        await self._upstream.stop()
        self._flush.stop()
        self.wheel.stop()

    @property
    def tables(self) -> tuple[set[Any], ...]:
        """What has an entry for each exchange or connection to a provider."""
        return self.serve.open, self._upstream.pool.open

    def instances(self) -> list[dict[str, Any]]:
        """What is known of the instances of each route that has several."""
        return self.clusters.told(self._reactor.seconds())

    async def drain(self, patience: float) -> None:
        """
        Wait for the exchanges under way, ``patience`` seconds at most, then end those
        left: told by a frame or a status, and cut.
        """
        serve = self.serve
        serve.ready = False
        until = self._reactor.seconds() + patience
        while serve.open and self._reactor.seconds() < until:
            await deferLater(self._reactor, _LOOK)
        for exchange in list(serve.open):
            exchange.shut_down()
