"""Connections that stand idle, and those that are open at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from aigw.interfaces.wheel import IAlarm, IWheel
from aigw.model.outbound import Keepalive, Origin

from .destination import Destination

if TYPE_CHECKING:
    from .connection import Connection

#: Seconds between two looks for idle connections past their time.
SWEEP = 1.0

#: Origins remembered before those without idle connections are forgotten.
REMEMBERED = 1024


class Closable(Protocol):
    """A connection of ours in any stage."""

    def abort(self) -> None:
        """Close at once, unless that has begun."""


class Pool:
    """
    Idle connections per origin, the one parked last taken first, so that the rest can
    grow old and go.

    One sweep looks after all of them: an alarm for each would cost more than parking.

    :ivar open: connections in any stage.
    """

    def __init__(self, wheel: IWheel) -> None:
        self._wheel = wheel
        self._destinations: dict[Origin, Destination] = {}
        self.open: set[Closable] = set()
        self._sweeping: IAlarm | None = None
        self._stopped: Deferred[None] | None = None

    def destination(self, origin: Origin) -> Destination:
        """
        What is remembered of ``origin``.

        :raises ValueError: the origin's host or proxy is none.
        """
        destination = self._destinations.get(origin)
        if destination is None:
            if len(self._destinations) >= REMEMBERED:
                # Origins may be addresses that come and go with the name service.
                for key, idle in list(self._destinations.items()):
                    if not idle.parked:
                        idle.forgotten = True
                        del self._destinations[key]
            destination = self._destinations[origin] = Destination(origin)
        return destination

    def take(self, destination: Destination) -> Connection | None:
        """The idle connection parked last, if one is left that is not past its time."""
        parked = destination.parked
        if parked:
            now = self._wheel.seconds()
            while parked:
                connection = parked.pop()
                if connection.expires > now:
                    return connection
                connection.close()
        return None

    def park(self, connection: Connection, keepalive: Keepalive) -> None:
        """Keep an idle connection; the oldest goes where there are too many."""
        destination = connection.destination
        parked = destination.parked
        if self._stopped is not None or destination.forgotten or keepalive.size < 1:
            connection.close()
            return
        while len(parked) >= keepalive.size:
            parked.pop(0).close()
        connection.expires = self._wheel.seconds() + keepalive.idle
        parked.append(connection)
        if self._sweeping is None:
            self._sweeping = self._wheel.after(SWEEP, self._sweep)

    def discard(self, connection: Connection) -> None:
        """An idle connection is of no more use."""
        parked = connection.destination.parked
        if connection in parked:
            parked.remove(connection)

    def opened(self, connection: Closable) -> None:
        """A connection stands, in whatever stage."""
        self.open.add(connection)
        if self._stopped is not None:
            connection.abort()

    def lost(self, connection: Closable) -> None:
        """It is closed."""
        self.open.discard(connection)
        self._settle()

    def stop(self) -> Deferred[None]:
        """
        Close all connections, idle or not.

        :returns: fires when the last is closed.
        """
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        told: Deferred[None] = Deferred()
        if self._stopped is not None:
            self._stopped.chainDeferred(told)
            return told
        self._stopped = Deferred()
        self._stopped.chainDeferred(told)
        for destination in self._destinations.values():
            parked, destination.parked = destination.parked, []
            for idle in parked:
                idle.close()
        for connection in list(self.open):
            connection.abort()
        self._settle()
        return told

    def _settle(self) -> None:
        if self._stopped is not None and not self.open and not self._stopped.called:
            self._stopped.callback(None)

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._wheel.seconds()
        left = False
        for destination in self._destinations.values():
            parked = destination.parked
            if not parked:
                continue
            expired = [connection for connection in parked if connection.expires <= now]
            for connection in expired:
                parked.remove(connection)
                connection.close()
            left = left or bool(parked)
        if left:
            self._sweeping = self._wheel.after(SWEEP, self._sweep)
