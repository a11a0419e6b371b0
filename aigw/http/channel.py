"""
One client's connection to the daemon's own HTTP/1.1 front.

Requests are served one after the other, in order. What arrives behind the one being
served waits, 16 KiB at most; the connection is read on meanwhile, for reading is how
one learns that a client leaves (its FIN counts as leaving). The one exception are
bodies nobody takes for now: see ``incoming``.

The channel is its transport's producer for as long as both live, and hands pause and
resume on to whoever writes the answer. So it always knows whether the transport is
full, a producer that registers late is paused at once, and no further request is begun
for a client that does not read its answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.errors import BadRequest, GatewayError, Unavailable

from .answer import Answer
from .backlog import Backlog
from .deadline import Deadline
from .eager import upgrade
from .incoming import Incoming
from .parting import Parting
from .reading import Reading
from .refused import Refused
from .request import Head, HeadReader
from .running import Running

if TYPE_CHECKING:
    from .front import Front


@implementer(IPushProducer)
class Channel(Protocol):
    """
    :ivar front: what is shared with the other connections.
    :ivar full: whether the transport takes nothing more for now.
    """

    transport: Any

    def __init__(self, front: Front) -> None:
        self.front = front
        self.full = False
        self._heads = HeadReader(front.limits)
        self._backlog = Backlog(front.limits.waiting)
        self._deadline = Deadline(front.wheel, self._due)
        self._answer: Answer | None = None  # the request being served
        self._incoming: Incoming | None = None  # the body being received
        self._parting: Parting | None = None
        self._reading: Reading | None = None  # made for the first to ask
        self._spoilt = False  # no request can follow the one being served
        self._advancing = False
        self._crowded = False  # whether it is one connection too many
        self._peer = ""
        self._scheme = "http"

    # -- called by the transport

    def connectionMade(self) -> None:
        transport = upgrade(self.transport)
        no_delay = getattr(transport, "setTcpNoDelay", None)
        if no_delay is not None:
            no_delay(True)
        transport.registerProducer(self, True)
        front = self.front
        front.channels.add(self)
        self._crowded = len(front.channels) > front.max_connections
        self._deadline.set(front.limits.head_timeout)

    def dataReceived(self, data: bytes) -> None:
        if self._parting is not None:
            self._parting.discard(len(data))
            return
        if self._incoming is not None:
            data = self._receive(self._incoming, data)
            if not data:
                return
        if self._answer is not None or self.full or self._backlog.size:
            self._wait(data)
        else:
            self._advance(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.front.channels.discard(self)
        self._deadline.cancel()
        self._read().end()
        self._backlog.take()
        self._incoming = self._parting = None
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.gone()

    def pauseProducing(self) -> None:
        self.full = True
        if self._answer is not None and self._answer.producer is not None:
            self._answer.producer.pauseProducing()

    def resumeProducing(self) -> None:
        self.full = False
        if self._answer is None:
            self._next()
        elif self._answer.producer is not None:
            self._answer.producer.resumeProducing()

    def stopProducing(self) -> None:
        answer = self._answer
        if answer is not None and answer.producer is not None:
            producer, answer.producer = answer.producer, None
            producer.stopProducing()

    # -- called by the answer

    @property
    def keeps(self) -> bool:
        """Whether the connection can serve another request after this answer."""
        if self._spoilt or self.front.draining:
            return False
        return self._incoming is None or self._incoming.short

    def send(self, data: bytes) -> None:
        """Write to the client."""
        self.transport.write(data)

    def answered(self, keep: bool) -> None:
        """The answer's end has been written."""
        self._answer = None
        if not (keep and self.keeps):
            self._part()
        elif self._incoming is not None:
            self._deadline.set(self.front.limits.leftover_timeout)
        elif not self._advancing:
            self._next()

    def cut(self, reset: bool) -> None:
        """The answer ends here, incomplete."""
        self._answer = None
        if reset:
            self._begin_parting().reset()
        else:
            self._part()

    def abort(self) -> None:
        """The answer ends here, and what is queued is lost."""
        self._answer = None
        self.drop()

    # -- called by the body (incoming.Line)

    def hold(self) -> None:
        self._read().hold()

    def release(self) -> None:
        if self._reading is not None:
            self._reading.release()

    def spoil(self) -> None:
        self._spoilt = True

    # -- called by the front

    def drain(self) -> None:
        """Close now if nothing is under way."""
        if self._answer is None and self._parting is None and not self._backlog.size:
            self._part()

    def drop(self) -> None:
        """Reset the connection now. An answer under way sees its client leave."""
        (self._parting or self._begin_parting()).abort()

    def interrupt(self, error: GatewayError) -> None:
        """Wait no longer for the body of the request under way."""
        if self._answer is not None and self._answer.incoming is not None:
            self._answer.incoming.interrupt(error)

    # -- one request after the other

    def _advance(self, data: bytes) -> None:
        """Serve the requests in ``data``, until one takes time or is incomplete."""
        self._advancing = True
        try:
            while data:
                begun = self._heads.begun
                head = self._heads.feed(data)
                if head is None:
                    if not begun:
                        self._deadline.set(self.front.limits.head_timeout)
                    return
                data = self._begin(head, self._heads.take_rest())
                if self._answer is not None:
                    self._answer.send_head()
                    self._wait(data)
                    return
                if self._parting is not None or self._incoming is not None:
                    return
                if self.full:
                    self._wait(data)
                    break
        except GatewayError as error:
            self._refuse(error, self._heads.held or data)
            return
        finally:
            self._advancing = False
        self._deadline.set(self.front.limits.idle_timeout)

    def _begin(self, head: Head, data: bytes) -> bytes:
        """
        Serve one request.

        :param data: what stands behind its head.
        :returns: what stands behind the request.
        """
        front = self.front
        if not self._peer:
            self._meet()
        peer = front.proxies.client(self._peer, head.headers)
        if self._crowded and len(front.channels) > front.max_connections:
            error = Unavailable("too many connections", retry_after=1, reason="busy")
            self._refuse(error, head)
            return b""
        self._answer = answer = Answer(self, head, peer, self._scheme)
        self._deadline.clear()
        length = head.length
        if length is None or length > len(data):
            self._incoming = answer.incoming = Incoming(
                self, head, front.limits, front.budget, self._deadline
            )
            if data:
                data = self._receive(self._incoming, data)
        elif length:
            answer.came_whole(data[:length])
            data = data[length:]
        Running(front.serve(answer), answer.served)
        return data

    def _next(self) -> None:
        """Go on with what has waited, or be idle."""
        if self._parting is not None or self._incoming is not None:
            return
        if self._backlog.overflow:
            self._refuse(BadRequest("too much waits behind a request"), b"")
        elif self._backlog.size and not self.full:
            self.release()
            self._advance(self._backlog.take())
        elif not self._heads.begun:
            self._deadline.set(self.front.limits.idle_timeout)

    def _wait(self, data: bytes) -> None:
        """Keep ``data`` for when the request under way has been answered."""
        answer = self._answer
        if answer is not None and answer.delivered and data:
            # The client has its whole answer, though the exchange has not said so yet:
            # this is no pipelining. Let it wait in the kernel, whatever its size.
            self._backlog.add(data, bounded=False)
            self.hold()
            return
        self._backlog.add(data)
        if self._backlog.size > self.front.limits.discarded:
            self.hold()

    def _receive(self, incoming: Incoming, data: bytes) -> bytes:
        """
        Take a piece of the body under way.

        :returns: what stands behind the body.
        """
        rest = incoming.feed(data)
        if incoming.done and self._incoming is incoming:
            self._incoming = None
        if self._answer is None and self._parting is None:
            # Answered already: the rest was read so that the connection can be kept.
            if self._spoilt:
                self._part()
            elif self._incoming is None:
                self._deadline.set(self.front.limits.idle_timeout)
        return b"" if self._parting is not None else rest

    # -- the end

    def _due(self) -> None:
        """The deadline has passed."""
        if self._parting is not None:
            self._parting.due()
        elif self._answer is not None:
            if self._answer.incoming is not None:
                self._answer.incoming.due()
        elif self._heads.held.strip(b"\r\n"):
            error = BadRequest("the head came too slowly", status=408, reason="head")
            self._refuse(error, self._heads.held)
        else:
            self._part()

    def _refuse(self, error: GatewayError, head: Head | bytes) -> None:
        """
        Answer a request that does not become an exchange, and close.

        :param head: as it was understood, or the bytes that could not be.
        """
        self._meet()
        refused = Refused.of(head, self._peer, self._scheme)
        self._spoilt = True
        self.send(refused.answer(error, self.front))
        self._part()

    def _part(self) -> None:
        """Close when what is queued has been sent."""
        sending = self._incoming is not None or self._spoilt or self._backlog.size
        parting = self._begin_parting()
        if sending:
            parting.linger(self._scheme == "https")
        else:
            parting.close()

    def _begin_parting(self) -> Parting:
        self._parting = parting = Parting(
            self.transport, self._deadline, self.front.limits
        )
        self._backlog.take()
        self._incoming = None
        self.full = False
        self.transport.unregisterProducer()
        self.release()
        return parting

    def _read(self) -> Reading:
        """Few connections are ever held, so most do without until they are lost."""
        if self._reading is None:
            self._reading = Reading(self.transport, self.front.wheel, self.drop)
        return self._reading

    def _meet(self) -> None:
        """
        Learn who the client is. Not when the connection is made, for the PROXY protocol
        tells it with the first bytes.
        """
        self._peer = getattr(self.transport.getPeer(), "host", None) or "unix"
        if ISSLTransport.providedBy(self.transport):
            self._scheme = "https"
