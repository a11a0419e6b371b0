"""A request body that has been read already, given out as if it were arriving."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from zope.interface import implementer

from aigw.interfaces.downstream import IBodySource

_PIECE = 65536


@implementer(IBodySource)
class HeldBody:
    """See :class:`aigw.interfaces.downstream.IBodySource`; pieces of 64 KiB."""

    def __init__(self, body: BinaryIO, length: int | None) -> None:
        """:param body: a file that holds the whole body; read from its beginning."""
        self.length = length
        self._body = body
        self._write: Callable[[bytes], None] | None = None
        self._finish: Callable[[], None] | None = None
        self._paused = False
        self._giving = False

    def start(
        self,
        write: Callable[[bytes], None],
        finish: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._body.seek(0)
        self._write, self._finish = write, finish
        self._give()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._give()

    def stop(self) -> None:
        self._write = self._finish = None

    def _give(self) -> None:
        if self._giving:  # resumed from inside write: the loop below goes on
            return
        self._giving = True
        try:
            while self._write is not None and not self._paused:
                piece = self._body.read(_PIECE)
                if piece:
                    self._write(piece)
                    continue
                finish = self._finish
                self.stop()
                if finish is not None:
                    finish()
        finally:
            self._giving = False
