"""
How the daemon's front parts with a client. Which way is right depends on what the
client would take the end of the connection for:

- ``close``: what is queued, then FIN.
- ``linger``: the same to a client that is still sending. Were the socket closed with
  unread bytes in it, the kernel would answer them with RST, and RST may take from the
  client the very answer that tells why. So only our direction is closed, and the rest
  is read and thrown away, within bounds.
- ``reset``: what is queued, then RST; where FIN would make a cut answer look complete.
  RST discards what the kernel has not sent, so it waits until the peer has that. (A
  unix socket knows no RST: there FIN is all there is.)
- ``abort``: RST now.

A client that does not take what is queued is reset when its time is up.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from .deadline import Deadline
from .kernel import bottom, unsent
from .limits import Limits

#: Between two looks at whether the peer has taken everything, seconds.
_LOOK: Final = 0.02


@implementer(IPullProducer)
class Parting:
    """
    The end of one connection. One of ``close``, ``linger`` and ``reset`` is called, at
    most once; ``abort`` at any time. Nobody else may be registered with the transport.

    :param deadline: the connection's; it must call :meth:`due` from now on.
    """

    def __init__(self, transport: Any, deadline: Deadline, limits: Limits) -> None:
        self._transport = transport
        self._deadline = deadline
        self._limits = limits
        self._discarded = 0
        self._looks = 0
        self._resetting = False
        self._empty = False

    def close(self) -> None:
        """Send what is queued, then close."""
        self._deadline.set(self._limits.close_timeout)
        self._transport.loseConnection()

    def linger(self, secure: bool) -> None:
        """
        Send what is queued, then close without losing it to what still arrives.

        :param secure: whether this is TLS, which lingers by itself: it closes when the
            peer has answered its close_notify.
        """
        self._deadline.set(self._limits.close_timeout)
        half = getattr(self._transport, "loseWriteConnection", None)
        if secure or half is None:
            self._transport.loseConnection()
        else:
            half()

    def reset(self) -> None:
        """Send what is queued, then reset."""
        self._looks = round(self._limits.close_timeout / _LOOK)
        self._resetting = True
        self._deadline.set(_LOOK)
        below = bottom(self._transport)
        # A pull producer is asked for more when the queue is empty; the first time at
        # once, which says nothing.
        below.registerProducer(self, False)
        self._empty = False
        start = getattr(below, "startWriting", None)
        if start is not None:
            start()

    def abort(self) -> None:
        """
        Reset now. Below TLS, whose own abort would first send a close_notify: the very
        sign that nothing is missing.
        """
        self._resetting = False
        self._deadline.clear()
        bottom(self._transport).abortConnection()

    def discard(self, size: int) -> None:
        """The client has sent ``size`` bytes that nobody will read."""
        self._discarded += size
        if self._discarded > self._limits.discarded:
            self.abort()

    def due(self) -> None:
        """The deadline has passed."""
        if self._resetting:
            self._looks -= 1
            if self._looks > 0 and not (self._empty and not unsent(self._transport)):
                self._deadline.set(_LOOK)
                return
        self.abort()

    # -- IPullProducer, while a reset waits

    def resumeProducing(self) -> None:
        self._empty = True

    def stopProducing(self) -> None:
        self._resetting = False
