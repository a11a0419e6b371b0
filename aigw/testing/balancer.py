"""What every ``IBalancer`` must keep to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface.verify import verifyObject

from aigw.interfaces import IBalancer
from aigw.model.instance import Instance


def check_balancer(make: Callable[[], IBalancer]) -> None:
    """
    Hold a balancer to its interface: it chooses among what it is shown and nothing
    else, whatever has happened at the instances before.

    :param make: makes a fresh one.
    :raises AssertionError: it does not; the message says what was found.
    """
    made = make()
    verifyObject(IBalancer, made)
    assert isinstance(made.name, str), "a balancer has a name"
    assert made.name, "a balancer has a name"
    instances = [
        Instance(name=name, provider="openai", weight=weight)
        for name, weight in (("a", 1), ("b", 4), ("c", 2), ("unused", 0))
    ]
    made.use(instances)
    shown = instances[:3]
    _chooses(made, shown, 0.0)
    # Attempts overlap; each may succeed, fail, or end without any content.
    for turn in range(30):
        now = turn / 10
        one, other = shown[turn % 3], shown[(turn + 1) % 3]
        made.began(one, now)
        made.began(other, now)
        if turn % 2:
            made.first(one, 0.2, now + 0.2)
        made.ended(other, turn % 5 == 0, now + 0.3)
        made.ended(one, turn % 7 == 0, now + 0.4)
        _chooses(made, shown, now + 0.5)
    # An attempt that was not picked here, and one that ends much later.
    made.began(instances[3], 10.0)
    made.ended(instances[3], True, 1e6)
    _chooses(made, shown, 1e6)


def _chooses(made: IBalancer, shown: Sequence[Instance], now: float) -> None:
    for count in range(1, len(shown) + 1):
        for key in ("", "alice", "\udc80 any text"):
            chosen = made.pick(list(shown[:count]), key, now)
            assert chosen in shown[:count], (
                f"{made.name} chose {chosen!r}, which was not shown"
            )
