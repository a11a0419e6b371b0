"""Several instances: one asked after the other until one answers, or the plan ends."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aigw.errors import BadRequest, GatewayError
from aigw.interfaces import IWheel
from aigw.model.instance import Instance
from aigw.routing.cluster import Cluster
from aigw.routing.plan import Plan, Way
from aigw.streaming.continued_relay import ContinuedRelay

from . import choosing, ends
from .asking import Asking
from .exchange import Exchange
from .one_of import OneOf
from .prefix import continuable
from .race import Race
from .ranking import Rankings
from .resume import Resume

log = Logger()


class Several:
    """Asks the instances of a route with a policy."""

    def __init__(
        self,
        asking: Asking,
        one_of: OneOf,
        resume: Resume,
        rankings: Rankings,
        wheel: IWheel,
    ) -> None:
        self._asking = asking
        self._one_of = one_of
        self._resume = resume
        self._rankings = rankings
        self._wheel = wheel

    async def __call__(self, exchange: Exchange, cluster: Cluster) -> None:
        """:raises GatewayError: there is no answer; what the client is told instead."""
        eligible = choosing.eligible(exchange, cluster, self._asking)
        until = choosing.deadline(exchange, eligible)
        policy = cluster.policy
        if policy.semantic is not None:
            eligible = await self._rankings.order(exchange, cluster, eligible)
        plan = Plan(policy, eligible, cluster.budget, cluster.random, until)
        cluster.budget.request(self._wheel.seconds())
        if policy.continues and _go_on(eligible):
            exchange.call = continuable(exchange.dialect, exchange.envelope)
            exchange.continues = exchange.call is not None
        race = self._race(exchange, cluster, plan, len(eligible))
        among: Sequence[Instance] = eligible
        told: GatewayError | None = None
        while True:
            chosen = await choosing.choose(exchange, cluster, among, self._wheel)
            if race is None:
                step, error = await self._one_of(exchange, cluster, plan, chosen)
            else:
                step, error = await race.run(chosen)
            if error is None or step.way is not Way.NEXT:
                break
            _tell(cluster, chosen, error.status)
            if not isinstance(error, BadRequest):
                told = error
            exchange.fail_over()
            if step.delay:
                await self._pause(exchange, step.delay)
            among = step.among
        if error is not None:
            if told is not None and isinstance(error, BadRequest):
                error = told  # the last cannot be asked this; that failed nobody
            try:
                raise error if step.way is Way.RETURN else ends.exhausted(plan, error)
            finally:
                # Their tracebacks hold this frame: leave no ring behind.
                error = told = None
        told = None
        relay = exchange.relay
        if isinstance(relay, ContinuedRelay) and relay.suspended is not None:
            await self._resume(exchange, cluster, plan, relay)

    def _race(
        self, exchange: Exchange, cluster: Cluster, plan: Plan, several: int
    ) -> Race | None:
        """Where attempts may run side by side: an upload can be sent but once."""
        hedge = cluster.policy.hedge
        if hedge is None or several < 2 or exchange.upload is not None:
            return None
        return Race(exchange, cluster, plan, hedge, self._one_of, self._wheel)

    async def _pause(self, exchange: Exchange, seconds: float) -> None:
        over: Deferred[None] = Deferred()
        alarm = self._wheel.after(seconds, lambda: over.callback(None))
        try:
            await exchange.wait(over)
        finally:
            alarm.cancel()


def _go_on(eligible: Sequence[Instance]) -> bool:
    """Whether one of them may be left to go on with what another began."""
    return len(eligible) > 1 and any(one.prefill for one in eligible)


def _tell(cluster: Cluster, failed: Instance, status: int) -> None:
    log.info(
        "Instance {instance} of route {route} failed with status {status};"
        " falling back.",
        instance=failed.name,
        route=cluster.route.id,
        status=status,
    )
