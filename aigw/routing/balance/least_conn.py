"""Least connections: the instance with the fewest attempts under way for its weight."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from aigw.interfaces.balancer import IBalancer
from aigw.model.instance import Instance

from .roundrobin import RoundRobin


@implementer(IBalancer)
class LeastConn:
    """Streams last long, so what is open says more than what was sent."""

    name = "least_conn"

    def __init__(self) -> None:
        self._open: dict[Instance, int] = {}
        self._turns = RoundRobin()  # among those with equally few

    def use(self, instances: Sequence[Instance]) -> None:
        self._open = dict.fromkeys(instances, 0)
        self._turns.use(instances)

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        load = {one: (self._open[one] + 1) / one.weight for one in candidates}
        least = min(load.values())
        equal = [one for one in candidates if load[one] == least]
        return self._turns.pick(equal, key, now)

    def began(self, instance: Instance, now: float) -> None:
        self._open[instance] += 1

    def first(self, instance: Instance, seconds: float, now: float) -> None:
        """How long it took does not count, only that it lasts."""

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        self._open[instance] -= 1
