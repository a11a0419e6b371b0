"""
Consistent hashing: equal keys go to the same instance, and keep to it.

The ring holds 160 points for each unit of weight (weights divided by their greatest
common divisor) of *every* instance of the route, whatever its health. An instance that
may not be chosen is passed over by walking on, so the keys of all others stay where
they are, and its own come back to it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from hashlib import blake2b
from math import gcd
from typing import Final

from zope.interface import implementer

from aigw.interfaces.balancer import IBalancer
from aigw.model.instance import Instance

#: Points on the ring for a unit of weight; the reference's figure.
POINTS: Final = 160
#: The most units on a ring. Weights that need more are scaled down, to a thousandth's
#: precision: 160,000 points are built in half a second and take 20 MB.
UNITS: Final = 1000


def units(weights: Sequence[int]) -> list[int]:
    """Weights in the smallest whole units with their proportions; 0 stays 0."""
    divisor = gcd(*weights) or 1
    shares = [weight // divisor for weight in weights]
    total = sum(shares)
    if total <= UNITS:
        return shares
    return [max(1, share * UNITS // total) if share else 0 for share in shares]


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


@implementer(IBalancer)
class ConsistentHash:
    """See the module."""

    name = "chash"

    def __init__(self) -> None:
        self._points: list[int] = []
        self._owners: list[Instance] = []

    def use(self, instances: Sequence[Instance]) -> None:
        shares = units([instance.weight for instance in instances])
        ring = sorted(
            (_hash(f"{instance.name}\0{number}"), place)
            for place, instance in enumerate(instances)
            for number in range(shares[place] * POINTS)
        )
        self._points = [point for point, _ in ring]
        self._owners = [instances[place] for _, place in ring]

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        wanted = set(candidates)
        owners = self._owners
        start = bisect(self._points, _hash(key))
        for step in range(len(owners)):
            owner = owners[(start + step) % len(owners)]
            if owner in wanted:
                return owner
        return candidates[0]

    def began(self, instance: Instance, now: float) -> None:
        """Only the key decides."""

    def first(self, instance: Instance, seconds: float, now: float) -> None:
        """Only the key decides."""

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        """Only the key decides."""
