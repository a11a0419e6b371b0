"""
From a route to an answer: the tries at its instances.

A route with one instance and no policy is asked once. Where there is a policy, the
loop of :meth:`Tries._among` asks one instance after the other: the plan says whether
another may follow, the cluster which one it is. Once content was relayed nothing is
tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from aigw.errors import (
    AnsweredError,
    BadRequest,
    CredentialsFailed,
    GatewayError,
    Unavailable,
    UpstreamError,
)
from aigw.interfaces import IProvider, IUpstream, IWheel
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement, Outcome, Verdict
from aigw.model.record import AttemptRecord
from aigw.model.route import Route
from aigw.routing.cluster import Cluster, Lease
from aigw.routing.clusters import Clusters
from aigw.routing.plan import Failure, Plan, Step, Way
from aigw.signing.signing import Signing
from aigw.streaming.ending import Ending

from . import ends
from .answer import Answers
from .attempt import Attempt
from .error_body import ErrorBody, text_of
from .exchange import Exchange
from .ranking import Rankings, visible
from .sending import Sending

log = Logger()


class Tries:
    """Called once for each exchange that is relayed."""

    def __init__(
        self,
        upstream: IUpstream,
        wheel: IWheel,
        answers: Answers,
        providers: Mapping[str, IProvider],
        signing: Signing,
        clusters: Clusters,
    ) -> None:
        self._signing = signing
        self._upstream = upstream
        self._wheel = wheel
        self._answers = answers
        self._providers = providers
        self._sending = Sending(providers)
        self._clusters = clusters
        self._rankings = Rankings(upstream, wheel)

    async def __call__(self, exchange: Exchange, route: Route) -> None:
        """
        Ask the route's instances, and relay the answer.

        :raises GatewayError: there is none; what the client is told instead.
        """
        if route.policy is None:
            await self._once(exchange, route.instances[0])
        else:
            await self._among(exchange, self._clusters.of(route))

    # -- one instance, one try

    async def _once(self, exchange: Exchange, instance: Instance) -> None:
        attempt, outbound = await self._send(exchange, instance)
        try:
            status, headers = await attempt.answer
            if status >= 400 and exchange.conversion is not None:
                raise await self._problem(exchange, attempt, status, headers)
            relay = self._answers.relay(exchange, attempt, outbound, status, headers)
            ending = await relay.done
        except GatewayError as error:
            attempt.stop()
            attempt.broke(error)
            raise
        except CancelledError:
            attempt.close(Outcome.CLIENT_GONE)
            raise
        _close(exchange, attempt, status, ending)

    async def _send(
        self, exchange: Exchange, instance: Instance, node: str | None = None
    ) -> tuple[Attempt, Outbound]:
        outbound = self._sending.prepare(exchange, instance)
        if node is not None and node != outbound.origin.host:
            outbound.origin = replace(outbound.origin, address=node)
        if instance.auth:
            signed = Deferred.fromCoroutine(self._signing.sign(outbound, instance))
            outbound = await (signed if signed.called else exchange.wait(signed))
        framing = self._answers.framing(exchange.dialect.framing)
        exchange.send(outbound, instance, framing)
        attempt = Attempt(self._upstream, outbound, instance, self._wheel)
        exchange.begin(attempt)
        return attempt, outbound

    # -- one of several

    async def _among(self, exchange: Exchange, cluster: Cluster) -> None:
        """Ask one instance after the other until one answers, or the plan ends."""
        eligible = self._eligible(exchange, cluster)
        until = _deadline(exchange, eligible)
        if cluster.policy.semantic is not None:
            eligible = await self._rankings.order(exchange, cluster, eligible)
        plan = Plan(cluster.policy, eligible, cluster.budget, cluster.random, until)
        cluster.budget.request(self._wheel.seconds())
        among: Sequence[Instance] = eligible
        while True:
            instance = await self._choose(exchange, cluster, among)
            step, error = await self._try(exchange, cluster, plan, instance)
            if error is None:
                return
            if step.way is Way.RETURN:
                raise error
            if step.way is Way.EXHAUSTED:
                raise ends.exhausted(plan, error) from error
            log.info(
                "Instance {instance} of route {route} failed with status {status};"
                " falling back.",
                instance=instance.name,
                route=cluster.route.id,
                status=error.status,
            )
            exchange.fail_over()
            among = step.among
            if step.delay:
                await self._pause(exchange, step.delay)

    def _eligible(self, exchange: Exchange, cluster: Cluster) -> list[Instance]:
        """
        :raises Unavailable: no instance takes the request.
        """
        envelope = exchange.envelope
        eligible = cluster.eligible(envelope.model, len(envelope.body))
        if not eligible:
            named = f" for model {envelope.model[:100]!r}" if envelope.model else ""
            raise Unavailable(f"no instance available{named}", reason="no_instance")
        able = [one for one in eligible if self._sending.can(exchange, one)]
        return able or eligible

    async def _choose(
        self, exchange: Exchange, cluster: Cluster, among: Sequence[Instance]
    ) -> Instance:
        """
        The instance to ask next; a slot of it is taken.

        :raises Unavailable: all are full, and so are their queues; or none became free
            in time.
        """
        now = self._wheel.seconds()
        ranked = cluster.policy.semantic is not None
        chosen = cluster.choose(among, _key(exchange, cluster), now, ranked)
        if chosen is not None:
            return chosen
        granted: Deferred[Instance] = Deferred()
        waiting = cluster.wait(among, granted.callback, now)
        if waiting is None:
            raise _full("queue_full")
        patience = max(instance.queue_timeout for instance in among)
        late = self._wheel.after(
            patience, lambda: granted.errback(_full("queue_timeout"))
        )
        try:
            return await exchange.wait(granted)
        finally:
            late.cancel()
            waiting.leave()

    async def _pause(self, exchange: Exchange, seconds: float) -> None:
        over: Deferred[None] = Deferred()
        alarm = self._wheel.after(seconds, lambda: over.callback(None))
        try:
            await exchange.wait(over)
        finally:
            alarm.cancel()

    async def _try(
        self, exchange: Exchange, cluster: Cluster, plan: Plan, instance: Instance
    ) -> tuple[Step, GatewayError | None]:
        """
        Ask one instance whose slot was taken.

        :returns: what follows, and the failure it follows; no failure where the answer
            was relayed.
        :raises GatewayError: it failed in a way that nothing may follow.
        """
        began = self._wheel.seconds()
        lease = cluster.lease(instance, began)
        try:
            plan.begins(instance)
            if cluster.policy.debug_headers:
                exchange.debug = _debug(exchange, instance)
            serving = instance.serving(exchange.envelope.model)
            try:
                attempt, outbound = await self._send(
                    exchange, serving, cluster.node(instance)
                )
            except CredentialsFailed as error:
                return self._unsigned(exchange, plan, lease, began, error), error
            except BadRequest as error:  # it cannot be said in the provider's words
                return plan.unable(instance), error
            return await self._follow(exchange, plan, lease, attempt, outbound)
        finally:
            lease.release(self._wheel.seconds())

    def _unsigned(
        self,
        exchange: Exchange,
        plan: Plan,
        lease: Lease,
        began: float,
        error: CredentialsFailed,
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
        return plan.failed(failure, now)

    async def _follow(
        self,
        exchange: Exchange,
        plan: Plan,
        lease: Lease,
        attempt: Attempt,
        outbound: Outbound,
    ) -> tuple[Step, GatewayError | None]:
        """See one attempt to its end."""
        now = self._wheel.seconds
        step: Step | None = None
        try:
            status, headers = await attempt.answer
            judgement = self._judge(attempt.instance, status, headers, None)
            if judgement.verdict is not Verdict.OK:
                step = plan.failed(
                    _failure(lease, attempt, status, judgement, now()), now()
                )
                if step.way is not Way.RETURN:
                    text, judgement = await self._error(
                        exchange, attempt, status, headers
                    )
                    plan.amend(judgement)
                    lease.judged(judgement.verdict, judgement.retry_after, now())
                    attempt.close(Outcome.FAILED, judgement.verdict.value)
                    return step, ends.answered(status, text, judgement)
            lease.judged(judgement.verdict, judgement.retry_after, now())
            if status >= 400 and exchange.conversion is not None:
                raise await self._problem(exchange, attempt, status, headers)
            held = step is None and plan.may_follow()
            relay = self._answers.relay(
                exchange, attempt, outbound, status, headers, held
            )
            relay.on_content = lease.first
            ending = await relay.done
        except GatewayError as error:
            attempt.stop()
            attempt.broke(error)
            if step is not None or not isinstance(error, UpstreamError):
                raise
            judgement = ends.judged(error)
            lease.judged(judgement.verdict, judgement.retry_after, now())
            failure = _failure(lease, attempt, error.status, judgement, now())
            return plan.failed(failure, now()), error
        except CancelledError:
            attempt.close(Outcome.CLIENT_GONE)
            raise
        _close(exchange, attempt, status, ending)
        if ends.in_trouble(ending):
            lease.judged(Verdict.BROKEN, None, now())
        return Step(Way.RETURN), None

    async def _error(
        self, exchange: Exchange, attempt: Attempt, status: int, headers: Headers
    ) -> tuple[str, Judgement]:
        """Read an error's body; its text, and what it says of the instance."""
        data = await self._error_body(exchange, attempt)
        return text_of(status, data), self._judge(
            attempt.instance, status, headers, data
        )

    async def _problem(
        self, exchange: Exchange, attempt: Attempt, status: int, headers: Headers
    ) -> AnsweredError:
        """An error answer of a provider that was spoken to in another dialect."""
        assert exchange.conversion is not None
        data = await self._error_body(exchange, attempt)
        return exchange.conversion.problem(status, headers, data)

    async def _error_body(self, exchange: Exchange, attempt: Attempt) -> bytes:
        body = ErrorBody(attempt.call, self._wheel)
        attempt.attach(body)
        try:
            return await exchange.wait(body.done)
        finally:
            body.close()

    def _judge(
        self, instance: Instance, status: int, headers: Headers, body: bytes | None
    ) -> Judgement:
        return self._providers[instance.provider].judge(status, headers, body)


def _deadline(exchange: Exchange, eligible: Sequence[Instance]) -> float | None:
    """
    The exchange's own deadline in clock seconds, from here on in force: the most
    generous of its instances'. Each attempt then has its instance's.
    """
    totals = [instance.deadlines.total for instance in eligible]
    most = 0.0
    for total in totals:
        if total is None:
            return None
        most = max(most, total)
    exchange.limit(most)
    return exchange.arrived + most


def _key(exchange: Exchange, cluster: Cluster) -> str:
    """What the request is hashed on."""
    read = cluster.policy.key
    if read is None:
        return ""
    record = exchange.record
    key = read(exchange.envelope, record.peer, record.consumer)
    if not key and not cluster.warned:
        cluster.warned = True
        log.warn(
            "A request to route {route} has nothing to be hashed on; it and all such"
            " are hashed on the client's address.",
            route=cluster.route.id,
        )
    return key or record.peer


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


def _full(reason: str) -> Unavailable:
    return Unavailable("all instances are busy", reason=reason, retry_after=1.0)


def _close(exchange: Exchange, attempt: Attempt, status: int, ending: Ending) -> None:
    """A relayed answer has ended."""
    outcome = ending.outcome
    if status >= 400 and outcome is Outcome.COMPLETED:
        outcome = Outcome.FAILED
    attempt.close(outcome, ending.reason)
    exchange.ended(outcome, ending.reason)
