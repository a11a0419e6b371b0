"""A request too large for one write, handed to the transport as it drains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

#: Bytes handed over in one go; Twisted's transports ask for a pause above it.
SLICE = 64 * 1024


@implementer(IPushProducer)
class Sender:
    """
    Writes one body as fast as the transport takes it.

    Small requests go out in one write and never see this class. For large ones it is
    the way to know that the peer takes anything at all, and when it has taken it all.

    :ivar done: whether everything was handed over, the last slice accepted.
    """

    def __init__(
        self,
        wire: Any,
        head: bytes,
        body: bytes,
        progress: Callable[[], None],
    ) -> None:
        """
        :param wire: the transport: IConsumer and ITransport.
        :param progress: called after the transport took something, and once ``done``.
        """
        self.done = False
        self._wire = wire
        self._head = head
        self._rest = memoryview(body)
        self._progress = progress
        self._paused = False
        self._writing = False

    def start(self) -> None:
        """Begin. A transport already lost stops us from inside."""
        self._wire.registerProducer(self, True)
        if not self.done:
            room = max(0, SLICE - len(self._head))
            piece, self._rest = self._rest[:room], self._rest[room:]
            self._wire.write(b"".join((self._head, piece)))
            if not self._paused:
                self.resumeProducing()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._writing or self.done:
            return  # the loop below goes on by itself
        self._writing = True
        while self._rest and not self._paused:
            piece, self._rest = self._rest[:SLICE], self._rest[SLICE:]
            self._wire.write(bytes(piece))
        self._writing = False
        if not self._paused and not self._rest and not self.done:
            self.done = True
            self._wire.unregisterProducer()
        self._progress()

    def stopProducing(self) -> None:
        self._rest = self._rest[:0]
        self.done = True
