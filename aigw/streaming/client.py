"""The client of a relay."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IPushProducer

from aigw.model.headers import Headers


class Client(Protocol):
    """
    What a relay and its outlet use of an :class:`aigw.interfaces.IDownstream`; what is
    said there holds here.
    """

    def start(self, status: int, headers: Headers) -> None:
        """Send status and headers."""

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""

    def finish(self) -> None:
        """The answer is complete."""

    def cut(self) -> None:
        """End so that the answer cannot look complete."""

    def abort(self) -> None:
        """Drop the connection now."""

    def register(self, producer: IPushProducer) -> None:
        """Let ``producer`` be paused and resumed as the client reads."""

    def unregister(self) -> None:
        """The producer will write no more."""
