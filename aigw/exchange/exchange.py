"""What is known of one request under way, and the ways it can be ended from outside."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from aigw.errors import AnsweredError, DeadlinePassed, GatewayError, Unavailable
from aigw.interfaces import IAlarm, IDialect, IDownstream, IFraming, IWheel
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Fields, Headers, first
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Outcome
from aigw.model.record import LONGEST, Record
from aigw.streaming.ending import outcome_of
from aigw.streaming.relay import Relay

from .attempt import Attempt
from .tally import tally
from .upload import Upload

T = TypeVar("T")


class Exchange:
    """
    One request and its answer.

    :ivar dialect: the client's dialect; its errors are shaped in it.
    :ivar framing: the framing of the client's stream, None where none was asked for.
    :ivar begun: whether a heartbeat has sent a stream's head before an answer came.
    :ivar extra: fields that go with every answer of this exchange.
    :ivar attempt: the attempt whose answer the client gets, or may get; None while
        there is none, or several run for it.
    :ivar upload: the request's body, where it is relayed as it comes.
    :ivar call: the request in neutral words, once a conversion has needed it.
    :ivar continues: whether another instance may go on where the stream breaks; it is
        always converted then.
    :ivar debug: fields that tell which instance answers, where the route tells it.
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
        self.downstream = downstream
        self.dialect = dialect
        self.framing: IFraming | None = None
        self.attempt: Attempt | None = None
        self.begun = False
        self.extra: Fields = ()
        self.upload: Upload | None = None
        self.call: Call | None = None
        self.continues = False
        self.debug: Fields = ()
        self.arrived = wheel.seconds()
        self.busy_since = self.arrived
        self._busy = 0.0
        self._wheel = wheel
        self._waiting: Deferred[Any] | None = None
        self._ended: GatewayError | None = None
        self._most: float | None = None  # the total whoever is asked, seconds
        self._total: IAlarm | None = None
        self._beat: IAlarm | None = None
        self._hushed = False  # an answer that is no stream may be on its way
        headers = downstream.headers
        self.envelope = Envelope(
            method=downstream.method,
            path=downstream.path,
            target=downstream.target,
            query=downstream.query,
            headers=headers,
        )
        client_id = first(headers, b"x-request-id")
        self.record = Record(
            time=time,
            request_id=request_id,
            client_request_id=client_id.decode("latin-1")[:128] if client_id else "",
            method=downstream.method,
            path=downstream.path,
            host=downstream.host,
            peer=downstream.peer,
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

    # -- deadlines and heartbeat of the exchange as a whole

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

    def keep_alive(self, interval: float) -> None:
        """Send a heartbeat every ``interval`` seconds until there is an answer."""
        if self.framing is not None and self.framing.ping() is not None:
            self._beat = self._wheel.after(interval, lambda: self._heartbeat(interval))

    def _heartbeat(self, interval: float) -> None:
        framing = self.framing
        ping = framing.ping() if framing is not None else None
        if framing is None or ping is None:
            return
        if not self.begun:
            self.begun = True
            self.record.status = 200
            kind = framing.content_type.encode("ascii")
            self.downstream.start(200, self.stream_headers([(b"content-type", kind)]))
        self.downstream.write(ping)
        self.record.sent += len(ping)
        self.keep_alive(interval)

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

    def hush(self) -> None:
        """
        The answer will be no stream: no heartbeat may begin one, not even for another
        attempt that begins beside it. One that was begun goes on.
        """
        if not self.begun:
            self._hushed = True
            self._rest()

    def _rest(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    # -- what the client is told

    def headers(self, answer: Headers) -> Headers:
        """``answer`` with the request's ids."""
        record = self.record
        answer.extend(self.extra)
        answer.extend(self.debug)
        own = record.request_id.encode("ascii")
        answer.append((b"x-aigw-request-id", own))
        if first(answer, b"x-request-id") is None:
            told = record.client_request_id
            answer.append((b"x-request-id", told.encode("latin-1") if told else own))
        return answer

    def stream_headers(self, answer: Headers) -> Headers:
        """The headers of a streamed answer: nobody on the way may keep or gather it."""
        answer = [pair for pair in answer if pair[0] != b"cache-control"]
        answer.append((b"cache-control", b"no-cache"))
        answer.append((b"x-accel-buffering", b"no"))
        return self.headers(answer)

    def ping(self) -> bytes | None:
        return self.framing.ping() if self.framing is not None else None

    def broken(self, error: GatewayError) -> bytes:
        """
        The frame that tells ``error`` in the client's stream; ``b""`` where the stream
        is in another framing than the one its dialect has words for.
        """
        framing = self.framing
        if framing is None or framing.name != self.dialect.framing:
            return b""
        frames = self.dialect.broken(error, self.record.request_id)
        return b"".join(map(framing.encode, frames))

    def refuse(self, error: GatewayError) -> None:
        """Answer with ``error``; in the stream where a heartbeat has begun one."""
        record, downstream = self.record, self.downstream
        record.reason = error.reason or error.kind
        record.outcome = outcome_of(error)
        if record.outcome is Outcome.BROKEN and not record.attempts:
            record.outcome = Outcome.REFUSED
        relay = self.relay
        if self.begun or (relay is not None and relay.outlet.begun):
            data = self.broken(error)
            downstream.write(data)
            record.sent += len(data)
            downstream.cut()
            return
        status, headers, body = self.dialect.problem(error, record.request_id)
        if isinstance(error, AnsweredError):
            headers.extend(error.fields)
        self.answer(status, headers, body)

    def fail(self, error: GatewayError) -> None:
        """A bug has ended it, unless it had ended before: answer with ``error``."""
        if self.record.outcome is not None:
            return
        attempt = self.attempt
        if attempt is not None and attempt.record.outcome is None:
            attempt.stop()
            attempt.broke(error)
        self.refuse(error)

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer as the gateway itself, completely."""
        record, downstream = self.record, self.downstream
        record.status = status
        if record.outcome is None:
            record.outcome = Outcome.COMPLETED
        if status != 204:
            headers.append((b"content-length", b"%d" % len(body)))
        downstream.start(status, self.headers(headers))
        if body and downstream.method != "HEAD":
            record.sent = len(body)
            downstream.write(body)
        downstream.finish()

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
