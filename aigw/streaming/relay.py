"""
The relay: the producer/consumer pair that stands between a provider's connection and a
client's.

The whole of backpressure is this: when the client's transport is full it pauses the
relay, the relay pauses the call, the provider's socket is no longer read, and TCP holds
the provider. So what one exchange may hold is bounded: the read during which the pause
came (64 KiB), one batch (64 KiB), one incomplete frame where a way holds those, the
tap's copy (1 MiB at most, JSON answers only).

Invariants. Once ``_over``, nothing is written, nobody is called and no timer is left.
``done`` fires exactly once. An answer that has ended while the client takes nothing is
finished only when the client takes the rest, so that a stalled client stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aigw.errors import (
    AnswerTooLarge,
    GatewayError,
    UpstreamBroke,
    UpstreamError,
    UpstreamTimeout,
)
from aigw.interfaces import IUpstreamCall, IWheel
from aigw.model import sight as sights
from aigw.model.instance import Streaming
from aigw.model.outcome import Outcome

from .client import Client
from .conclusion import Conclusion
from .countdown import Countdown
from .ending import outcome_of
from .heartbeat import Heartbeat
from .outlet import Outlet
from .trouble import error_told
from .voice import Voice
from .way import Way

#: How long the end of the HTTP message is awaited behind the terminal frame, seconds.
LINGER: Final = 0.25


@implementer(IPushProducer)
class Relay(Conclusion):
    """
    One answer on its way.

    :param hold: the most seconds a held outlet waits for content; None for any time.
    :ivar received: bytes of body received.
    :ivar first_byte_at: clock seconds of the first of them, or None;
        ``first_content_at`` of the first content: ``on_content`` is called with those.
    """

    def __init__(
        self,
        downstream: Client,
        call: IUpstreamCall,
        way: Way,
        outlet: Outlet,
        voice: Voice,
        streaming: Streaming,
        wheel: IWheel,
        *,
        hold: float | None = None,
        idle: float | None = None,
        client_stall: float | None = None,
    ) -> None:
        super().__init__(downstream, call, way, outlet, voice)
        self.received = 0
        self.first_byte_at: float | None = None
        self.first_content_at: float | None = None
        self.on_content: Callable[[float], None] | None = None
        self._streaming = streaming
        self._wheel = wheel
        self._most = streaming.max_response_bytes or 1 << 62
        self._ending = False
        self._news = sights.CONTENT | sights.TERMINAL | sights.ERROR
        self._client_stall = client_stall
        if outlet.held and hold is not None:
            self._bound = wheel.after(hold, outlet.commit)
        if idle is not None:
            self._news |= sights.PROGRESS
            self._idle = Countdown(wheel, idle, self._idled)
        if streaming.heartbeat:
            self._beat = Heartbeat(wheel, streaming.heartbeat, outlet, way, voice)
        downstream.register(self)

    # -- from the provider

    def body(self, data: bytes) -> None:
        """A read's bytes."""
        if self._over:
            return
        now = self._wheel.seconds()
        self.received += len(data)
        if self.first_byte_at is None:
            self.first_byte_at = now
        if self.received > self._most:
            self._over_limit()
            return
        try:
            out = self.way.feed(data)
        except Exception:
            self._faulty()
            return
        if self.way.failed is not None:
            self._way_failed(self.way.failed, out)
            return
        if out and not self._gone:
            self.outlet.give(out, now)
        if self.way.sight & self._news:
            self._saw(self.way.sight, now)

    def ended(self) -> None:
        """The provider's answer is complete as HTTP understands it."""
        if self._over or self._ending:
            return
        try:
            out = self.way.end()
        except Exception:
            self._faulty()
            return
        if self.way.failed is not None:
            self._way_failed(self.way.failed, out)
            return
        now = self._wheel.seconds()
        if out and not self._gone:
            self.outlet.give(out, now)
        if self.way.sight & self._news:
            self._saw(self.way.sight, now)
            if self._over:
                return
        if not self.received and self.way.terminates and not self._gone:
            text = "streaming response completed without producing any output"
            self._fail(UpstreamBroke(text, reason="empty_stream"))
            return
        self._ending = True
        self.outlet.commit()
        if not self.outlet.paused:
            self._finish()

    def failed(self, error: UpstreamError) -> None:
        """The provider's answer broke off."""
        if self._over or self._ending:
            return
        if self._terminal:
            self.ended()
        elif self._gone:
            self._end(Outcome.CLIENT_GONE, error.reason)
        else:
            self._break(error)

    # -- from the client

    def pauseProducing(self) -> None:
        if self._over or self.outlet.paused or self._gone:
            return
        self.outlet.paused = True
        self._call.pause()
        if self._idle is not None:
            self._idle.pause()
        if self._client_stall is not None:
            self._stall = self._wheel.after(self._client_stall, self._stalled)

    def resumeProducing(self) -> None:
        if self._over or not self.outlet.paused:
            return
        self.outlet.paused = False
        self._relieve(self._stall)
        self.outlet.flush()
        if self.outlet.paused or self._over:  # the flush filled the transport again
            return
        if self._ending:
            self._finish()
            return
        self._go_on()

    def stopProducing(self) -> None:
        self.client_gone()

    def client_gone(self) -> None:
        """The client has left. Idempotent."""
        if self._over or self._gone:
            return
        self._gone = True
        self.outlet.close()
        policy = self._streaming
        if policy.on_client_disconnect == "abort" or self._ending or self._terminal:
            self._call.stop()
            self._end(Outcome.CLIENT_GONE)
            return
        self._most = min(self._most, self.received + policy.drain_bytes)
        self._relieve(self._stall, self._beat, self._bound)
        self._bound = self._wheel.after(policy.drain_seconds, self._drained)
        if self.outlet.paused:
            self.outlet.paused = False
            self._go_on()

    # -- from above

    def expire(self, error: GatewayError) -> None:
        """A deadline or limit passed, or the gateway shuts down: end it now."""
        if self._over:
            return
        self._call.stop()
        if self._terminal:
            self.ended()  # all is here but the end of the HTTP message
            if self._over:
                return
        if self._gone:
            self._end(Outcome.CLIENT_GONE, error.reason)
        elif self._ending:  # complete, but the client does not take it
            self._downstream.abort()
            self._end(outcome_of(error), error.reason)
        else:
            self._break(error)

    # -- inside

    def _saw(self, sight: int, now: float) -> None:
        if self._idle is not None:
            self._idle.touch(now)
        if sight & sights.ERROR:
            self._told_error = True
            if self.outlet.held:
                self._call.stop()
                tap = self.way.tap
                self._fail(error_told(tap.error or {} if tap is not None else {}))
                return
        if sight & sights.CONTENT and self.first_content_at is None:
            self.first_content_at = now
            if self._idle is None:
                self._news &= ~sights.CONTENT
            self._commit()
            if self.on_content is not None:
                self.on_content(now)
        if sight & sights.TERMINAL and not self._terminal:
            self._terminal = True
            self._commit()
            if self._gone:
                self._call.stop()
                self._end(Outcome.CLIENT_GONE)
                return
            self.outlet.flush()
            self._relieve(self._bound)
            self._bound = self._wheel.after(LINGER, self._lingered)

    def _commit(self) -> None:
        if self.outlet.held:
            self._relieve(self._bound)
            self.outlet.commit()

    def _go_on(self) -> None:
        if self._idle is not None:
            self._idle.resume()
        self._call.resume()

    def _over_limit(self) -> None:
        if self._gone:
            self._drained()
        else:
            reason = "max_response_bytes"
            self.expire(AnswerTooLarge(f"{reason} exceeded", reason=reason))

    def _idled(self) -> None:
        self.expire(UpstreamTimeout("the provider's stream stood still", reason="idle"))

    def _stalled(self) -> None:
        self._call.stop()
        self._downstream.abort()
        self._end(Outcome.LIMIT, "client_stall")

    def _lingered(self) -> None:
        self._call.stop()
        self.ended()

    def _drained(self) -> None:
        self._call.stop()
        self._end(Outcome.CLIENT_GONE, "drain_limit")
