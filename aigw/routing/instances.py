"""
What is known of each instance: its health, its breaker, whether it asked for rest, and
what is under way at it. Balancers, probes and the admin listener read it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aigw.model.instance import Instance
from aigw.model.outcome import Verdict
from aigw.model.policy import Policy

from .breaker import Breaker
from .slots import Slots

#: Verdicts that say the instance is in trouble.
_TROUBLE = frozenset({Verdict.BROKEN, Verdict.OVERLOADED, Verdict.REFUSED})
#: Verdicts that say it does its work; a request's own fault is not its.
_WELL = frozenset({Verdict.OK, Verdict.REJECTED})


class Ticket:
    """
    An attempt under way, as the instance's facts count it.

    :ivar breaker: what the breaker gave it; None when it has heard enough of it.
    :ivar failed: what its end will say of the instance: True, False, or None while
        nothing is known.
    """

    __slots__ = ("breaker", "failed")

    def __init__(self, breaker: int) -> None:
        self.breaker: int | None = breaker
        self.failed: bool | None = None


class Standing:
    """
    What is known of one instance.

    :ivar instance: as configured now; a reload may replace it.
    :ivar healthy: what active checks say; True until they say otherwise.
    :ivar nodes: health by node address, where there are checks.
    """

    def __init__(self, instance: Instance, policy: Policy) -> None:
        self.instance = instance
        self.healthy = True
        self.nodes: dict[str, bool] = {}
        self.slots = Slots(instance.max_concurrent, instance.max_queued)
        self.breaker = None if policy.breaker is None else Breaker(policy.breaker)
        self.resting_until = float("-inf")
        self._cooldown = policy.cooldown

    def renew(self, instance: Instance, policy: Policy) -> None:
        """The configuration was reloaded; what is known of the instance stays."""
        if instance.check is None or instance.check != self.instance.check:
            self.heard({})
        self.instance = instance
        self._cooldown = policy.cooldown
        rule = policy.breaker
        if rule is None or self.breaker is None or self.breaker.rule != rule:
            self.breaker = None if rule is None else Breaker(rule)
        self.slots.most = instance.max_concurrent
        self.slots.room = instance.max_queued
        self.slots.fill()

    def heard(self, nodes: Mapping[str, bool]) -> bool:
        """
        Probes say this of its nodes: it is healthy if one of them is, or none is known.

        :returns: whether that is news.
        """
        if nodes == self.nodes:
            return False
        self.nodes = dict(nodes)
        self.healthy = not nodes or any(nodes.values())
        return True

    def trouble(self, now: float) -> tuple[int, float]:
        """
        How bad it looks, for comparison: ``(0, 0.0)`` is well; then resting (the sooner
        over the better), breaker open, unhealthy.
        """
        grade = 0
        if not self.healthy:
            grade += 4
        if self.breaker is not None and not self.breaker.lets(now):
            grade += 2
        if self.resting_until > now:
            return grade + 1, self.resting_until
        return grade, 0.0

    def began(self) -> Ticket:
        """An attempt begins; its slot was taken by who chose."""
        return Ticket(0 if self.breaker is None else self.breaker.began())

    def judged(
        self, ticket: Ticket, verdict: Verdict, retry_after: float | None, now: float
    ) -> None:
        """The provider's answer was judged."""
        if verdict in (Verdict.THROTTLED, Verdict.OVERLOADED) and retry_after:
            until = now + min(retry_after, self._cooldown)
            self.resting_until = max(self.resting_until, until)
        if verdict in _TROUBLE:
            ticket.failed = True
        elif verdict in _WELL:
            ticket.failed = False

    def first(self, ticket: Ticket, now: float) -> None:
        """
        The attempt's first content has come. That is enough for a breaker that tries
        the instance again: a stream may go on for minutes.
        """
        breaker = self.breaker
        if breaker is None or ticket.breaker is None or breaker.phase != "half_open":
            return
        breaker.ended(ticket.breaker, False, now)
        ticket.breaker = breaker.began() if breaker.phase == "closed" else None

    def ended(self, ticket: Ticket, now: float) -> None:
        """The attempt is over: its slot is free."""
        if self.breaker is not None and ticket.breaker is not None:
            self.breaker.ended(ticket.breaker, ticket.failed, now)
        self.slots.give_back()

    def told(self, now: float) -> dict[str, Any]:
        """Its state in plain words, for the admin listener."""
        resting = self.resting_until - now
        told: dict[str, Any] = {
            "name": self.instance.name,
            "provider": self.instance.provider,
            "healthy": self.healthy,
            "in_flight": self.slots.taken,
            "queued": self.slots.waiting,
            "cooldown_ms": max(0, round(resting * 1000)) if resting > 0 else 0,
            "breaker": "off" if self.breaker is None else self.breaker.phase,
        }
        if self.instance.check is not None:
            told["nodes"] = [
                {"address": address, "healthy": healthy}
                for address, healthy in sorted(self.nodes.items())
            ]
        return told
