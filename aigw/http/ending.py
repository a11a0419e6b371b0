"""
How an answer of twisted.web is ended other than by finishing it: HTTP/1.1 and HTTP/2
need different calls, and ``request.transport`` serves neither (None on HTTP/2).
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IPullProducer
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request
from zope.interface import implementer

from .kernel import bottom, unsent

#: Seconds a client has to take what was queued for it when its answer was cut.
_LINGER = 30
#: Seconds between two looks at whether it has.
_LOOK = 0.02


def lose(request: Request) -> None:
    """
    Send what is queued, then end without what would make the answer look complete: no
    closing chunk, or too few bytes (HTTP/1.1), RST_STREAM (HTTP/2).
    """
    channel = request.channel
    if isinstance(channel, HTTPChannel):
        channel.setTimeout(_LINGER)
        channel.loseConnection()
    else:
        _reset_when_sent(request, channel, round(_LINGER / _LOOK))


def reset(request: Request) -> None:
    """
    Send what is queued, then reset: for HTTP/1 answers that a plain close would make
    look complete.
    """
    _Reset(request).begin()


def abort(request: Request) -> None:
    """Drop the connection, or the HTTP/2 stream; what is queued is lost."""
    channel = request.channel
    if isinstance(channel, HTTPChannel):
        # Not forceAbortClient(), which logs that the client was timed out; and not by
        # TLS, which would first say that nothing is missing (close_notify).
        bottom(channel.transport).abortConnection()
    elif channel is not None:
        channel.abortConnection()
        # A stream we reset ourselves is forgotten without a word to its request.
        request.connectionLost(Failure(ConnectionAborted()))


@implementer(IPullProducer)
class _Reset:
    """
    RST discards what the kernel has not sent; so it waits until the peer has that. As a
    pull producer this is asked for more when the transport's own queue is empty.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._transport: Any = request.channel.transport
        self._looks = round(_LINGER / _LOOK)
        self._empty = False

    def begin(self) -> None:
        self._transport.unregisterProducer()  # the channel
        below = bottom(self._transport)
        below.registerProducer(self, False)
        self._empty = False  # asked at once, which says nothing
        below.startWriting()
        self._look()

    def _look(self) -> None:
        if self._request.channel is None:
            return  # the client has gone
        self._looks -= 1
        if (self._empty and not unsent(self._transport)) or not self._looks:
            abort(self._request)
        else:
            self._request.channel.callLater(_LOOK, self._look)

    def resumeProducing(self) -> None:
        self._empty = True

    def stopProducing(self) -> None:
        """The connection is lost; the request is told by its channel."""


def _reset_when_sent(request: Request, stream: Any, looks: int) -> None:
    """
    A stream that is reset drops its queue, and nothing tells when the queue is empty:
    frames leave one a reactor turn, as the client's window permits.
    """
    connection = stream._conn
    queue = connection._outboundStreamQueues.get(stream.streamID)
    if queue is None or request.channel is None:
        return  # the client has gone
    if not queue or not looks:
        abort(request)
    else:
        connection._reactor.callLater(
            _LOOK, _reset_when_sent, request, stream, looks - 1
        )
