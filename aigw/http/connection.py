"""One HTTP/1.1 connection to a provider: a request out, its answer in, the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from aigw.errors import UpstreamError
from aigw.interfaces.upstream import IReceiver
from aigw.interfaces.wheel import IAlarm, IWheel

from .destination import Destination
from .eager import upgrade
from .failure import broke, stopping, timed_out
from .feed import Feed
from .pool import Pool
from .response import Response
from .sender import SLICE, Sender
from .uncouple import uncouple

if TYPE_CHECKING:
    from .upstream import Call

#: A reused connection that closes within this many seconds of our last byte, and
#: before any of an answer, was closed before the request was read.
REPLAY_WITHIN = 1.0


class Connection(Protocol):
    """
    A connection, from its making to its end; serves one call at a time.

    The receiver is called from :meth:`dataReceived` at most once for each kind of news
    in a read: what a read holds is parsed first and told then, so that a receiver may
    stop the call from inside and nothing runs under it.

    :ivar destination: where it leads.
    :ivar address: the peer as ``host:port``.
    :ivar expires: clock seconds at which it is too old to be taken, while parked.
    """

    expires = 0.0
    address = ""

    def __init__(self, destination: Destination, pool: Pool, wheel: IWheel) -> None:
        self.destination = destination
        # The transport, once there is one; its interfaces are many (ITransport,
        # IConsumer, IPushProducer, ITCPTransport), hence Any.
        self._wire: Any = None
        self._pool = pool
        self._wheel = wheel
        self._response = Response()
        self._call: Call | None = None
        self._receiver: IReceiver | None = None
        self._told_head = False
        self._patience = 0.0  # of the call's reads
        self._alarm: IAlarm | None = None
        self._left = 0.0  # of the read's patience, while paused
        self._paused = False
        self._sender: Sender | Feed | None = None
        self._sent_at = 0.0
        self._reused = False
        self._closed = False

    # -- life

    def connectionMade(self) -> None:
        wire: Any = upgrade(self.transport)
        self._wire = wire
        wrapper = getattr(wire, "protocol", None)
        if getattr(wrapper, "_wrappedProtocol", None) is self:
            # Twisted's endpoints leave a wrapper between the socket and us, which does
            # nothing any more once we are connected but cost 1.5 us a read.
            wire.protocol = self
        if ITCPTransport.providedBy(wire):
            wire.setTcpNoDelay(True)
            wire.setTcpKeepAlive(True)
        uncouple(wire)
        peer = wire.getPeer()
        host, port = getattr(peer, "host", "unix"), getattr(peer, "port", 0)
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._pool.opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = True
        self._pool.discard(self)
        self._pool.lost(self)
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.cancel()
        call = self._call
        response = self._response
        if call is None:
            pass
        elif response.eof(reason.check(ConnectionDone) is not None):
            self._finish()
        elif (
            self._reused
            and not response.begun
            and self._wheel.seconds() - self._sent_at <= REPLAY_WITHIN
        ):
            self._release()
            call.replay()
        else:
            self._fail(broke(reason.value or ConnectionLost(), self.address))
        response.close()

    def close(self) -> None:
        """
        Close an idle connection, by a plain FIN also under TLS: ``loseConnection``
        would there wait for a close_notify that may never come.
        """
        self._closed = True
        self._wire.stopProducing()

    def abort(self) -> None:
        """Close at once, unless that has begun; a call under way is told."""
        if self._call is not None:
            self._fail(stopping(self.address))
        elif not self._closed:
            self._abort()

    def _abort(self) -> None:
        # Not loseConnection: it waits for what the peer does not read, and over TLS,
        # paused, for a close_notify that is never read.
        self._closed = True
        self._wire.abortConnection()

    # -- the call's doing

    def send(self, call: Call, receiver: IReceiver, head: bytes) -> None:
        """
        Send a request; the connection is idle or new.

        :param head: the head as it goes on the wire.
        """
        outbound = call.outbound
        self._call = call
        self._receiver = receiver
        self._told_head = False
        self._reused = call.reused
        self._patience = outbound.patience.read
        self._response.expect(outbound.method == "HEAD")
        body = outbound.body
        if call.upload is not None:
            self._sent_at = self._wheel.seconds()
            feed = Feed(self._wire, call.upload, self._fed, self._starved)
            self._sender = feed
            feed.start(head)
        elif len(head) + len(body) <= SLICE:
            self._wire.write(head + body)
            self._sent()
        else:
            self._sent_at = self._wheel.seconds()
            self._be_due(outbound.patience.send)
            self._sender = Sender(self._wire, head, body, self._progressed)
            self._sender.start()

    def pause(self) -> None:
        """Read no more; the read's patience stands still."""
        self._paused = True
        self._wire.pauseProducing()
        if self._sender is None and self._alarm is not None:
            self._left = self._alarm.when - self._wheel.seconds()

    def resume(self) -> None:
        """Go on reading."""
        self._paused = False
        self._wire.resumeProducing()
        if self._sender is None:
            self._be_due(self._left)

    def stop(self) -> None:
        """Give the call up; it is told nothing more."""
        self._release()
        self._abort()

    # -- sending

    def _progressed(self) -> None:
        sender, call = self._sender, self._call
        if sender is None or call is None:
            return
        now = self._wheel.seconds()
        self._sent_at = now
        if sender.done:
            self._sender = None
            self._sent()
        else:
            self._be_due(call.outbound.patience.send)

    def _fed(self) -> None:
        feed, call = self._sender, self._call
        if not isinstance(feed, Feed) or call is None:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if feed.done:
            self._sender = None
            self._sent()
        elif feed.full:
            self._alarm = self._wheel.after(call.outbound.patience.send, self._late)

    def _starved(self, error: Exception) -> None:
        self._fail(broke(error, self.address))

    def _sent(self) -> None:
        assert self._call is not None
        self._sent_at = self._call.sent_at = self._wheel.seconds()
        if self._paused:
            self._left = self._patience
        else:
            self._be_due(self._patience)

    def _be_due(self, patience: float) -> None:
        """
        Be late in ``patience`` seconds. The alarm outlives the call and is put off for
        the next: to set and cancel one for each costs a request 2 us.
        """
        when = self._wheel.seconds() + patience
        alarm = self._alarm
        if alarm is not None:
            if alarm.when <= when:
                alarm.when = when
                return
            alarm.cancel()
        self._alarm = self._wheel.after(patience, self._late)

    def _late(self) -> None:
        self._alarm = None
        if self._call is None:
            pass  # the call it was set for is over
        elif self._sender is not None:
            self._fail(timed_out("send", self.address))
        elif not self._paused:
            self._fail(timed_out("read", self.address))

    # -- receiving

    def dataReceived(self, data: bytes) -> None:
        call, receiver = self._call, self._receiver
        if call is None or receiver is None:
            # Nobody asked for it, and it would be taken for the next answer.
            self._pool.discard(self)
            if not self._closed:
                self._abort()
            return
        if self._sender is None and self._alarm is not None:
            self._alarm.when = self._wheel.seconds() + self._patience
        response = self._response
        body = response.feed(data)
        if not self._told_head and response.status:
            self._told_head = True
            call.answered()
            receiver.head(response.status, response.take_headers())
            if self._call is not call:
                return
        if body:
            receiver.body(body)
            if self._call is not call:
                return
        if response.complete:
            self._finish()
        elif response.error is not None:
            self._fail(broke(response.error, self.address))

    def _finish(self) -> None:
        call, receiver = self._call, self._receiver
        assert call is not None
        assert receiver is not None
        unsent = self._sender is not None
        paused = self._paused
        self._release()
        call.over()
        if self._closed:
            pass
        elif unsent:
            self._abort()
        elif self._response.clean:
            if paused:
                # Parked so it would not notice that its peer closes. Nothing is due any
                # more, so there is nothing to hold back.
                self._wire.resumeProducing()
            self._pool.park(self, call.outbound.keepalive)
        else:
            self.close()
        receiver.ended()

    def _fail(self, error: UpstreamError) -> None:
        call, receiver = self._call, self._receiver
        assert call is not None
        assert receiver is not None
        self._release()
        call.over()
        if not self._closed:
            self._abort()
        receiver.failed(error)

    def _release(self) -> None:
        """Nothing binds the connection to its call any more."""
        self._call = self._receiver = None
        self._paused = False
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.stopProducing()
