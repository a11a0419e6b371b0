"""
A cluster: the instances behind one route, what is known of them, and who chooses.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aigw.errors import ConfigError
from aigw.interfaces import IRanker
from aigw.model.instance import Instance
from aigw.model.outcome import Verdict
from aigw.model.policy import Policy
from aigw.model.route import Route

from .balance import BUILT_IN, Make
from .budget import Budget
from .instances import Standing, Ticket
from .slots import Waiting

#: Makes a third party's ranker with the settings that a route gives it.
MakeRanker = Callable[[Mapping[str, Any]], IRanker]


class Lease:
    """
    An attempt's place at an instance, from the choice to the end. ``release`` must be
    called exactly once, whatever became of the attempt.
    """

    __slots__ = ("_cluster", "_first", "_standing", "_started", "_ticket", "instance")

    def __init__(self, cluster: Cluster, instance: Instance, now: float) -> None:
        self.instance = instance
        self._cluster = cluster
        self._standing = standing = cluster.standings[instance]
        self._started = now
        self._first = False
        self._ticket: Ticket = standing.began()
        try:
            cluster.balancer.began(self.instance, now)
        except BaseException:  # a third party's mistake must not keep the slot
            standing.ended(self._ticket, now)
            raise

    def judged(self, verdict: Verdict, retry_after: float | None, now: float) -> None:
        """
        The attempt was judged; a later judgement of trouble stands against an earlier
        one that all was well.
        """
        self._standing.judged(self._ticket, verdict, retry_after, now)

    def first(self, now: float) -> None:
        """Its first content has come. Idempotent."""
        if not self._first:
            self._first = True
            self._standing.first(self._ticket, now)
            self._cluster.balancer.first(self.instance, now - self._started, now)

    def outrun(self, now: float) -> None:
        """
        Another attempt had content sooner; how long this one had none is what is known
        of its instance's pace. Without it the slowest would look like the fastest.
        """
        if not self._first:
            self._first = True
            self._cluster.balancer.first(self.instance, now - self._started, now)

    def release(self, now: float) -> None:
        """The attempt is over."""
        failed = self._ticket.failed is True
        try:
            self._cluster.balancer.ended(self.instance, failed, now)
        finally:
            self._standing.ended(self._ticket, now)


class Cluster:
    """
    See the module.

    :param route: a route with a policy.
    :param before: the cluster of the same route before a reload: what it knows of
        instances that are still there stays known.
    :param balancers: the balancers there are, by name.
    :param random: numbers from 0 up to 1.
    :param rankers: what makes third parties' rankers, by name; None where nobody asks
        them (the parent of workers).
    :ivar ranker: the third party's that ranks the instances, or None.
    :ivar warned: whether requests without a key to hash on have been told of.
    :raises ConfigError: the policy names a balancer or ranker there is none of.
    """

    def __init__(
        self,
        route: Route,
        before: Cluster | None = None,
        balancers: Mapping[str, Make] = BUILT_IN,
        random: Callable[[], float] = random.random,
        rankers: Mapping[str, MakeRanker] | None = None,
    ) -> None:
        self.route = route
        self.policy: Policy = route.policy or Policy()
        self.random = random
        self.budget = Budget()
        self.warned = False
        make = balancers.get(self.policy.balancer)
        if make is None:
            there = ", ".join(sorted(balancers))
            name = self.policy.balancer
            raise ConfigError([f"route {route.id}: no balancer {name!r}; {there}"])
        self.balancer = make(random)
        self.balancer.use(route.instances)
        self.ranker = None if rankers is None else self._ranker(rankers)
        known = {} if before is None else before._by_identity()
        self.standings: dict[Instance, Standing] = {}
        for instance in route.instances:
            standing = known.get(_identity(instance))
            if standing is None:
                standing = Standing(instance, self.policy)
            else:
                standing.renew(instance, self.policy)
            self.standings[instance] = standing

    def _ranker(self, rankers: Mapping[str, MakeRanker]) -> IRanker | None:
        semantic = self.policy.semantic
        if semantic is None or not semantic.ranker:
            return None
        make = rankers.get(semantic.ranker)
        if make is None:
            there = ", ".join(sorted(rankers)) or "none"
            text = f"no ranker {semantic.ranker!r}; there are: {there}"
            raise ConfigError([f"route {self.route.id}: {text}"])
        ranker = make(semantic.settings)
        ranker.use(self.route.instances)
        return ranker

    def eligible(self, model: str, size: int) -> list[Instance]:
        """
        The instances that may serve a request at all.

        :param model: the model the client named.
        :param size: of the request's body, bytes.
        """
        return [
            instance
            for instance in self.route.instances
            if instance.weight and size <= instance.max_body and instance.takes(model)
        ]

    def choose(
        self, among: Sequence[Instance], key: str, now: float, ranked: bool = False
    ) -> Instance | None:
        """
        The instance to ask next; its slot is taken.

        Of those that are well, the highest priority that has a free slot; where none is
        well, of the least bad ones. None where those have no free slot.

        :param among: at least one instance.
        :param ranked: whether they stand in the order they are to be asked in; no
            balancer then chooses, and priorities do not count.
        """
        free = [
            instance
            for instance in self._acceptable(among, now)
            if self.standings[instance].slots.free
        ]
        if not free:
            return None
        if ranked:
            chosen = free[0]
        else:
            level = max(instance.priority for instance in free)
            candidates = [one for one in free if one.priority == level]
            chosen = self.balancer.pick(candidates, key, now)
        self.standings[chosen].slots.take()
        return chosen

    def well(self, among: Sequence[Instance], now: float) -> list[Instance]:
        """Those in no trouble at all."""
        return [one for one in among if self.standings[one].trouble(now) == (0, 0.0)]

    def wait(
        self,
        among: Sequence[Instance],
        granted: Callable[[Instance], None],
        now: float,
    ) -> Waiting | None:
        """
        Wait for a slot of the instances that :meth:`choose` had in mind.

        :param granted: called once with the instance whose slot was taken.
        :returns: what ``leave`` may be called of; None where all queues are full.
        """
        acceptable = self._acceptable(among, now)
        owners = {self.standings[instance].slots: instance for instance in acceptable}
        waiting = Waiting(lambda slots: granted(owners[slots]))
        return waiting if waiting.join(owners) else None

    def lease(self, instance: Instance, now: float) -> Lease:
        """An attempt begins at ``instance``, whose slot was taken."""
        return Lease(self, instance, now)

    def node(self, instance: Instance) -> str | None:
        """
        The address to connect to, one of the healthy nodes that checks know; None
        leaves it to the resolver.
        """
        nodes = self.standings[instance].nodes
        healthy = [address for address, well in nodes.items() if well] or list(nodes)
        if not healthy:
            return None
        return healthy[int(self.random() * len(healthy))]

    def give_back(self, instance: Instance) -> None:
        """A slot was taken, and nothing was begun."""
        self.standings[instance].slots.give_back()

    def told(self, now: float) -> dict[str, Any]:
        """The state of all instances in plain words."""
        return {
            "route": self.route.id,
            "balancer": self.policy.balancer,
            "instances": [standing.told(now) for standing in self.standings.values()],
        }

    def _acceptable(self, among: Sequence[Instance], now: float) -> list[Instance]:
        """Those in the least trouble; all of them may be in some."""
        graded = [(self.standings[one].trouble(now), one) for one in among]
        least = min(trouble for trouble, _ in graded)
        return [instance for trouble, instance in graded if trouble == least]

    def _by_identity(self) -> dict[tuple[Any, ...], Standing]:
        return {_identity(instance): one for instance, one in self.standings.items()}


def _identity(instance: Instance) -> tuple[Any, ...]:
    """What makes an instance the same one after a reload."""
    return instance.name, instance.provider, instance.endpoint
