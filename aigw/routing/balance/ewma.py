"""
Peak EWMA of the time to the first token, by power of two choices.

The estimate of an instance jumps to a time that is longer than it and sinks slowly
towards shorter ones (exponentially, over ``DECAY`` seconds), so that one bad answer is
believed at once and a recovery is believed when it lasts. An instance that is not asked
sinks too, and gets its chance again. What is under way counts as a multiple of the
estimate: two candidates are drawn by weight, and the one that will likely answer first
is taken. Two, not all: the best of all would get every request at once.

After Finagle's ``Balancers.p2cPeakEwma``
(https://twitter.github.io/finagle/guide/Clients.html#load-balancing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from typing import Final

from zope.interface import implementer

from aigw.interfaces.balancer import IBalancer
from aigw.model.instance import Instance

#: Seconds in which what is known loses 63 % of its weight.
DECAY: Final = 10.0
#: Seconds that a failure counts as, at the least: a fast error is no fast answer.
FAILURE: Final = 1.0
#: Seconds assumed of an instance that is asked but has not answered yet.
UNKNOWN: Final = 1.0


class _Pace:
    """What is known of one instance's pace."""

    __slots__ = ("at", "estimate", "open")

    def __init__(self) -> None:
        self.estimate = 0.0
        self.at = float("-inf")
        self.open = 0

    def decayed(self, now: float) -> float:
        return self.estimate * exp(min(0.0, self.at - now) / DECAY)

    def learn(self, seconds: float, now: float) -> None:
        keep = exp(min(0.0, self.at - now) / DECAY)
        if seconds > self.estimate * keep:
            self.estimate = seconds
        else:
            self.estimate = self.estimate * keep + seconds * (1 - keep)
        self.at = now

    def cost(self, now: float) -> float:
        estimate = self.decayed(now)
        if not estimate and self.open:
            estimate = UNKNOWN
        return estimate * (self.open + 1)


@implementer(IBalancer)
class Ewma:
    """
    See the module.

    :param random: gives numbers from 0 up to 1.
    """

    name = "ewma"

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._paces: dict[Instance, _Pace] = {}

    def use(self, instances: Sequence[Instance]) -> None:
        self._paces = {instance: _Pace() for instance in instances}

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        if len(candidates) == 1:
            return candidates[0]
        one = self._draw(candidates)
        other = self._draw([rest for rest in candidates if rest is not one])
        costs = self._paces
        return one if costs[one].cost(now) <= costs[other].cost(now) else other

    def _draw(self, candidates: Sequence[Instance]) -> Instance:
        left = self._random() * sum(instance.weight for instance in candidates)
        for instance in candidates:
            left -= instance.weight
            if left < 0:
                return instance
        return candidates[-1]

    def began(self, instance: Instance, now: float) -> None:
        self._paces[instance].open += 1

    def first(self, instance: Instance, seconds: float, now: float) -> None:
        self._paces[instance].learn(seconds, now)

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        pace = self._paces[instance]
        pace.open -= 1
        if failed:
            pace.learn(max(FAILURE, 2 * pace.decayed(now)), now)
