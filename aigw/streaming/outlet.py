"""
The outlet: what leaves towards a client, and when.

The answer's head goes out with its first bytes, not before: until then a failure can
still be told by status. The first bytes, and any that come when nothing was written for
an interval, leave at once; what comes sooner is gathered and leaves as one write at the
next tick, or when there are 64 KiB of it. While another attempt is still possible, all
bytes are held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aigw.model.headers import Headers

from .client import Client
from .flush import Ticker

#: A batch leaves when it reaches this many bytes, tick or no tick.
BATCH_LIMIT: Final = 64 * 1024
#: The most bytes that are held while another attempt is still possible.
HOLD_LIMIT: Final = 64 * 1024

#: Instead of a head that has gone out.
_NO_HEAD: Final[tuple[int, Headers]] = (0, [])


class Outlet:
    """
    One answer's bytes on their way to ``downstream``.

    :param begun: whether a heartbeat has sent the head before there was an answer.
    :param held: whether to hold all bytes until :meth:`commit`.
    :ivar begun: whether the head has gone out.
    :ivar sent: bytes of body written.
    :ivar written_at: clock seconds of the last write.
    :ivar first_write_at: clock seconds when the first of the answer's own bytes was
        written, or None.
    :ivar paused: set while the client takes nothing; gathered bytes then wait.
    """

    __slots__ = (
        "_batch",
        "_closed",
        "_downstream",
        "_head",
        "_held",
        "_interval",
        "_seconds",
        "_size",
        "_ticker",
        "begun",
        "first_write_at",
        "paused",
        "sent",
        "written_at",
    )

    def __init__(
        self,
        downstream: Client,
        head: tuple[int, Headers],
        ticker: Ticker,
        seconds: Callable[[], float],
        *,
        begun: bool = False,
        held: bool = False,
    ) -> None:
        self.begun = begun
        self.sent = 0
        self.paused = False
        self.written_at = float("-inf")
        self.first_write_at: float | None = None
        self._downstream = downstream
        self._head = head
        self._ticker = ticker
        self._interval = ticker.interval
        self._seconds = seconds
        self._held = held
        self._batch: list[bytes] = []
        self._size = 0
        self._closed = False

    @property
    def held(self) -> bool:
        """Whether bytes are held back because another attempt is possible."""
        return self._held

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be written."""
        return not self._batch

    def give(self, data: bytes, now: float) -> None:
        """Let ``data`` leave at once, at the next tick, or when the hold ends."""
        if self._closed:
            return
        if not (self._batch or self.paused or self._held):
            if now - self.written_at >= self._interval:
                self._send(data, now)
                return
        self._batch.append(data)
        self._size += len(data)
        if self._held:
            if self._size > HOLD_LIMIT:
                self.commit()
        elif self._size >= BATCH_LIMIT:
            self.flush()
        elif len(self._batch) == 1 and self._interval:
            self._ticker.add(self)

    def commit(self) -> None:
        """End the hold: no other attempt from here on. Idempotent."""
        if self._held:
            self._held = False
            self.flush()

    def flush(self) -> None:
        """Write what was gathered, unless it is held or the client takes nothing."""
        batch = self._batch
        if not batch or self.paused or self._held or self._closed:
            return
        self._ticker.discard(self)
        data = batch[0] if len(batch) == 1 else b"".join(batch)
        batch.clear()
        self._size = 0
        self._send(data, self._seconds())

    def _send(self, data: bytes, now: float) -> None:
        if self.first_write_at is None:
            self.first_write_at = now
        self.write(data, now)

    def write(self, data: bytes, now: float) -> None:
        """Write past everything gathered; for what may stand anywhere (a heartbeat)."""
        if not self.begun:
            self.begin()
        self.written_at = now
        self.sent += len(data)
        self._downstream.write(data)

    def begin(self) -> None:
        """Send the head."""
        self.begun = True
        head, self._head = self._head, _NO_HEAD
        self._downstream.start(*head)

    def last(self, data: bytes) -> None:
        """Write what was gathered and ``data``, whether the client takes it or not."""
        if data:
            self._batch.append(data)
        self.paused = self._held = False
        self.flush()

    def close(self) -> None:
        """Forget what was gathered or held; nothing leaves any more. Idempotent."""
        self._closed = True
        self._held = False
        self._batch.clear()
        self._ticker.discard(self)
