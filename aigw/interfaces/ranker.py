"""Rankers: which instances suit a request, by what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

from zope.interface import Interface

from aigw.model.instance import Instance


class IRanker(Interface):
    """Scores the instances of one route; lives as long as its configuration."""

    def use(instances: Sequence[Instance]) -> None:
        """
        Called once, before all else, with every instance of the route. Nothing is asked
        of anybody yet.
        """

    def rank(text: str) -> Awaitable[Mapping[Instance, float]]:
        """
        The score of each instance, the larger the better. May call out; cancelling what
        is awaited lets go of the call.

        :param text: what the request asks, not empty.
        :raises RankingFailed: there are no scores; its text says why and holds nothing
            of the request nor of an answer's body.
        """
