"""The blocks of a response being read: items, and the parts of messages."""

from __future__ import annotations

from aigw.model import event as events
from aigw.model.event import Event

#: Output index, and content index within a message; -1 for an item without parts.
Key = tuple[int, int]


class Block:
    """
    :ivar said: whether anything was told of what is in it.
    """

    __slots__ = ("kind", "number", "said")

    def __init__(self, number: int, kind: events.BlockKind) -> None:
        self.number = number
        self.kind = kind
        self.said = False


class Blocks:
    """
    Which blocks are open.

    :ivar seen: the output indexes of all blocks so far.
    """

    def __init__(self) -> None:
        self._open: dict[Key, Block] = {}
        self._next = 0
        self.seen: set[int] = set()

    def get(self, key: Key) -> Block | None:
        return self._open.get(key)

    def begin(
        self,
        key: Key,
        kind: events.BlockKind,
        out: list[Event],
        id: str = "",
        name: str = "",
        custom: bool = False,
    ) -> Block:
        """Open a block; one that is open in its place is closed."""
        self.close(key, out)
        block = self._open[key] = Block(self._number(key[0]), kind)
        opened = events.BlockOpened(0, block.number, kind, id, name, custom=custom)
        out.append(opened)
        return block

    def say(self, key: Key, kind: events.BlockKind, out: list[Event]) -> Block:
        """The block in that place, of which something is told now."""
        block = self._open.get(key)
        if block is None or block.kind != kind:
            block = self.begin(key, kind, out)
        block.said = True
        return block

    def silent(self, key: Key) -> bool:
        """Whether a block is open in that place, and nothing was told of it yet."""
        block = self._open.get(key)
        return block is not None and not block.said

    def alone(
        self, output: int, dialect: str, name: str, raw: bytes, out: list[Event]
    ) -> None:
        """A block that only ``dialect`` knows: nothing is told of what is in it."""
        number = self._number(output)
        out.append(
            events.BlockOpened(0, number, "opaque", name=name, dialect=dialect, raw=raw)
        )
        out.append(events.BlockClosed(0, number))

    def close(self, key: Key, out: list[Event]) -> None:
        block = self._open.pop(key, None)
        if block is not None:
            out.append(events.BlockClosed(0, block.number))

    def close_item(self, output: int, out: list[Event]) -> None:
        """Close all blocks of one item."""
        for key in [key for key in self._open if key[0] == output]:
            self.close(key, out)

    def close_all(self, out: list[Event]) -> None:
        for key in list(self._open):
            self.close(key, out)

    def _number(self, output: int) -> int:
        self.seen.add(output)
        number = self._next
        self._next += 1
        return number
