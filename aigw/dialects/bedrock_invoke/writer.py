"""Writes answers as a model that is invoked gives them."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.interfaces import IWriter
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from .chunk import wrapped


@implementer(IWriter)
class BedrockInvokeWriter:
    """
    See :class:`aigw.interfaces.IWriter`.

    :param messages: writes what chunks hold.
    :param bedrock: writes the errors, which are Bedrock's own.
    """

    def __init__(self, messages: IWriter, bedrock: IWriter) -> None:
        self._messages = messages
        self._bedrock = bedrock
        self._usage: Usage | None = None
        self._over = False

    def feed(self, event: Event) -> list[Any]:
        if self._over:
            return []
        if isinstance(event, events.Failed):
            self._over = True
            return self._bedrock.feed(event)
        if type(event) is events.UsageReport:
            self._usage = event.usage
        return self._chunks(self._messages.feed(event))

    def end(self) -> list[Any]:
        return [] if self._over else self._chunks(self._messages.end())

    def whole(self, answer: Answer) -> bytes:
        return self._messages.whole(answer)

    def _chunks(self, frames: list[SSEFrame]) -> list[Any]:
        chunks = [wrapped(frame, self._usage) for frame in frames]
        return [chunk for chunk in chunks if chunk is not None]
