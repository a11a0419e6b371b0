"""A relay whose answer another attempt may go on with where it breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred

from aigw.errors import AnsweredError, AnswerTooLarge, GatewayError, UpstreamError
from aigw.interfaces import IUpstreamCall
from aigw.model import sight as sights
from aigw.model.event import Failed
from aigw.model.outcome import Outcome

from .continued import Continued
from .countdown import Countdown
from .ending import Ending, error_of, outcome_of
from .relay import Relay

#: Statuses under 500 that are the instance's trouble, not the request's.
_PASSING: Final = frozenset({408, 429})


class ContinuedRelay(Relay):
    """
    Where the answer breaks after output and could be gone on with, ``done`` fires with
    an ending that is ``suspended``, and the client's side stays as it is: its transport
    registered, heartbeats going. Then exactly one of :meth:`go_on` (there is a fresh
    ``done``), :meth:`give_up` and :meth:`abandon` is called.

    :ivar way: a :class:`Continued`.
    :ivar suspended: what broke it, while nobody goes on.
    :ivar on_dropped: called where the client is let go of meanwhile, for it takes
        nothing.
    """

    way: Continued
    suspended: GatewayError | None = None
    on_dropped: Callable[[], None] | None = None
    _left: Ending | None = None  # how it ended while it was suspended

    def go_on(self, call: IUpstreamCall, idle: float | None) -> None:
        """
        Another attempt's answer goes on from here; ``way`` was told.

        :param idle: its idle deadline, seconds.
        """
        self.suspended = None
        self._call = call
        if idle is not None:
            self._news |= sights.PROGRESS
            self._idle = Countdown(self._wheel, idle, self._idled)
        if self._over:
            self._relieve(self._idle)
            call.stop()
        elif self.outlet.paused:
            call.pause()
            if self._idle is not None:
                self._idle.pause()

    def give_up(self, error: GatewayError | None = None) -> Ending:
        """Nobody goes on: tell ``error``, or what broke it, and cut."""
        broke = self.suspended
        assert broke is not None, "it was not suspended"
        ending = Ending(outcome_of(error or broke), (error or broke).reason)
        if self._over:
            return self._left or Ending(Outcome.CLIENT_GONE)
        if error is None and self.way.failed is not None:
            told = self.way.tell()
            if isinstance(broke, AnsweredError):
                ending = Ending(Outcome.FAILED, broke.reason)
        else:
            told = self._told(error or broke)
        self.outlet.last(told)
        self._release()
        self._downstream.cut()
        self.done.callback(ending)
        return ending

    # -- what a relay does otherwise

    def client_gone(self) -> None:
        if self.suspended is not None and not self._over:
            self._gone = True
            self._end(Outcome.CLIENT_GONE)
        else:
            super().client_gone()

    def _end(self, outcome: Outcome, reason: str = "") -> None:
        if self.suspended is not None and not self._over:
            self._left = Ending(outcome, reason)
        super()._end(outcome, reason)

    def _stalled(self) -> None:
        super()._stalled()
        if self.suspended is not None and self.on_dropped is not None:
            self.on_dropped()

    def _break(self, error: GatewayError) -> None:
        if not self._suspends(error):
            super()._break(error)

    def _way_failed(self, failed: Failed, out: bytes) -> None:
        error = error_of(failed, "error_in_stream")
        # Text that came in one read with what broke it is output too: how the bytes
        # were cut must not decide what the client gets.
        begins = self.way.draft.size > 0 and self._could_go_on(error)
        if not (self._gone or self.outlet.held) and (self.outlet.begun or begins):
            now = self._wheel.seconds()
            if self.way.sight & sights.CONTENT:
                self._content(now)
            if out:
                self.outlet.give(out, now)
            if self._suspends(error):
                return
            out = self.way.tell()
        super()._way_failed(failed, out)

    def _content(self, now: float) -> None:
        if self.first_content_at is None:
            self.first_content_at = now
            if self.on_content is not None:
                self.on_content(now)

    def _could_go_on(self, error: GatewayError) -> bool:
        return self.way.draft.plain and _passing(error)

    def _suspends(self, error: GatewayError) -> bool:
        """Whether another attempt might go on; if so, wait for it."""
        begun = self.outlet.begun and not self.outlet.held
        if not (begun and self._could_go_on(error)):
            return False
        self._call.stop()
        self._relieve(self._bound, self._idle)
        self._bound = self._idle = None
        self.suspended = error
        done, self.done = self.done, Deferred(lambda _: self.abandon())
        done.callback(Ending(outcome_of(error), error.reason, suspended=True))
        return True


def _passing(error: GatewayError) -> bool:
    """Whether another instance may fare better."""
    if isinstance(error, AnsweredError):
        return error.status >= 500 or error.status in _PASSING
    own = isinstance(error, AnswerTooLarge) or error.reason == "max_stream_duration_ms"
    return isinstance(error, UpstreamError) and not own
