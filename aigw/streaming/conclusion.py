"""How an answer on its way ends: whole, broken off with a word, or never begun."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aigw.errors import GatewayError
from aigw.interfaces import IAlarm, IUpstreamCall
from aigw.model.event import Failed
from aigw.model.outcome import Outcome

from .client import Client
from .countdown import Countdown
from .ending import Ending, error_of, outcome_of
from .heartbeat import Heartbeat
from .outlet import Outlet
from .voice import Voice
from .way import Way

log = Logger()


class Conclusion:
    """
    The ends of a :class:`.relay.Relay`, and what has to be let go of then.

    :ivar done: fires with an :class:`Ending`; with a :class:`GatewayError` where the
        answer failed before any of it had left, so that the exchange may try elsewhere
        or answer with a status. Cancelling it lets go of both connections.
    :ivar outlet: through which it leaves; ``way`` what happens to it.
    """

    def __init__(
        self,
        downstream: Client,
        call: IUpstreamCall,
        way: Way,
        outlet: Outlet,
        voice: Voice,
    ) -> None:
        self.done: Deferred[Ending] = Deferred(self.abandon)
        self.way = way
        self.outlet = outlet
        self._downstream = downstream
        self._call = call
        self._voice = voice
        self._gone = False  # the client is
        self._terminal = False
        self._told_error = False
        self._over = False
        self._stall: IAlarm | None = None
        self._bound: IAlarm | None = None  # of the hold, the linger or the drain
        self._beat: Heartbeat | None = None
        self._idle: Countdown | None = None

    def abandon(self, done: Deferred[Ending] | None = None) -> None:
        """Whoever waited for ``done`` waits no more: let go of both connections."""
        if not self._over:
            self._call.stop()
            self._release()

    def _fail(self, error: GatewayError) -> None:
        """It ends before any of it has left: somebody above knows what to do."""
        self._release()
        self.done.errback(error)

    def _faulty(self) -> None:
        """The way has raised, which none may: a mistake in it, or in what it uses."""
        log.failure("An answer could not be looked into.")
        self._call.stop()
        error = GatewayError("internal error", reason="internal")
        if self._gone:
            self._end(Outcome.CLIENT_GONE, error.reason)
        else:
            self._break(error)

    def _way_failed(self, failed: Failed, out: bytes) -> None:
        """
        An answer that is converted has failed, and ``out`` tells the client so where it
        has begun: it can only be cut.
        """
        self._call.stop()
        if self._gone:
            self._end(Outcome.CLIENT_GONE, "error_in_stream")
        elif not self.outlet.begun or self.outlet.held:
            self._fail(error_of(failed, "error_in_stream"))
        else:
            self.outlet.last(out)
            self._release()
            self._downstream.cut()
            self.done.callback(Ending(Outcome.FAILED, "error_in_stream"))

    def _break(self, error: GatewayError) -> None:
        """It ends unfinished: say so where a frame may stand, then cut."""
        if not self.outlet.begun or self.outlet.held:
            self._fail(error)
            return
        self.outlet.last(self._told(error))
        self._release()
        self._downstream.cut()
        self.done.callback(Ending(outcome_of(error), error.reason))

    def _told(self, error: GatewayError) -> bytes:
        """The frame that tells ``error``, where one may stand."""
        try:
            return self._voice.broken(error) if self.way.boundary else b""
        except Exception:
            log.failure("An error could not be told in a stream.")
            return b""

    def _finish(self) -> None:
        """It ends as it should."""
        if self._gone:
            self._end(Outcome.CLIENT_GONE)
            return
        self.outlet.flush()
        if self._over or self.outlet.paused:
            return
        if not self.outlet.begun:
            self.outlet.begin()
        self._release()
        self._downstream.finish()
        if self._told_error:
            ending = Ending(Outcome.FAILED, "error_in_stream")
        elif self.way.terminates and not self._terminal:
            ending = Ending(Outcome.INCOMPLETE)
        else:
            ending = Ending(Outcome.COMPLETED)
        self.done.callback(ending)

    def _end(self, outcome: Outcome, reason: str = "") -> None:
        if not self._over:
            self._release()
            self.done.callback(Ending(outcome, reason))

    def _release(self) -> None:
        """Let go of timers, of what is queued, and of the client's transport."""
        self._over = True
        self.outlet.close()
        self._relieve(self._stall, self._beat, self._bound, self._idle)
        self._downstream.unregister()

    @staticmethod
    def _relieve(*alarms: IAlarm | Countdown | Heartbeat | None) -> None:
        for alarm in alarms:
            if alarm is not None:
                alarm.cancel()
