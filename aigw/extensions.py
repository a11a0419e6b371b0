"""What third parties add to a gateway, and configurations read in its knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.threads import deferToThreadPool

from aigw.config.load import load
from aigw.config.settings import Settings
from aigw.config.zero import zero
from aigw.interfaces import (
    IBalancer,
    IChatDialect,
    IDialect,
    IFraming,
    IProvider,
    IRanker,
)
from aigw.makers import Makers, discover
from aigw.providers import built_in
from aigw.reload import Reload
from aigw.routing.balance import BUILT_IN, Make
from aigw.routing.cluster import MakeRanker
from aigw.routing.clusters import Clusters
from aigw.signing.signing import load_for


class Extensions:
    """What third parties add, made once at start (see :mod:`aigw.makers`)."""

    def __init__(self, reactor: Any) -> None:
        makers = discover()
        self.framings: list[IFraming] = makers.every(IFraming, reactor)
        self.dialects: list[IDialect] = makers.every(IDialect, reactor)
        self.dialects += makers.every(IChatDialect, reactor)
        self.providers: dict[str, IProvider] = {
            provider.name: provider for provider in makers.every(IProvider, reactor)
        }
        #: Those of third parties and the built-in ones. One is made for each route.
        self.balancers: dict[str, Make] = {
            name: self._balancer(makers, name, reactor)
            for name in makers.names(IBalancer)
        } | dict(BUILT_IN)
        #: Those of third parties. One is made for each route that names it.
        self.rankers: dict[str, MakeRanker] = {
            name: self._ranker(makers, name, reactor) for name in makers.names(IRanker)
        }

    @staticmethod
    def _ranker(makers: Makers, name: str, reactor: Any) -> MakeRanker:
        def make(settings: Mapping[str, Any]) -> IRanker:
            made: IRanker = makers.make(IRanker, name, settings, reactor)
            return made

        return make

    @staticmethod
    def _balancer(makers: Makers, name: str, reactor: Any) -> Make:
        def make(random: Callable[[], float]) -> IBalancer:
            made: IBalancer = makers.make(IBalancer, name, {}, reactor)
            return made

        return make

    def load(
        self, source: str | bytes, environ: Mapping[str, str], name: str = ""
    ) -> Settings:
        """As :func:`aigw.config.load.load`, with all providers there are."""
        settings = load(
            source,
            environ,
            providers=self._hosts(),
            balancers=self.balancers.keys(),
            dialects={
                each: known.dialects for each, known in self.every_provider().items()
            },
            name=name,
        )
        # Made and forgotten: what a route names is there, and takes its settings.
        Clusters(self.balancers, rankers=self.rankers).use(settings.routes)
        load_for(settings.routes)
        return settings

    def zero(self, environ: Mapping[str, str], mock: str) -> Settings:
        """As :func:`aigw.config.zero.zero`, with all providers there are."""
        return zero(environ, providers=self._hosts(), mock=mock)

    def reload(
        self,
        reactor: Any,
        path: str,
        settings: Settings,
        environ: Mapping[str, str],
        use: Callable[[Settings], None],
        listen: Sequence[str],
        admin: Sequence[str],
        *,
        tells: bool = True,
    ) -> Reload:
        """
        What keeps a process at its file.

        :param use: puts settings in force.
        :param listen: endpoint descriptions of the command line, which win over the
            file, however often it is read.
        :param admin: likewise, of the admin listener.
        :param tells: whether the log is told what is wrong with the file; False where
            another process reads it too.
        """
        return Reload(
            path,
            settings,
            lambda data: self.load(data, environ, path).listening(listen, admin),
            use,
            reactor,
            lambda call: deferToThreadPool(reactor, reactor.getThreadPool(), call),
            tells=tells,
        )

    def every_provider(self) -> dict[str, IProvider]:
        """The built-in providers and those of third parties, by name."""
        return {**built_in(), **self.providers}

    def _hosts(self) -> dict[str, str | None]:
        every = self.every_provider()
        return {name: provider.host for name, provider in every.items()}
