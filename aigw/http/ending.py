"""
How an answer of twisted.web is ended other than by finishing it: HTTP/1.1 and HTTP/2
need different calls, and ``request.transport`` serves neither (None on HTTP/2).
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

#: Seconds a client has to take what was queued for it when its answer was cut.
_LINGER = 30
#: Between two looks at whether an HTTP/2 stream's queue is empty.
_LOOK = 0.005


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


def abort(request: Request) -> None:
    """Drop the connection, or the HTTP/2 stream; what is queued is lost."""
    channel = request.channel
    if isinstance(channel, HTTPChannel):
        # Not forceAbortClient(), which logs that the client was timed out; and not by
        # TLS, which would first say that nothing is missing (close_notify).
        below: Any = channel.transport
        while isinstance(below, ProtocolWrapper):
            below = below.transport
        below.abortConnection()
    elif channel is not None:
        channel.abortConnection()
        # A stream we reset ourselves is forgotten without a word to its request.
        request.connectionLost(Failure(ConnectionAborted()))


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
