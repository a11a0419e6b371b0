"""
A balancer of your own: each instance in turn, whatever its weight. Copy this file into
``aigw/plugins/`` of any directory on ``sys.path`` and name it in a route::

    balancer: {algorithm: in-turn}

Run alone it prints the first choices it would make:

    $ python examples/custom_balancer.py
    a b c a b c
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from aigw.interfaces import IBalancer, IMaker
from aigw.model.instance import Instance


@implementer(IBalancer)
class InTurn:
    """Asks first whoever has not been asked for the longest time."""

    name = "in-turn"

    def use(self, instances: Sequence[Instance]) -> None:
        self._turns = 0
        self._last = dict.fromkeys(instances, 0)

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        chosen = min(candidates, key=self._last.__getitem__)
        self._turns += 1
        self._last[chosen] = self._turns
        return chosen

    def began(self, instance: Instance, now: float) -> None:
        """Only turns count."""

    def first(self, instance: Instance, seconds: float, now: float) -> None:
        """Only turns count."""

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        """Only turns count."""


@implementer(IMaker)
class InTurnMaker:
    """Makes one for each route that names it."""

    name = "in-turn"
    makes = IBalancer

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> InTurn:
        return InTurn()


in_turn = InTurnMaker()


def main() -> None:
    """Choose among three instances."""
    instances = [Instance(name=name, provider="openai") for name in "abc"]
    balancer = InTurn()
    balancer.use(instances)
    print(*(balancer.pick(instances, "", 0.0).name for _ in range(6)))


if __name__ == "__main__":
    main()
