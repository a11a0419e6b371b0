"""Reads what a model answered when it was invoked."""

from __future__ import annotations

from zope.interface import implementer

from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import EventStreamFrame
from aigw.model.headers import Headers

from .chunk import data_of, event_of


@implementer(IReader)
class BedrockInvokeReader:
    """
    See :class:`aigw.interfaces.IReader`.

    :param messages: reads what chunks hold.
    :param bedrock: reads the errors, which are Bedrock's own.
    """

    def __init__(self, messages: IReader, bedrock: IReader) -> None:
        self._messages = messages
        self._bedrock = bedrock
        self._over = False

    def feed(self, frame: EventStreamFrame) -> list[Event]:
        if self._over:
            return []
        data = data_of(frame)
        if data is not None:
            told = self._messages.feed(event_of(data))
            if told and isinstance(told[-1], events.Ended | events.Failed):
                self._over = True
            return told
        if frame.headers.get(":message-type", "event") == "event":
            kind = frame.headers.get(":event-type")
            if kind != "chunk":
                return [events.Unknown(str(kind), frame.payload)]
            self._over = True
            text = "the provider's stream is malformed: a chunk holds no bytes"
            return [Failed("upstream", 502, text)]
        self._over = True
        return self._bedrock.feed(frame)

    def end(self) -> list[Event]:
        return [] if self._over else self._messages.end()

    def whole(self, body: bytes) -> Answer | Failed:
        return self._messages.whole(body)

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return self._bedrock.problem(status, headers, body)
