"""Slots: how many attempts an instance takes at once, and who waits for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable


class Waiting:
    """
    One request that waits for the first free slot of several instances.

    :param granted: called once, with the slots of which one was taken for it.
    """

    def __init__(self, granted: Callable[[Slots], None]) -> None:
        self._granted = granted
        self._queues: list[Slots] = []
        self.over = False

    def grant(self, slots: Slots) -> None:
        """A slot was taken for it."""
        self.leave()
        self._granted(slots)

    def leave(self) -> None:
        """Wait no more. Idempotent."""
        self.over = True
        for slots in self._queues:
            slots.forget(self)
        self._queues.clear()

    def join(self, several: Iterable[Slots]) -> bool:
        """Queue where there is room; False where there is none."""
        self._queues = [slots for slots in several if slots.admit(self)]
        return bool(self._queues)


class Slots:
    """
    The slots of one instance. Whoever waited longest gets the next one.

    :ivar most: attempts at once, or None for any number.
    :ivar room: how many may wait.
    :ivar taken: attempts under way.
    """

    def __init__(self, most: int | None, room: int) -> None:
        self.most = most
        self.room = room
        self.taken = 0
        self._queue: deque[Waiting] = deque()

    @property
    def free(self) -> bool:
        """Whether an attempt may begin at once."""
        return self.most is None or self.taken < self.most

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def take(self) -> None:
        """Take a slot that is free, or one too many where nothing else is left."""
        self.taken += 1

    def give_back(self) -> None:
        """An attempt has ended."""
        self.taken -= 1
        self.fill()

    def fill(self) -> None:
        """Let those who wait have what is free."""
        while self._queue and self.free:
            self.taken += 1
            self._queue[0].grant(self)

    def admit(self, waiting: Waiting) -> bool:
        """Queue ``waiting``; False where the queue is full."""
        if len(self._queue) >= self.room:
            return False
        self._queue.append(waiting)
        return True

    def forget(self, waiting: Waiting) -> None:
        """Take ``waiting`` out of the queue."""
        try:
            self._queue.remove(waiting)
        except ValueError:
            pass  # it was granted a slot, or had found the queue full
