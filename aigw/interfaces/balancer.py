"""Balancers: which of several instances is asked."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from aigw.model.instance import Instance


class IBalancer(Interface):
    """
    Chooses among the instances of one route, and lives as long as that route's
    configuration. Nothing here may block or raise. What it is told, per attempt and in
    this order: ``pick``, ``began``, at most one ``first``, ``ended``; attempts overlap.

    Health, priority levels, limits of concurrency and what was tried already are looked
    after by the caller: ``pick`` is shown only what may be chosen.
    """

    name: str = Attribute("The name used in configuration.")

    def use(instances: Sequence[Instance]) -> None:
        """Called once, before all else, with every instance of the route."""

    def pick(candidates: Sequence[Instance], key: str, now: float) -> Instance:
        """
        Choose.

        :param candidates: at least one instance, each of a weight above 0.
        :param key: what the route hashes on (``hash_on``), ``""`` where it has none.
        :param now: clock seconds.
        """

    def began(instance: Instance, now: float) -> None:
        """An attempt at ``instance`` has begun; not always one that was picked here."""

    def first(instance: Instance, seconds: float, now: float) -> None:
        """
        The attempt's first content came ``seconds`` after its start; or it had not come
        by then, and another attempt's had (hedging).
        """

    def ended(instance: Instance, failed: bool, now: float) -> None:
        """The attempt is over. ``failed`` only where the instance is to blame."""
