"""A request body handed to the transport as its source gives it out: an upload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aigw.interfaces.downstream import IBodySource


@implementer(IPushProducer)
class Feed:
    """
    Joins a source to a provider's connection: while the transport is full the source is
    paused, so that the client's own connection is not read and its TCP holds it.
    Nothing is held here but what the transport has been given.

    Beside :class:`.sender.Sender` it has no wish of its own: a body that does not come
    is the client's doing, and the front sees to that. Only while ``full`` is it the
    provider who keeps us waiting.

    :ivar done: whether all was handed over and the transport has taken it.
    :ivar full: whether the transport takes nothing now.
    """

    def __init__(
        self,
        wire: Any,
        source: IBodySource,
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """
        :param wire: the transport: IConsumer and ITransport.
        :param source: not started. Without a length it is sent chunked (RFC 9112,
            section 7.1).
        :param changed: called when ``done`` or ``full`` has changed.
        :param failed: called when no more will come although more was due.
        """
        self.done = False
        self.full = False
        self._wire = wire
        self._source = source
        self._changed = changed
        self._failed = failed
        self._chunked = source.length is None
        self._left = source.length or 0
        self._complete = False

    def start(self, head: bytes) -> None:
        """Send the head, and begin. A transport already lost stops us from inside."""
        self._wire.registerProducer(self, True)
        if not self.done:
            self._wire.write(head)
        if not self.done:
            self._source.start(self._write, self._finish, self._broke)

    # -- the source's side

    def _write(self, data: bytes) -> None:
        # An empty chunk would be the last; and whatever does not fit the length, the
        # provider would take for another request, or that for the rest of this one.
        if self.done or not data:
            return
        if self._chunked:
            self._wire.write(b"%x\r\n%b\r\n" % (len(data), data))
            return
        self._left -= len(data)
        if self._left < 0:
            self._failed(ValueError("a body of more bytes than were announced"))
        else:
            self._wire.write(data)

    def _finish(self) -> None:
        if self.done:
            return
        if self._left:
            self._failed(ValueError("a body of fewer bytes than were announced"))
            return
        self._complete = True
        if self._chunked:
            self._wire.write(b"0\r\n\r\n")
        if not self.full:
            self._end()

    def _broke(self, error: Exception) -> None:
        if not self.done:
            self._failed(error)

    # -- the transport's side

    def pauseProducing(self) -> None:
        # Again and again, for a source that had not begun could not be paused yet.
        self._source.pause()
        if not self.full:
            self.full = True
            self._changed()

    def resumeProducing(self) -> None:
        if self.done or not self.full:
            return
        self.full = False
        if self._complete:
            self._end()
            return
        self._changed()
        self._source.resume()

    def stopProducing(self) -> None:
        if not self.done:
            self.done = True
            self._source.stop()

    def _end(self) -> None:
        self.done = True
        self._wire.unregisterProducer()
        self._changed()
