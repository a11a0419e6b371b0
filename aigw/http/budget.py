"""One worker's memory for request bodies, shared by its connections."""

from __future__ import annotations

from collections.abc import Callable

#: What one more reader may take before it is asked again: one read.
_READ = 64 * 1024


class Budget:
    """
    Counts the bytes of request bodies held in memory. While there are as many as
    allowed, bodies that are not complete wait unread, in the order they came to wait.

    A body that came whole with its head is counted but never waits: it is in memory
    already, and serving it is what frees memory. So the limit may be exceeded by one
    read (64 KiB) a connection.

    :ivar limit: bytes.
    :ivar held: bytes held now.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._waiting: dict[Callable[[], None], None] = {}

    def take(self, size: int) -> None:
        """``size`` more bytes are held."""
        self.held += size

    def give(self, size: int) -> None:
        """``size`` bytes are held no more; those who wait may go on."""
        self.held -= size
        room = self.limit - self.held
        while self._waiting and room > 0:
            call = next(iter(self._waiting))
            del self._waiting[call]
            room -= _READ
            call()

    @property
    def spent(self) -> bool:
        """Whether bodies must wait."""
        return self.held >= self.limit

    def wait(self, call: Callable[[], None]) -> None:
        """Have ``call`` called once, when there is room again."""
        self._waiting[call] = None

    def waits(self, call: Callable[[], None]) -> bool:
        """Whether ``call`` is still to be called."""
        return call in self._waiting

    def forget(self, call: Callable[[], None]) -> None:
        """Do not call ``call`` after all. Idempotent."""
        self._waiting.pop(call, None)
