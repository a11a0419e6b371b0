"""The balancer of a semantic route, whose instances come in an order of their own."""

from __future__ import annotations

from .roundrobin import RoundRobin


class Unranked(RoundRobin):
    """Ranks come from an ``IRanker`` and go before any balancer."""

    name = "semantic"
