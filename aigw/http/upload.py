"""A request body relayed as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zope.interface import implementer

from aigw.interfaces.downstream import IBodySource

from .store import Store

if TYPE_CHECKING:
    from .incoming import Incoming


@implementer(IBodySource)
class Upload:
    """
    See :class:`aigw.interfaces.downstream.IBodySource`. While it is paused the
    connection is not read; what had been read already is held, and comes first later.

    :param store: what came before ``start``, and what comes while paused.
    """

    def __init__(self, incoming: Incoming, length: int | None, store: Store) -> None:
        self.length = length
        self._incoming = incoming
        self._store = store
        self._write: Callable[[bytes], None] | None = None
        self._finish: Callable[[], None] | None = None
        self._failed: Callable[[Exception], None] | None = None
        self._paused = False
        self._giving = False
        self._complete = incoming.done

    # -- the exchange's side

    def start(
        self,
        write: Callable[[bytes], None],
        finish: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        error = self._incoming.begin_upload()
        if error is not None:
            failed(error)
            return
        self._write, self._finish, self._failed = write, finish, failed
        self._give()

    def pause(self) -> None:
        if self._write is not None and not self._paused:
            self._paused = True
            self._incoming.stop_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._give()

    def stop(self) -> None:
        self._let_go()
        self._incoming.discard()

    # -- the body's side

    def arrived(self, data: bytes) -> None:
        """A piece, not empty."""
        if self._write is not None and not (
            self._paused or self._giving or self._store.size
        ):
            self._write(data)
        else:
            self._store.add(data)

    def ended(self) -> None:
        """The body is complete."""
        self._complete = True
        if self._write is not None:
            self._give()

    def broke(self, error: Exception) -> None:
        """No more will come."""
        failed = self._failed
        self._let_go()
        if failed is not None:
            failed(error)

    # -- inside

    def _let_go(self) -> None:
        self._write = self._finish = self._failed = None

    def _give(self) -> None:
        """Hand on what is held; then read on, or finish."""
        if self._giving:  # from inside write: the loop below goes on
            return
        self._giving = True
        try:
            while self._store.size and not self._paused and self._write is not None:
                data = self._store.take()
                self._store.free()
                self._write(data)
        finally:
            self._giving = False
        if self._paused or self._write is None:
            return
        if not self._complete:
            self._incoming.continue_reading()
            return
        finish = self._finish
        self._let_go()
        if finish is not None:
            finish()
