"""The dialect itself: its parts put together."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.dialects.carried import Carrying
from aigw.errors import GatewayError
from aigw.interfaces import ICarriedDialect, IChatDialect, IReader, ITap, IWriter
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.frame import EventStreamFrame, SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage

from . import envelope as envelopes
from .chunk import data_of, event_of, wrapped
from .reader import BedrockInvokeReader
from .tap import BedrockInvokeTap
from .words import NAME, PATH
from .writer import BedrockInvokeWriter


@implementer(ICarriedDialect)
class BedrockInvoke(Carrying):
    """
    Invoked models. Every vendor's are told apart from other requests and metered; those
    that take Anthropic's bodies are converted to and from.

    :param messages: Anthropic's Messages.
    :param converse: Bedrock's Converse, whose errors these are too.
    """

    name = NAME
    framing = "aws-eventstream"
    terminal = True

    def __init__(self, messages: IChatDialect, converse: IChatDialect) -> None:
        super().__init__(messages)
        self._converse = converse
        self.private_headers = converse.private_headers

    def detect(self, envelope: Envelope) -> bool:
        return PATH.search(envelope.path) is not None

    def streams(self, envelope: Envelope) -> bool:
        return envelopes.streams(envelope)

    def tap(self, collect: bool = False) -> ITap:
        return BedrockInvokeTap(super().tap(collect), self._converse.tap())

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return self._converse.problem(error, request_id)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return self._converse.broken(error, request_id)

    def reader(self, rendered: Rendered) -> IReader:
        return BedrockInvokeReader(
            super().reader(rendered), self._converse.reader(rendered)
        )

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return BedrockInvokeWriter(
            super().writer(call, now, request_id),
            self._converse.writer(call, now, request_id),
        )

    def opened(self, envelope: Envelope) -> Envelope:
        return envelopes.opened(envelope)

    def closed(self, envelope: Envelope) -> Envelope:
        return envelopes.closed(envelope)

    def unwrap(self, frame: EventStreamFrame) -> SSEFrame | None:
        data = data_of(frame)
        return None if data is None else event_of(data)

    def wrap(self, frame: SSEFrame, usage: Usage | None) -> EventStreamFrame | None:
        return wrapped(frame, usage)
