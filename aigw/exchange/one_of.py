"""One of several instances, asked once, and what follows when it fails."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import CancelledError

from aigw.errors import BadRequest, CredentialsFailed, GatewayError, UpstreamError
from aigw.interfaces import IWheel
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outcome import Judgement, Outcome, Verdict
from aigw.model.record import AttemptRecord
from aigw.routing.cluster import Cluster, Lease
from aigw.routing.plan import Failure, Plan, Step, Way

from . import ends
from .answer import Answers
from .asking import Asking
from .attempt import Attempt
from .exchange import Exchange
from .lane import Lane
from .ranking import visible


class OneOf:
    """Asks an instance whose slot was taken, and gives the slot back."""

    def __init__(self, asking: Asking, answers: Answers, wheel: IWheel) -> None:
        self._asking = asking
        self._answers = answers
        self._wheel = wheel

    async def __call__(
        self,
        exchange: Exchange,
        cluster: Cluster,
        plan: Plan,
        instance: Instance,
        lane: Lane | None = None,
    ) -> tuple[Step, GatewayError | None]:
        """
        :param lane: where others are asked at the same time, its way to the client.
        :returns: what follows, and the failure it follows; no failure where the answer
            was relayed.
        :raises GatewayError: it failed in a way that nothing may follow.
        """
        began = self._wheel.seconds()
        lease = cluster.lease(instance, began)
        try:
            plan.begins(instance)
            debug = _debug(exchange, instance) if cluster.policy.debug_headers else ()
            exchange.debug = debug
            serving = instance.serving(exchange.envelope.model)
            node = cluster.node(instance)
            try:
                attempt = await self._asking.send(exchange, serving, node, lane)
            except CredentialsFailed as error:
                return self._unsigned(exchange, plan, lease, began, error, lane), error
            except BadRequest as error:  # it cannot be said in the provider's words
                step = plan.unable(instance, self._wheel.seconds())
                others = lane is not None and lane.fails("unable")
                return Step(Way.WAIT) if others else step, error
            attempt.debug = debug
            return await self._follow(exchange, plan, lease, attempt, lane)
        finally:
            lease.release(self._wheel.seconds())

    def _unsigned(
        self,
        exchange: Exchange,
        plan: Plan,
        lease: Lease,
        began: float,
        error: CredentialsFailed,
        lane: Lane | None,
    ) -> Step:
        """What follows an attempt that had nothing to be signed with."""
        now, instance = self._wheel.seconds(), lease.instance
        lasted = now - began
        lease.judged(Verdict.BROKEN, None, now)
        exchange.record.attempts.append(
            AttemptRecord(
                instance.name,
                instance.provider,
                outcome=Outcome.BROKEN,
                reason=error.reason,
                total_ms=lasted * 1000,
            )
        )
        failure = Failure(instance, error.status, Verdict.BROKEN, None, lasted)
        return _after(exchange, plan, failure, now, lane)

    async def _follow(
        self,
        exchange: Exchange,
        plan: Plan,
        lease: Lease,
        attempt: Attempt,
        lane: Lane | None,
    ) -> tuple[Step, GatewayError | None]:
        """See one attempt to its end."""
        now, asking = self._wheel.seconds, self._asking
        step: Step | None = None
        try:
            status, headers = answer = await attempt.answer
            judgement = asking.judge(attempt.instance, status, headers, None)
            if judgement.verdict is not Verdict.OK:
                failure = _failure(lease, attempt, status, judgement, now())
                step = _after(exchange, plan, failure, now(), lane)
                if step.way is not Way.RETURN:
                    text, judgement = await asking.error(
                        exchange, attempt, answer, lane
                    )
                    plan.amend(failure, judgement)
                    lease.judged(judgement.verdict, judgement.retry_after, now())
                    attempt.close(Outcome.FAILED, judgement.verdict.value)
                    return step, ends.answered(status, text, judgement)
            lease.judged(judgement.verdict, judgement.retry_after, now())
            if status >= 400 and attempt.conversion is not None:
                raise await asking.problem(exchange, attempt, answer, lane)
            follows = lane is not None or plan.may_follow()
            held = step is None and follows and not _sealed(exchange)
            relay = self._answers.relay(exchange, attempt, status, headers, held, lane)
            relay.on_content = partial(_first, exchange, lease)
            del answer, headers  # its fields have crossed, its body may take minutes
            ending = await relay.done
        except GatewayError as error:
            attempt.stop()
            attempt.broke(error)
            if step is not None or not isinstance(error, UpstreamError):
                raise
            judgement = ends.judged(error)
            lease.judged(judgement.verdict, judgement.retry_after, now())
            failure = _failure(lease, attempt, error.status, judgement, now())
            return _after(exchange, plan, failure, now(), lane), error
        except CancelledError:
            outcome, why = lane.fate if lane else (Outcome.CLIENT_GONE, "")
            if outcome is Outcome.HEDGED:
                lease.outrun(now())
            attempt.close(outcome, why)
            raise
        except Exception:  # a bug: of one beside others nobody else knows the call
            attempt.stop()
            attempt.broke(GatewayError("internal error", reason="internal"))
            raise
        ends.close(exchange, attempt, ending)
        if ending.suspended or ends.in_trouble(ending):
            lease.judged(Verdict.BROKEN, None, now())
        return Step(Way.RETURN), None


def _first(exchange: Exchange, lease: Lease, now: float) -> None:
    """Content is here. Once it has begun to leave, nobody else will be asked."""
    relay = exchange.relay
    if relay is not None and relay.outlet.begun:  # not to a client that takes nothing
        exchange.settle()
    lease.first(now)


def _sealed(exchange: Exchange) -> bool:
    """Whether nothing can be tried again: the body has begun to leave."""
    return exchange.upload is not None and exchange.upload.begun


def _after(
    exchange: Exchange, plan: Plan, failure: Failure, now: float, lane: Lane | None
) -> Step:
    """What follows ``failure``: nothing yet, where another may still answer."""
    if lane is not None and lane.fails(failure.verdict.value):
        plan.noted(failure)
        return Step(Way.WAIT)
    if _sealed(exchange):
        plan.noted(failure)
        return Step(Way.RETURN)
    return plan.failed(failure, now)


def _debug(exchange: Exchange, instance: Instance) -> Headers:
    count = len(exchange.record.attempts) + 1
    return [
        (b"x-aigw-instance", visible(instance.name).encode("ascii")),
        (b"x-aigw-attempts", b"%d" % count),
    ]


def _failure(
    lease: Lease, attempt: Attempt, status: int, judgement: Judgement, now: float
) -> Failure:
    return Failure(
        instance=lease.instance,
        status=status,
        verdict=judgement.verdict,
        retry_after=judgement.retry_after,
        lasted=now - attempt.started,
    )
