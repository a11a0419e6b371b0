"""The clusters of all routes, and what of them outlives a reload."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aigw.model.route import Route

from .balance import BUILT_IN, Make
from .cluster import Cluster, MakeRanker


class Clusters:
    """
    One cluster for each route that has a policy.

    :param balancers: the balancers there are, by name.
    :param random: numbers from 0 up to 1.
    :param rankers: what makes third parties' rankers, by name; None where nobody asks
        them.
    """

    def __init__(
        self,
        balancers: Mapping[str, Make] = BUILT_IN,
        random: Callable[[], float] = random.random,
        rankers: Mapping[str, MakeRanker] | None = None,
    ) -> None:
        self._balancers = balancers
        self._random = random
        self._rankers = rankers
        self._made: dict[Route, Cluster] = {}

    def __iter__(self) -> Iterator[Cluster]:
        return iter(list(self._made.values()))

    def use(self, routes: Iterable[Route]) -> None:
        """
        Serve these routes from now on. What is known of an instance stays known where
        the new routes have it too.

        :raises ConfigError: a route names a balancer or ranker there is none of.
        """
        before = {route.id: cluster for route, cluster in self._made.items()}
        self._made = {
            route: self._make(route, before.get(route.id))
            for route in routes
            if route.policy is not None
        }

    def of(self, route: Route) -> Cluster:
        """The cluster of ``route``, which may be a route of before the last reload."""
        made = self._made.get(route)
        if made is not None:
            return made
        for known, cluster in self._made.items():
            if known.id == route.id:
                return self._make(route, cluster)
        return self._make(route, None)

    def health(self) -> dict[str, dict[str, dict[str, bool]]]:
        """What probes have found out: route, instance, node, whether it is healthy."""
        return {
            route.id: {
                standing.instance.name: standing.nodes
                for standing in cluster.standings.values()
                if standing.nodes
            }
            for route, cluster in self._made.items()
        }

    def heard(self, health: Mapping[str, Mapping[str, Mapping[str, bool]]]) -> None:
        """Somebody else's probes found this out; as :meth:`health` tells it."""
        for route, cluster in self._made.items():
            told = health.get(route.id, {})
            for standing in cluster.standings.values():
                if standing.instance.check is not None:
                    standing.heard(told.get(standing.instance.name, {}))

    def told(self, now: float) -> list[dict[str, Any]]:
        """The state of all instances in plain words."""
        return [cluster.told(now) for cluster in self._made.values()]

    def _make(self, route: Route, before: Cluster | None) -> Cluster:
        return Cluster(route, before, self._balancers, self._random, self._rankers)
