"""
The order in which a semantic route's instances are asked. Whatever goes wrong, there is
an order: the fallback's, or the file's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from aigw.errors import RankingFailed
from aigw.interfaces import IRanker, IUpstream, IWheel
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.semantic import Semantic
from aigw.routing.cluster import Cluster
from aigw.routing.rank import SemanticRanker
from aigw.routing.similarity import asked, order

from .exchange import Exchange

log = Logger()

#: How long the log is spared of further warnings of one route, seconds.
_QUIET: Final = 10.0


class Rankings:
    """The rankers of all routes; each lives as long as its route's configuration."""

    def __init__(self, upstream: IUpstream, wheel: IWheel) -> None:
        self._upstream = upstream
        self._wheel = wheel
        self._rankers: WeakKeyDictionary[Cluster, IRanker] = WeakKeyDictionary()
        self._warned: WeakKeyDictionary[Cluster, float] = WeakKeyDictionary()

    async def order(
        self, exchange: Exchange, cluster: Cluster, eligible: Sequence[Instance]
    ) -> list[Instance]:
        """
        ``eligible`` in the order they are to be asked.

        :raises GatewayError: a deadline passed meanwhile.
        """
        semantic = cluster.policy.semantic
        assert semantic is not None, "this route is not ranked"
        try:
            scores = await self._scores(exchange, cluster, semantic)
        except RankingFailed as error:
            scores = {}
            self._warn(cluster, str(error))
        ordered, alike = order(scores, eligible, semantic)
        if scores and not alike:
            self._warn(cluster, "no instance is like the request")
        if semantic.debugging:
            exchange.extra = [*exchange.extra, *_told(scores, ordered[0], alike)]
        return ordered

    async def _scores(
        self, exchange: Exchange, cluster: Cluster, semantic: Semantic
    ) -> Mapping[Instance, float]:
        text = asked(exchange.dialect.prompt(exchange.envelope))
        if not text:
            raise RankingFailed("the request has no user message")
        ranker = cluster.ranker or self._by_embeddings(cluster, semantic)
        ranking = Deferred.fromCoroutine(_ranked(ranker, text))
        try:
            return await exchange.wait(ranking)
        except CancelledError:
            if exchange.downstream.lost:
                raise
            raise RankingFailed("the ranker was cancelled") from None

    def _by_embeddings(self, cluster: Cluster, semantic: Semantic) -> IRanker:
        ranker = self._rankers.get(cluster)
        if ranker is None:
            assert semantic.embedding is not None, "there is one or the other"
            ranker = SemanticRanker(self._upstream, self._wheel, semantic.embedding)
            ranker.use(cluster.route.instances)
            self._rankers[cluster] = ranker
        return ranker

    def _warn(self, cluster: Cluster, why: str) -> None:
        now = self._wheel.seconds()
        if now - self._warned.get(cluster, float("-inf")) < _QUIET:
            return
        self._warned[cluster] = now
        log.warn(
            "Route {route} is served without ranks: {why}.",
            route=cluster.route.id,
            why=why,
        )


async def _ranked(ranker: IRanker, text: str) -> Mapping[Instance, float]:
    """:raises RankingFailed: there are no scores, for whatever reason."""
    try:
        return await ranker.rank(text)
    except (RankingFailed, CancelledError):
        raise
    except Exception as error:  # a third party's mistake costs ranks, not the answer
        log.failure("A ranker failed.")
        raise RankingFailed("the ranker failed") from error


def _told(scores: Mapping[Instance, float], first: Instance, alike: bool) -> Headers:
    best = sorted(scores, key=scores.__getitem__, reverse=True)
    listed = ",".join(f"{visible(one.name)}:{scores[one]:.4f}" for one in best)
    picked = visible(first.name) if alike else "fallback"
    return [
        (b"x-ai-semantic-scores", listed.encode("ascii")),
        (b"x-ai-semantic-picked-instance", picked.encode("ascii")),
    ]


def visible(name: str) -> str:
    """A name as a field's value: what no header may hold is left out."""
    return "".join(letter for letter in name if " " <= letter <= "~")
