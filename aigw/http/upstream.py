"""
Connections to providers: one taken from the pool or a new one for each request, a
second where the first had gone stale.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.errors import UpstreamError
from aigw.interfaces.downstream import IBodySource
from aigw.interfaces.upstream import IReceiver, IUpstream, IUpstreamCall
from aigw.interfaces.wheel import IAlarm, IWheel
from aigw.model.outbound import Origin, Outbound

from .connect import Connector
from .connection import Connection
from .destination import Destination
from .failure import connect_failed, stopping, timed_out, unusable
from .pool import Pool

log = Logger()


@implementer(IUpstreamCall)
class Call:
    """See :class:`aigw.interfaces.upstream.IUpstreamCall`."""

    __slots__ = (
        "_alarm",
        "_connecting",
        "_connection",
        "_destination",
        "_head",
        "_paused",
        "_receiver",
        "_upstream",
        "address",
        "connected_at",
        "outbound",
        "reused",
        "sent_at",
        "upload",
    )

    def __init__(
        self,
        upstream: Upstream,
        destination: Destination,
        outbound: Outbound,
        receiver: IReceiver,
        head: bytes,
        upload: IBodySource | None = None,
    ) -> None:
        self.outbound = outbound
        self.upload = upload
        self.address = destination.address
        self.reused = False
        self.connected_at: float | None = None
        self.sent_at: float | None = None
        self._upstream = upstream
        self._destination = destination
        self._receiver: IReceiver | None = receiver  # None once nothing follows
        self._head = head
        self._paused = False
        self._connection: Connection | None = None
        self._connecting: Deferred[None] | None = None
        self._alarm: IAlarm | None = None

    def pause(self) -> None:
        if not self._paused:
            self._paused = True
            if self._connection is not None:
                self._connection.pause()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._connection is not None:
                self._connection.resume()

    def stop(self) -> None:
        if self._receiver is None:
            return
        connection = self._connection
        if connection is None:
            self._give_up()
        else:
            self.over()
            connection.stop()

    # -- from the connection

    def over(self) -> None:
        """The call has ended, whatever way; it lets go of all that it held."""
        self._receiver = None
        self._connection = None
        self.upload = None
        self._head = b""

    def answered(self) -> None:
        """An answer has begun: the request will not be sent again."""
        self._head = b""

    def replay(self) -> None:
        """The reused connection had gone before the request reached it: a new one."""
        self._connection = None
        self.address = self._destination.address
        self.reused = False
        self.connected_at = self.sent_at = None
        self.connect()

    # -- connecting

    def use(self, connection: Connection) -> None:
        """Send the request on ``connection``."""
        assert self._receiver is not None
        self.address = connection.address
        self.connected_at = self._upstream.wheel.seconds()
        self._connection = connection
        connection.send(self, self._receiver, self._head)
        if self._paused and self._connection is not None:
            connection.pause()

    def connect(self) -> None:
        """Make a new connection and send the request on it."""
        self._upstream.connecting.add(self)
        patience = self.outbound.patience.connect
        self._alarm = self._upstream.wheel.after(patience, self._late)
        connecting = Deferred.fromCoroutine(self._connect())
        if not connecting.called:
            self._connecting = connecting
        connecting.addErrback(_log_unless_cancelled)

    def fail(self, error: UpstreamError) -> None:
        """Give up connecting, and tell why."""
        receiver = self._receiver
        if receiver is not None:
            self._give_up()
            receiver.failed(error)

    async def _connect(self) -> None:
        try:
            connection = await self._upstream.connector.connect(self._destination)
        except Exception as error:
            # After stop or a deadline this is only the echo of our own cancelling,
            # which Twisted reports under several names (DNSLookupError among them).
            if self._receiver is not None:
                if isinstance(error, CancelledError):
                    raise
                # Later, because what fails at once fails inside of send.
                told = connect_failed(error, self.address)
                self._upstream.reactor.callLater(0, self.fail, told)
            return
        self._connecting = None
        if self._receiver is None:
            connection.abort()
            return
        self._connected()
        self.use(connection)

    def _late(self) -> None:
        self.fail(timed_out("connect", self.address))

    def _connected(self) -> None:
        self._upstream.connecting.discard(self)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _give_up(self) -> None:
        self._connected()
        self.over()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()


@implementer(IUpstream)
class Upstream:
    """
    See :class:`aigw.interfaces.upstream.IUpstream`.

    Requests are sent over HTTP/1.1, a connection of one's own each. An idle connection
    is used again; if it turns out that the provider had closed it before it read the
    request, the request is sent once more, on a new one.
    """

    def __init__(self, reactor: Any, wheel: IWheel) -> None:
        """
        :param reactor: provides IReactorTCP, IReactorTime, IReactorThreads and
            IReactorPluggableNameResolver.
        :param wheel: keeps all deadlines.
        """
        self.reactor = reactor
        self.wheel = wheel
        self.pool = Pool(wheel)
        self.connector = Connector(reactor, self.pool, wheel)
        self.connecting: set[Call] = set()
        self._stopped = False

    def send(
        self,
        outbound: Outbound,
        receiver: IReceiver,
        upload: IBodySource | None = None,
    ) -> Call:
        """
        See :meth:`aigw.interfaces.upstream.IUpstream.send`.
        """
        try:
            destination = self.pool.destination(outbound.origin)
        except ValueError as error:
            raise unusable(error, outbound.origin) from error
        head = destination.head(outbound, upload)
        call = Call(self, destination, outbound, receiver, head, upload)
        # An upload cannot be sent once more, so it is not trusted to a connection that
        # its peer may have closed already.
        connection = self.pool.take(destination) if upload is None else None
        if connection is not None:
            call.reused = True
            call.use(connection)
        elif self._stopped:
            self.reactor.callLater(0, call.fail, stopping(call.address))
        else:
            call.connect()
        return call

    def renew(self) -> None:
        """Read certificate files anew for the connections to come."""
        self.connector.contexts.forget()

    def stop(self) -> Deferred[None]:
        """
        Close all connections; calls still under way fail.

        :returns: fires when the last connection is closed.
        """
        self._stopped = True
        for call in list(self.connecting):
            call.fail(stopping(call.address))
        return self.pool.stop()

    def parked(self, origin: Origin) -> int:
        """How many connections to ``origin`` stand idle."""
        return len(self.pool.destination(origin).parked)


def _log_unless_cancelled(failure: Failure) -> None:
    if failure.check(CancelledError) is None:
        log.failure("Connecting to a provider failed unexpectedly.", failure)
