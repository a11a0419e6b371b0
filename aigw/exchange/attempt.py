"""An attempt: one try of an exchange at one instance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import implementer

from aigw.errors import GatewayError, UpstreamError, UpstreamTimeout
from aigw.interfaces import IAlarm, IReceiver, IUpstream, IUpstreamCall, IWheel
from aigw.model.headers import Fields, Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Outcome
from aigw.model.record import LONGEST, AttemptRecord
from aigw.streaming.ending import outcome_of
from aigw.streaming.relay import Relay

from .translation import Translation
from .upload import Upload


class Sink(Protocol):
    """Who takes an answer's body once its head is known."""

    received: int
    first_byte_at: float | None
    first_content_at: float | None

    def body(self, data: bytes) -> None: ...
    def ended(self) -> None: ...
    def failed(self, error: UpstreamError) -> None: ...
    def expire(self, error: GatewayError) -> None: ...


@implementer(IReceiver)
class Attempt:
    """
    Sends ``outbound`` (and may raise what IUpstream.send does); ``answer`` fires with
    status and headers, or with the GatewayError that came instead. The code it fires
    must set ``sink`` before it suspends: the body may follow in the same turn.

    :param conversion: how it speaks to a provider that does not know the client's
        dialect; None where it does.
    :param upload: what it sends in place of the outbound's body.
    :ivar record: this attempt's entry in the exchange's record.
    :ivar relay: what carries its answer, once there is one.
    :ivar debug: fields of its answer that tell which instance answers, where the route
        tells it.
    """

    sink: Sink

    __slots__ = (
        "_duration",
        "_first_byte",
        "_has_sink",
        "_over",
        "_seconds",
        "answer",
        "call",
        "conversion",
        "debug",
        "instance",
        "outbound",
        "record",
        "relay",
        "sink",
        "started",
    )

    def __init__(
        self,
        upstream: IUpstream,
        outbound: Outbound,
        instance: Instance,
        wheel: IWheel,
        conversion: Translation | None = None,
        upload: Upload | None = None,
    ) -> None:
        self.answer: Deferred[tuple[int, Headers]] = Deferred(self._unanswered)
        self.outbound = outbound
        self.instance = instance
        self.conversion = conversion
        self.relay: Relay | None = None
        self.debug: Fields = ()
        self._seconds: Callable[[], float] = wheel.seconds
        self._has_sink = False
        self._over = False
        origin = outbound.origin
        self.record = AttemptRecord(
            instance=instance.name,
            provider=instance.provider,
            model=outbound.model[:LONGEST],
            host=origin.host,
            scheme=origin.scheme,
            uri=outbound.target[:LONGEST].split(b"?", 1)[0].decode("latin-1"),
        )
        self.started = wheel.seconds()
        # May raise, so it stands before any timer is set.
        self.call: IUpstreamCall = upstream.send(outbound, self, upload)
        self._first_byte: IAlarm | None = None
        self._duration: IAlarm | None = None
        deadlines = instance.deadlines
        if deadlines.first_byte is None:
            pass
        elif upload is None:
            self._first_byte = wheel.after(deadlines.first_byte, self._no_first_byte)
        else:  # nobody answers what has not come
            upload.ended = partial(self._uploaded, wheel, deadlines.first_byte)
        if outbound.stream and deadlines.stream is not None:
            self._duration = wheel.after(deadlines.stream, self._too_long)

    def attach(self, sink: Sink) -> None:
        """Let ``sink`` take the body; before ``answer``'s callback returns."""
        self.sink = sink
        self._has_sink = True

    # -- from the provider

    def head(self, status: int, headers: Headers) -> None:
        self.record.status = status
        self.record.head_ms = (self._seconds() - self.started) * 1000
        self.outbound.forget()
        self.answer.callback((status, headers))

    def body(self, data: bytes) -> None:
        if self._first_byte is not None:
            self._first_byte.cancel()
            self._first_byte = None
        self.sink.body(data)

    def ended(self) -> None:
        self._relieve()
        self.sink.ended()

    def failed(self, error: UpstreamError) -> None:
        self._relieve()
        if self._has_sink:
            self.sink.failed(error)
        else:
            self.answer.errback(error)

    # -- from above

    def client_gone(self) -> None:
        """The client has left."""
        if self.relay is not None:
            self.relay.client_gone()
        else:
            self.answer.cancel()

    def expire(self, error: GatewayError) -> None:
        """A deadline passed, or the gateway shuts down."""
        self._relieve()
        if self._has_sink:
            self.sink.expire(error)
        elif not self._over:
            self._over = True
            self.call.stop()
            self.answer.errback(error)

    def stop(self) -> None:
        """Give up on the provider. Idempotent."""
        self._over = True
        self._relieve()
        self.call.stop()

    def close(self, outcome: Outcome, reason: str = "") -> None:
        """Complete the record; the attempt is over."""
        self._relieve()
        record, call = self.record, self.call
        record.outcome, record.reason = outcome, reason
        record.address = call.address
        record.reused = call.reused
        record.total_ms = (self._seconds() - self.started) * 1000
        record.connect_ms = self._since(call.connected_at)
        if self._has_sink:
            record.received = self.sink.received
            record.first_byte_ms = self._since(self.sink.first_byte_at)
            record.first_token_ms = self._since(self.sink.first_content_at)
        relay = self.relay
        if relay is None or not self._has_sink or self.sink is not relay:
            return  # of an answer that others began, its tap tells what they all used
        if relay.way.tap is not None:
            record.usage = relay.way.tap.usage

    def broke(self, error: GatewayError) -> None:
        """Complete the record of an attempt that ended in ``error``."""
        self.close(outcome_of(error), error.reason)

    # -- inside

    def _unanswered(self, answer: Deferred[tuple[int, Headers]]) -> None:
        self.stop()

    def _since(self, when: float | None) -> float | None:
        return None if when is None else max(0.0, (when - self.started) * 1000)

    def _relieve(self) -> None:
        if self._first_byte is not None:
            self._first_byte.cancel()
            self._first_byte = None
        if self._duration is not None:
            self._duration.cancel()
            self._duration = None

    def _uploaded(self, wheel: IWheel, patience: float) -> None:
        if not (self._over or self._has_sink):
            self._first_byte = wheel.after(patience, self._no_first_byte)

    def _no_first_byte(self) -> None:
        text = "the provider did not begin to answer in time"
        self.expire(UpstreamTimeout(text, reason="first_byte"))

    def _too_long(self) -> None:
        reason = "max_stream_duration_ms"
        self.expire(UpstreamTimeout(f"{reason} exceeded", reason=reason))
