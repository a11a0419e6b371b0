"""The part of a request body that is held in memory."""

from __future__ import annotations

from typing import Final

from .budget import Budget

#: Pieces smaller than this are gathered, so that a body sent byte by byte costs its
#: size in memory and not an object for each byte.
_SMALL: Final = 2048


class Store:
    """
    Pieces in order, and what the budget knows of them.

    :ivar size: bytes held.
    :ivar counted: bytes the budget counts, until :meth:`free`.
    """

    __slots__ = ("_budget", "_pieces", "_small", "counted", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pieces: list[bytes] = []
        self._small = bytearray()
        self.size = 0
        self.counted = 0

    def add(self, data: bytes) -> None:
        """Hold ``data`` too."""
        size = len(data)
        self.size += size
        self.counted += size
        self._budget.take(size)
        if size < _SMALL:
            self._small += data
        else:
            self._gather()
            self._pieces.append(data)

    def take(self) -> bytes:
        """All of it, in one piece; held no more here, but counted."""
        self._gather()
        pieces, self._pieces = self._pieces, []
        self.size = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def free(self) -> None:
        """Hold nothing; give back what the budget counts. Idempotent."""
        self._pieces.clear()
        self._small.clear()
        self.size = 0
        counted, self.counted = self.counted, 0
        if counted:
            self._budget.give(counted)

    def _gather(self) -> None:
        if self._small:
            self._pieces.append(bytes(self._small))
            self._small.clear()
