"""
Looks into the answers of invoked models as they pass. Which vendor's they are is not
known: what Anthropic's say is read. Of any other's there is what Bedrock adds at the
end of a stream, and what a whole answer tells of its use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zope.interface import implementer

from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import EventStreamFrame
from aigw.model.usage import Usage

from . import usage as usages
from .chunk import data_of, event_of, used

#: All chunks, until they are known to be such that their kind stands at their start.
_EVERY: Final = (b'"bytes"', b":exception-type", b":error-code")
#: What chunks begin with, coded: events of messages, of errors, and of blocks that
#: begin. Each is cut where Base64 has whole groups.
_STARTS: Final = (
    b"eyJ0eXBlIjoibWVzc2Fn",  # {"type":"messag
    b"eyJ0eXBlIjoiZXJyb3Ii",  # {"type":"error"
    b"eyJ0eXBlIjoiY29udGVudF9ibG9ja19z",  # {"type":"content_block_s
    *_EVERY[1:],
)


@implementer(ITap)
class BedrockInvokeTap:
    """
    See :class:`aigw.interfaces.ITap`.

    :param messages: looks into what chunks hold.
    :param bedrock: looks into exceptions.
    """

    def __init__(self, messages: ITap, bedrock: ITap) -> None:
        self.marks: tuple[bytes, ...] = _EVERY
        self._messages = messages
        self._bedrock = bedrock
        self._metrics: Usage | None = None
        self._told: Usage | None = None  # of a whole answer in another vendor's words

    @property
    def usage(self) -> Usage | None:
        return self._told or self._messages.usage or self._metrics

    @property
    def model(self) -> str:
        return self._messages.model

    @property
    def tool_calls(self) -> bool:
        return self._messages.tool_calls

    @property
    def finished(self) -> bool:
        return self._messages.finished

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self._messages.error or self._bedrock.error

    def feed(self, frame: EventStreamFrame) -> int:
        data = data_of(frame)
        if data is None:
            return self._bedrock.feed(frame) & sights.ERROR
        metrics = used(data)
        if metrics is not None:
            self._metrics = metrics
        event = event_of(data)
        if event.type == "message":  # another vendor's part
            ends = sights.TERMINAL if metrics is not None else sights.NOTHING
            return sights.CONTENT | ends
        if data.startswith(b'{"type":"message_start"'):
            self.marks = _STARTS
        return self._messages.feed(event)

    def whole(self, body: bytes) -> None:
        self._messages.whole(body)
        self._told = usages.told(body)

    def text(self) -> str:
        return self._messages.text()
