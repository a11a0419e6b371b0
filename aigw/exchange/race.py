"""
Hedging: where an attempt is slow to begin, another is begun beside it.

The attempts of a race share the exchange's client through lanes; the first content
wins, and the others are stopped at once: their connections closed, their slots given
back, their entries in the record saying ``hedged``. One that fails leaves the race and
is noted with the plan; what follows is asked of the plan when the last has failed. So
a race ends as a single attempt does, and whoever runs it need not know the difference.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aigw.errors import GatewayError
from aigw.interfaces import IAlarm, IWheel
from aigw.model.instance import Instance
from aigw.model.outcome import Outcome
from aigw.model.policy import Hedge
from aigw.routing.cluster import Cluster
from aigw.routing.plan import Plan, Step, Way
from aigw.streaming.ending import outcome_of

from . import choosing
from .exchange import Exchange
from .lane import Lane
from .one_of import OneOf

log = Logger()

#: What a finished attempt gives: what follows, and the failure it follows.
Result = tuple[Step, GatewayError | None]


class Race:
    """
    The hedged attempts of one exchange; its ``max`` bounds them over all its runs.

    Invariants of a run. ``_over`` fires once: with the winner's result, or with that of
    the attempt whose failure left nobody in the race. When :meth:`run` returns, every
    attempt of it has ended.
    """

    def __init__(
        self,
        exchange: Exchange,
        cluster: Cluster,
        plan: Plan,
        hedge: Hedge,
        one_of: OneOf,
        wheel: IWheel,
    ) -> None:
        self._exchange = exchange
        self._cluster = cluster
        self._plan = plan
        self._delay = hedge.delay
        self._left = hedge.max
        self._one_of = one_of
        self._wheel = wheel
        self._tasks: dict[Lane, Deferred[Result]] = {}
        self._winner: Lane | None = None
        self._alarm: IAlarm | None = None
        self._over: Deferred[Result] = Deferred()

    async def run(self, instance: Instance) -> Result:
        """
        Ask ``instance``, whose slot was taken, and others where it is slow.

        :returns: as :class:`OneOf`.
        :raises GatewayError: likewise; or a deadline of the exchange has passed.
        """
        self._over = Deferred()
        self._begin(instance)
        self._wait()
        try:
            return await self._exchange.wait(self._over)
        except CancelledError:
            self._stop(Outcome.CLIENT_GONE, "")
            raise
        except GatewayError as error:
            self._stop(outcome_of(error), error.reason)
            raise
        finally:
            self._stop(Outcome.HEDGED, "hedged")
            self._winner = None

    def _begin(self, instance: Instance) -> None:
        lane = Lane(self._exchange, self._won, self._alone)
        task = Deferred.fromCoroutine(
            self._one_of(self._exchange, self._cluster, self._plan, instance, lane)
        )
        self._tasks[lane] = task
        task.addCallbacks(self._ended, self._failed, (lane,), errbackArgs=(lane,))

    # -- the clock

    def _wait(self) -> None:
        """Give those under way their time before another is begun."""
        if self._left and self._tasks and not self._over.called:
            self._alarm = self._wheel.after(self._delay, self._hedge)

    def _hedge(self) -> None:
        """Nothing has come yet: begin another, where that is allowed."""
        self._alarm = None
        if not any(lane.running for lane in self._tasks):
            return  # the last is reading what its error says
        cluster, now = self._cluster, self._wheel.seconds()
        among = cluster.well(self._plan.others(), now)
        if not among:
            return
        instance = choosing.at_once(self._exchange, cluster, among, now)
        if instance is not None:
            if not cluster.budget.take(now):
                cluster.give_back(instance)
                return
            self._left -= 1
            self._exchange.busy_since = now
            self._begin(instance)
        self._wait()

    # -- from the attempts

    def _alone(self, lane: Lane) -> bool:
        return not any(one.running for one in self._tasks if one is not lane)

    def _won(self, lane: Lane) -> None:
        """The first content is here, and about to leave."""
        self._winner = lane
        assert lane.attempt is not None
        self._exchange.take(lane.attempt, lane.framing, lane.status)
        self._stop(Outcome.HEDGED, "hedged", but=lane)

    def _ended(self, result: Result, lane: Lane) -> None:
        self._leaves(lane)
        if result[0].way is not Way.WAIT and not self._over.called:
            self._over.callback(result)

    def _failed(self, failure: Failure, lane: Lane) -> None:
        self._leaves(lane)
        if failure.check(CancelledError) or (
            failure.check(GatewayError)
            and lane is not self._winner
            and not self._alone(lane)
        ):
            return  # stopped, or left the race to others
        if not self._over.called:
            self._over.errback(failure)
        elif not failure.check(GatewayError):
            log.failure("An attempt that was stopped has failed.", failure)

    def _leaves(self, lane: Lane) -> None:
        self._tasks.pop(lane, None)
        lane.attempt = None  # whose relay leads back here: leave the collector nothing

    def _stop(self, outcome: Outcome, reason: str, but: Lane | None = None) -> None:
        """Stop the clock, and all attempts under way ``but`` one."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for lane, task in list(self._tasks.items()):
            if lane is but:
                continue
            if lane.running:
                lane.running = False
                lane.fate = (outcome, reason)
            task.cancel()
