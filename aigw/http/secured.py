"""A connection to a provider inside TLS."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from .connection import Connection


@implementer(IHandshakeListener)
class SecuredConnection(Connection):
    """A connection whose handshake can be waited for."""

    _handshake: Deferred[None] | None = None

    def handshake(self) -> Deferred[None]:
        """
        Wait for TLS to stand.

        :returns: fires when it does, or with why it does not. Cancelling it closes the
            connection.
        """
        waiting = self._handshake = Deferred(self._forsake)
        return waiting

    def _forsake(self, handshake: Deferred[None]) -> None:
        self._handshake = None
        self._abort()

    def handshakeCompleted(self) -> None:
        waiting, self._handshake = self._handshake, None
        if waiting is not None:
            waiting.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        waiting, self._handshake = self._handshake, None
        super().connectionLost(reason)
        if waiting is not None:
            waiting.errback(reason)
