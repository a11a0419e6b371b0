"""What is known of one request under way, and the ways it can be ended from outside."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from aigw.errors import DeadlinePassed, GatewayError, Unavailable
from aigw.interfaces import IAlarm, IDialect, IDownstream, IFraming, IWheel
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Outcome
from aigw.model.record import LONGEST
from aigw.streaming.relay import Relay

from .attempt import Attempt
from .client_side import ClientSide
from .tally import tally
from .upload import Upload

T = TypeVar("T")


class Exchange(ClientSide):
    """
    One request and its answer.

    :ivar attempt: the attempt whose answer the client gets, or may get; None while
        there is none, or several run for it.
    :ivar upload: the request's body, where it is relayed as it comes.
    :ivar call: the request in neutral words, once a conversion has needed it.
    :ivar continues: whether another instance may go on where the stream breaks; it is
        always converted then.
    :ivar busy_since: clock seconds since which the gateway itself is at work.
    """

    def __init__(
        self,
        downstream: IDownstream,
        dialect: IDialect,
        request_id: str,
        wheel: IWheel,
        time: float,
    ) -> None:
        super().__init__(downstream, dialect, request_id, wheel, time)
        self.attempt: Attempt | None = None
        self.upload: Upload | None = None
        self.call: Call | None = None
        self.continues = False
        self.arrived = wheel.seconds()
        self.busy_since = self.arrived
        self._busy = 0.0
        self._waiting: Deferred[Any] | None = None
        self._ended: GatewayError | None = None
        self._most: float | None = None  # the total whoever is asked, seconds
        self._total: IAlarm | None = None
        self.envelope = Envelope(
            method=downstream.method,
            path=downstream.path,
            target=downstream.target,
            query=downstream.query,
            headers=downstream.headers,
        )
        downstream.on_lost = self.client_gone

    def understand(self, dialect: IDialect) -> None:
        """The client's dialect is known."""
        record, envelope = self.record, self.envelope
        self.dialect = dialect
        record.dialect = dialect.name
        record.request_model = envelope.model[:LONGEST]
        record.tool_count = dialect.tool_count(envelope)
        record.end_user_id = dialect.end_user(envelope)[:LONGEST]

    def send(
        self,
        outbound: Outbound,
        instance: Instance,
        framing: IFraming | None,
        total: float | None,
    ) -> None:
        """
        ``outbound`` goes to ``instance``, asking for a stream in ``framing``; it all
        may take ``total`` seconds from the request's arrival.
        """
        record = self.record
        record.model = outbound.model[:LONGEST]
        record.stream = outbound.stream
        record.summaries = instance.logging.summaries
        if self.envelope.fields is not None:
            record.request_type = "ai_stream" if outbound.stream else "ai_chat"
        if instance.logging.payloads:
            record.prompt = self.dialect.prompt(self.envelope)
        if outbound.stream and not self._foreign(outbound, framing):
            self.framing = framing
        self._limit(total)
        if not instance.streaming.heartbeat:
            self._rest()
        elif self._beat is None and self.relay is None and not self._hushed:
            self.keep_alive(instance.streaming.heartbeat)

    def _foreign(self, outbound: Outbound, framing: IFraming | None) -> bool:
        """Whether it will be framed in a way of its own, or in none."""
        if framing is None:
            return False
        if outbound.framing == "json":
            return True
        if self.dialect.name != "passthrough":
            return False
        return outbound.framing not in ("", framing.name)

    def begin(self, attempt: Attempt) -> None:
        """``attempt`` has begun."""
        self.record.attempts.append(attempt.record)
        self._busy += attempt.started - self.busy_since

    def fail_over(self) -> None:
        """The attempt has failed, and the client need not know: another may follow."""
        relay = self.relay
        if relay is not None:
            # All it can have written is a heartbeat.
            self.begun = self.begun or relay.outlet.begun
            self.record.sent += relay.outlet.sent
        attempt, self.attempt = self.attempt, None
        self._hushed = False
        if attempt is not None and self._beat is None:
            # Its relay kept the client alive; the next may have to wait.
            beat = attempt.instance.streaming.heartbeat
            if beat:
                self.keep_alive(beat)
        self.busy_since = self._wheel.seconds()
        self._limit(self._most)

    def answered(self, framing: IFraming | None, status: int) -> None:
        """An answer's head is here; its relay keeps the client alive."""
        self.framing = framing
        self.record.status = status
        self._rest()

    def take(self, attempt: Attempt, framing: IFraming | None, status: int) -> None:
        """
        Of several attempts this one gives the answer: the record tells of its request,
        its deadline is in force, and who waited for an answer has it.
        """
        self._waiting = None
        self.attempt = attempt
        self.answered(framing, status)
        self._limit(attempt.instance.deadlines.total)
        record = self.record
        record.model = attempt.record.model
        conversion = attempt.conversion
        record.dropped_fields = conversion.rendered.dropped if conversion else ()

    def settle(self) -> None:
        """
        Nobody else will be asked: let go of what was. A prompt may be megabytes, and
        its answer may take minutes.
        """
        if not self.continues:
            self.envelope = self.envelope.closed()
            self.call = None
            if self.attempt is not None:
                self.attempt.conversion = None

    @property
    def relay(self) -> Relay | None:
        """What carries the answer to the client, once there is one."""
        return None if self.attempt is None else self.attempt.relay

    @property
    def most(self) -> float | None:
        """How long all of it may take, whoever is asked: seconds from its arrival."""
        return self._most

    async def wait(self, awaited: Deferred[T]) -> T:
        """
        Await something between attempts. The client's leaving cancels it, and so does a
        deadline, whose error is raised then.
        """
        self._waiting = awaited
        try:
            return await awaited
        except CancelledError:
            if self._ended is not None:
                raise self._ended from None
            raise
        finally:
            self._waiting = None
            self.busy_since = self._wheel.seconds()

    # -- ended from outside

    def client_gone(self) -> None:
        """The client has left, in whatever phase."""
        if self._waiting is not None:
            self._waiting.cancel()
        elif self.attempt is not None:
            self.attempt.client_gone()

    def expire(self, error: GatewayError) -> None:
        """End it now for ``error``, in whatever phase an answer is awaited."""
        if self._waiting is not None:
            self._ended = error
            self._waiting.cancel()
        elif self.attempt is not None:
            self.attempt.expire(error)

    def shut_down(self) -> None:
        """The graceful timeout has passed."""
        text = "the gateway is shutting down"
        self.expire(Unavailable(text, reason="shutdown"))

    # -- the deadline of the exchange as a whole

    def limit(self, total: float) -> None:
        """
        Let it end ``total`` seconds after its arrival, whoever is asked. During an
        attempt its instance's own deadline is in force instead.
        """
        self._most = total
        self._limit(total)

    def _limit(self, total: float | None) -> None:
        if self._total is not None:
            self._total.cancel()
            self._total = None
        if total is not None:
            left = self.arrived + total - self._wheel.seconds()
            self._total = self._wheel.after(max(0.0, left), self._too_long)

    def _too_long(self) -> None:
        self.expire(DeadlinePassed("the answer took too long", reason="total"))

    # -- its end

    def refuse(self, error: GatewayError) -> None:
        relay = self.relay
        if relay is not None and relay.outlet.begun:
            self.begun = True
        super().refuse(error)

    def fail(self, error: GatewayError) -> None:
        """A bug has ended it, unless it had ended before: answer with ``error``."""
        if self.record.outcome is not None:
            return
        attempt = self.attempt
        if attempt is not None and attempt.record.outcome is None:
            attempt.stop()
            attempt.broke(error)
        self.refuse(error)

    def ended(self, outcome: Outcome, reason: str) -> None:
        """A relayed answer has ended."""
        self.record.outcome = outcome
        self.record.reason = reason

    def leave(self) -> None:
        """The client left before there was an answer."""
        self.record.outcome = Outcome.CLIENT_GONE

    def close(self) -> None:
        """It is over: let go of timers, complete the record."""
        self._rest()
        if self._total is not None:
            self._total.cancel()
        record, seconds = self.record, self._wheel.seconds()
        record.total_ms = (seconds - self.arrived) * 1000
        if self.attempt is not None:
            tally(record, self.attempt, self.arrived, self._busy)
        elif record.attempts:  # several side by side, none of which gave the answer
            record.overhead_ms = self._busy * 1000
        # Each of these leads back here: a request shall leave the collector nothing.
        self.downstream.on_lost = None
        self.attempt = None
        self.upload = None
