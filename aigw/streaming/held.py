"""A JSON answer that is rewritten: it must be held until it is whole."""

from __future__ import annotations

from typing import Final

from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.event import Failed

#: The most bytes of a JSON answer that is converted.
ANSWER_LIMIT: Final = 64 * 1024 * 1024


class Held:
    """
    A JSON answer, rewritten when it is complete; a :class:`aigw.streaming.way.Way`.

    :param tap: shown the client's body.
    :param limit: the most bytes the answer may have.
    :ivar failed: the error found in the answer, or that it is none; the relay has not
        written anything then.
    """

    boundary = False
    terminates = False

    def __init__(self, tap: ITap, *, limit: int = ANSWER_LIMIT) -> None:
        self.sight = sights.NOTHING
        self.damaged = False
        self.failed: Failed | None = None
        self._tap = tap
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0

    @property
    def tap(self) -> ITap | None:
        return self._tap

    def rewritten(self, body: bytes) -> bytes | Failed:
        """The client's body for the provider's, or what is wrong with that."""
        raise NotImplementedError

    def feed(self, data: bytes) -> bytes:
        self.sight = sights.PROGRESS
        self._size += len(data)
        if self._size <= self._limit:
            self._held.append(data)
        else:
            self._held.clear()
            self.damaged = True
        return b""

    def end(self) -> bytes:
        self.sight = sights.CONTENT
        if self.damaged:
            text = "the provider's answer is too large to convert"
            return self._fail(Failed("upstream", 502, text))
        body = self.rewritten(b"".join(self._held))
        self._held.clear()
        if isinstance(body, Failed):
            return self._fail(body)
        self._tap.whole(body)
        return body

    def _fail(self, failed: Failed) -> bytes:
        self.failed = failed
        self.sight = sights.ERROR
        return b""
