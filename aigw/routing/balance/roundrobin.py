"""Smooth weighted round robin: each its share, and no bursts of one instance."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from aigw.interfaces.balancer import IBalancer
from aigw.model.instance import Instance


@implementer(IBalancer)
class RoundRobin:
    """
    With every pick each candidate gains its weight in credit, and the one chosen pays
    what all have gained; so weights 4 and 1 give a a b a a, not a a a a b.
    """

    name = "roundrobin"

    def __init__(self) -> None:
        self._credit: dict[Instance, int] = {}

    def use(self, instances: Sequence[Instance]) -> None:
        self._credit = dict.fromkeys(instances, 0)

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        credit = self._credit
        total = 0
        best = candidates[0]
        for instance in candidates:
            total += instance.weight
            credit[instance] += instance.weight
            if credit[instance] > credit[best]:
                best = instance
        credit[best] -= total
        return best

    def began(self, instance: Instance, now: float) -> None:
        """Credit is all it counts."""

    def first(self, instance: Instance, seconds: float, now: float) -> None:
        """Credit is all it counts."""

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        """Credit is all it counts."""
