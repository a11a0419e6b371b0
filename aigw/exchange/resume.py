"""
Continuation: where a stream breaks after output, another instance goes on.

The client has a part of an answer, and the relay waits (see
aigw.streaming.continued_relay). Another instance, one whose models go on from an
assistant message, is asked with the text so far as that message; its answer is read
into the same stream, by the same writer. Where nobody can be asked, or all fail, the
stream ends as it would have: with the error that broke it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from aigw.errors import (
    BadRequest,
    CredentialsFailed,
    DeadlinePassed,
    GatewayError,
    UpstreamError,
)
from aigw.interfaces import IWheel
from aigw.model.call import Call
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outcome import Outcome, Verdict
from aigw.routing.cluster import Cluster, Lease
from aigw.routing.plan import Plan
from aigw.streaming.continued_relay import ContinuedRelay

from . import choosing, ends
from .answer import Answers
from .asking import Asking
from .attempt import Attempt
from .continuing import Continuing
from .exchange import Exchange
from .leg import Leg
from .prefix import prefixed

log = Logger()

#: How many attempts to go on there may be in one exchange.
MOST: Final = 3


class Resume:
    """Goes on with suspended answers; one for the process."""

    def __init__(self, asking: Asking, answers: Answers, wheel: IWheel) -> None:
        self._asking = asking
        self._answers = answers
        self._wheel = wheel

    async def __call__(
        self, exchange: Exchange, cluster: Cluster, plan: Plan, relay: ContinuedRelay
    ) -> None:
        """Go on until the answer is complete, or cannot be gone on with."""
        dropped = DeadlinePassed("the client takes nothing", reason="client_stall")
        relay.on_dropped = partial(exchange.expire, dropped)
        try:
            for _ in range(MOST):
                call = self._call(exchange, relay)
                instance = None if call is None else self._next(exchange, cluster, plan)
                if call is None or instance is None:
                    break
                await self._ask(exchange, cluster, plan, relay, instance, call)
                if relay.suspended is None:
                    return
            error = None
        except GatewayError as ended:  # a deadline of the exchange, or shutdown
            error = ended
        except BaseException:  # the client has left; or a bug, which is told above
            relay.abandon()
            raise
        finally:
            relay.on_dropped = None
        ending = relay.give_up(error)
        exchange.ended(ending.outcome, ending.reason)

    def _call(self, exchange: Exchange, relay: ContinuedRelay) -> Call | None:
        draft = relay.way.draft
        assert exchange.call is not None, "a continued answer is converted"
        return prefixed(exchange.call, draft.text(), draft.usage)

    def _next(
        self, exchange: Exchange, cluster: Cluster, plan: Plan
    ) -> Instance | None:
        """Who goes on; a slot of it is taken. Nobody waits for one in a stream."""
        able = [instance for instance in plan.others() if instance.prefill]
        if not able:
            return None
        return choosing.at_once(exchange, cluster, able, self._wheel.seconds())

    async def _ask(
        self,
        exchange: Exchange,
        cluster: Cluster,
        plan: Plan,
        relay: ContinuedRelay,
        instance: Instance,
        call: Call,
    ) -> None:
        """One attempt to go on. Where it fails the relay stays suspended."""
        lease = cluster.lease(instance, self._wheel.seconds())
        try:
            plan.begins(instance)
            serving = instance.serving(exchange.envelope.model)
            node = cluster.node(instance)
            log.info(
                "An answer of route {route} has broken off; {instance} is to go on.",
                route=cluster.route.id,
                instance=instance.name,
            )
            try:
                attempt = await self._asking.send(exchange, serving, node, call=call)
            except CredentialsFailed:
                lease.judged(Verdict.BROKEN, None, self._wheel.seconds())
                return
            except BadRequest:  # it cannot be said in the provider's words
                return
            attempt.relay = relay
            attempt.record.seam = relay.way.draft.size
            await self._follow(exchange, lease, attempt, relay)
        finally:
            lease.release(self._wheel.seconds())

    async def _follow(
        self, exchange: Exchange, lease: Lease, attempt: Attempt, relay: ContinuedRelay
    ) -> None:
        now = self._wheel.seconds
        try:
            status, headers = answer = await exchange.wait(attempt.answer)
            judgement = self._asking.judge(attempt.instance, status, headers, None)
            if judgement.verdict is not Verdict.OK:
                _, judgement = await self._asking.error(exchange, attempt, answer)
                lease.judged(judgement.verdict, judgement.retry_after, now())
                attempt.close(Outcome.FAILED, judgement.verdict.value)
                return
            lease.judged(judgement.verdict, judgement.retry_after, now())
            self._read(attempt, relay, headers)
            leg = Leg(relay, now, lease.first)
            attempt.attach(leg)
            relay.go_on(attempt.call, attempt.instance.deadlines.idle)
            try:
                ending = await relay.done
            finally:
                attempt.record.usage = relay.way.used
        except UpstreamError as error:
            attempt.stop()
            attempt.broke(error)
            judgement = ends.judged(error)
            lease.judged(judgement.verdict, judgement.retry_after, now())
            return
        except GatewayError as error:
            attempt.stop()
            attempt.broke(error)
            raise
        except CancelledError:
            attempt.close(Outcome.CLIENT_GONE)
            raise
        ends.close(exchange, attempt, ending)
        if ending.suspended or ends.in_trouble(ending):
            lease.judged(Verdict.BROKEN, None, now())

    def _read(self, attempt: Attempt, relay: ContinuedRelay, headers: Headers) -> None:
        """
        Let the answer go on with that of ``attempt``.

        :raises UpstreamError: it is no stream that can be read.
        """
        framing, conversion = self._answers.framing_of(headers), attempt.conversion
        if framing is None or not isinstance(conversion, Continuing):
            raise UpstreamError("the provider sends no stream", reason="no_stream")
        limit = attempt.instance.streaming.max_event_bytes
        relay.way.go_on(
            framing, conversion.reader(), limit if framing.name == "sse" else None
        )
