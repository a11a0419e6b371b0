"""
A lane: the way to the client of one of several attempts that run at once.

They all run towards one client. Whatever a relay is about to send goes through its
lane, and the first of them that has something to send takes the client for its own:
relays hold their bytes until content (see aigw.streaming.outlet), so that is the first
with content. The others are then stopped, before any of them has said a word.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer

from aigw.errors import GatewayError
from aigw.interfaces import IFraming
from aigw.model.headers import Headers
from aigw.model.outcome import Outcome

from .attempt import Attempt
from .exchange import Exchange


class Lane:
    """
    What a relay uses of an :class:`aigw.interfaces.IDownstream`, and its voice.

    :param won: called when it takes the client for its own, before anything is sent.
    :param alone: whether no other attempt may still give the answer.
    :ivar attempt: the attempt, once it has begun.
    :ivar running: whether it may still give the answer; it has not failed.
    :ivar fate: what its record says where it is stopped from outside.
    """

    def __init__(
        self,
        exchange: Exchange,
        won: Callable[[Lane], None],
        alone: Callable[[Lane], bool],
    ) -> None:
        self.attempt: Attempt | None = None
        self.running = True
        self.fate: tuple[Outcome, str] = (Outcome.CLIENT_GONE, "")
        self.framing: IFraming | None = None
        self.status = 0
        self._exchange = exchange
        self._won = won
        self._alone = alone
        self._open = False
        self._producer: IPushProducer | None = None

    def fails(self, why: str) -> bool:
        """
        Its attempt has failed, which ``why`` names in the record; returns whether
        another may still give the answer.
        """
        self.running = False
        self.fate = (Outcome.FAILED, why)
        return not self._alone(self)

    def answered(self, framing: IFraming | None, status: int) -> None:
        """Its answer's head is here, as :meth:`Exchange.answered` is told."""
        self.framing, self.status = framing, status
        if framing is not self._exchange.framing:
            self._exchange.hush()

    # -- as a relay's downstream

    def register(self, producer: IPushProducer) -> None:
        self._producer = producer

    def unregister(self) -> None:
        self._producer = None
        if self._open:
            self._exchange.downstream.unregister()

    def start(self, status: int, headers: Headers) -> None:
        self._take()
        if not self._exchange.begun:
            self._exchange.downstream.start(status, headers)

    def write(self, data: bytes) -> None:
        self._take()
        self._exchange.downstream.write(data)

    def finish(self) -> None:
        self._take()
        self._exchange.downstream.finish()

    def cut(self) -> None:
        self._take()
        self._exchange.downstream.cut()

    def abort(self) -> None:
        self._take()
        self._exchange.downstream.abort()

    # -- as a relay's voice

    def ping(self) -> bytes | None:
        """Until one has taken the client, the exchange itself keeps it alive."""
        return self._exchange.ping() if self._open else None

    def broken(self, error: GatewayError) -> bytes:
        return self._exchange.broken(error)

    def _take(self) -> None:
        if self._open:
            return
        self._open = True
        self._won(self)
        if self._producer is not None:
            self._exchange.downstream.register(self._producer)
