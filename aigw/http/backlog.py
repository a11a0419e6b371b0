"""What a client has sent behind the request being served (pipelining)."""

from __future__ import annotations


class Backlog:
    """
    Bytes that wait for their turn.

    :ivar size: bytes that came, whether kept or not.
    :ivar overflow: whether more came than may wait; nothing is kept then.
    """

    __slots__ = ("_most", "_pieces", "overflow", "size")

    def __init__(self, most: int) -> None:
        """:param most: bytes that may wait."""
        self._most = most
        self._pieces: list[bytes] | None = None
        self.size = 0
        self.overflow = False

    def add(self, data: bytes, *, bounded: bool = True) -> None:
        """``data`` must wait; it may be of any size if not ``bounded``."""
        self.size += len(data)
        if self.size > self._most and bounded:
            self.overflow = True
            self._pieces = None
        elif data:
            if self._pieces is None:
                self._pieces = []
            self._pieces.append(data)

    def take(self) -> bytes:
        """All that waits; it does not any more."""
        data = b"".join(self._pieces or ())
        self._pieces = None
        self.size = 0
        return data
