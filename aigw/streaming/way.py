"""
A way through: what happens to the bytes of an answer between provider and client.

A relay feeds it and writes what it gives back. It is pure, lives as long as one answer,
and never raises: what it cannot understand it says in its attributes.
"""

from __future__ import annotations

from typing import Protocol

from aigw.interfaces import ITap
from aigw.model.event import Failed


class Way(Protocol):
    """
    ``feed`` any number of times, then ``end`` at most once.

    :ivar sight: bits of :mod:`aigw.model.sight` seen in the last ``feed`` or ``end``.
    :ivar boundary: whether what was given back so far ends on a frame boundary, so that
        a frame of our own may follow.
    :ivar terminates: whether a complete answer ends with a terminal frame.
    :ivar tap: who looked at the answer, or None where nobody could.
    :ivar damaged: whether some of the answer could not be looked at.
    :ivar failed: what ended a converted answer (``sight`` says ``ERROR`` then, and the
        last bytes given back tell it); None where bytes go on as they came.
    """

    sight: int
    boundary: bool
    terminates: bool
    damaged: bool

    @property
    def tap(self) -> ITap | None: ...

    @property
    def failed(self) -> Failed | None: ...

    def feed(self, data: bytes) -> bytes:
        """Take a read's bytes; returns what goes to the client now, often the same."""

    def end(self) -> bytes:
        """The answer has ended properly; returns what was still held."""
