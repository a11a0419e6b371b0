"""Speaking with a provider otherwise than its client speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aigw.errors import AnsweredError, UpstreamError
from aigw.interfaces import IFraming
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.rendered import Rendered
from aigw.streaming.way import Way


@dataclass(frozen=True, slots=True)
class Answered:
    """
    An answer whose head is here.

    :ivar source: the framing it comes in, None for no stream.
    :ivar wanted: the framing of the client's stream, None where it asked for none.
    :ivar readable: whether it is JSON that can be read.
    :ivar instance: whose answer it is.
    :ivar now: seconds since the epoch at which it was asked for.
    :ivar request_id: our id of the request.
    """

    source: IFraming | None
    wanted: IFraming | None
    readable: bool
    instance: Instance
    now: float
    request_id: str

    @property
    def limit(self) -> int | None:
        """The largest frame that is looked into, None for the framing's own limit."""
        if self.source is None or self.source.name != "sse":
            return None
        return self.instance.streaming.max_event_bytes

    @property
    def collect(self) -> bool:
        """Whether the answer's text is kept."""
        return self.instance.logging.payloads

    def whole(self) -> None:
        """:raises UpstreamError: it is no JSON answer."""
        if not self.readable:
            text = "the provider's answer cannot be converted"
            raise UpstreamError(text, reason="unreadable")


class Translation(Protocol):
    """
    One request and its answer; lives as long as an attempt.

    :ivar rendered: the request in the provider's words.
    """

    @property
    def rendered(self) -> Rendered: ...

    def envelope(self, envelope: Envelope, path: str) -> Envelope:
        """
        The request to prepare for the provider.

        :param envelope: the client's.
        :param path: where the provider takes it.
        """

    def problem(self, status: int, headers: Headers, body: bytes) -> AnsweredError:
        """The provider's error answer, to be told in the client's dialect."""

    def way(self, answered: Answered) -> Way:
        """
        The way through for an answer that is none of an error.

        :raises UpstreamError: it is neither of the two that can be read.
        """
