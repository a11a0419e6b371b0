"""Looks into Converse's answers as they pass; headers say most of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects.collected import Collected
from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import EventStreamFrame
from aigw.model.usage import Usage

from . import error as errors
from . import usage as usages
from .citation import text_of
from .frames import kind_of


class _Told(msgspec.Struct):
    """An event, or a whole answer; leaves of any type."""

    delta: Any = None
    start: Any = None
    usage: Any = None
    output: Any = None
    stopReason: Any = None
    message: Any = None


_told = msgspec.json.Decoder(_Told)
_NOTHING = _Told()

#: ``messageStop``, ``metadata``, exceptions and errors.
_ALWAYS: Final[tuple[bytes, ...]] = (
    b"messageStop",
    b"metadata",
    b"exception",
    b"error",
)
_CALLS: Final = b"toolUse"


@implementer(ITap)
class BedrockConverseTap:
    """The tap of bedrock-converse; see :class:`aigw.interfaces.ITap`."""

    def __init__(self, collect: bool = False) -> None:
        self.marks: tuple[bytes, ...] = (*_ALWAYS, _CALLS)
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._collected = Collected() if collect else None

    def feed(self, frame: EventStreamFrame) -> int:
        kind = kind_of(frame)
        if kind == "contentBlockDelta":
            if self._collected is not None:
                self._collect(frame.payload)
            return sights.CONTENT
        if kind == "contentBlockStart":
            start = _decode(frame.payload).start
            if _called(start):
                self.tool_calls = True
                self.marks = _ALWAYS
            return sights.NOTHING
        if kind == "messageStop":
            self.finished = self.finished or _stopped(_decode(frame.payload))
            return sights.PROGRESS
        if kind == "metadata":
            self._use(_decode(frame.payload).usage)
            return sights.TERMINAL if self.finished else sights.PROGRESS
        if kind:
            return sights.NOTHING
        if self.error is None:
            name, message = errors.told_in(frame)
            self.error = {"type": name, "message": message}
        return sights.ERROR

    def whole(self, body: bytes) -> None:
        told = _decode(body)
        self._use(told.usage)
        self.finished = _stopped(told)
        message = told.output.get("message") if isinstance(told.output, dict) else None
        if message is None and isinstance(told.message, str):
            self.error = {"message": told.message}
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list):
            return
        separator = ""
        for block in content:
            if not isinstance(block, dict):
                continue
            text = block.get("text", text_of(block))
            if _called(block):
                self.tool_calls = True
            elif self._collected is not None and isinstance(text, str):
                self._collected.add(separator + text)
                separator = " "

    def text(self) -> str:
        return "" if self._collected is None else self._collected.text()

    def _collect(self, data: bytes) -> None:
        delta = _decode(data).delta
        text = delta.get("text") if isinstance(delta, dict) else None
        if self._collected is not None and isinstance(text, str):
            self._collected.add(text)

    def _use(self, usage: object) -> None:
        if isinstance(usage, dict):
            self.usage = usages.usage_of(usage)


def _called(block: object) -> bool:
    """Whether a block is a call of a tool that the client runs."""
    use = block.get("toolUse") if isinstance(block, dict) else None
    return isinstance(use, dict) and use.get("type") is None


def _stopped(told: _Told) -> bool:
    return isinstance(told.stopReason, str) and bool(told.stopReason)


def _decode(data: bytes) -> _Told:
    try:
        return _told.decode(data)
    except UNREADABLE:
        return _NOTHING
