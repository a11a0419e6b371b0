"""Looks into Messages as they pass; what an event is called says most of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects.collected import Collected
from aigw.dialects.tokens import Counts
from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from . import usage as usages


class _Told(msgspec.Struct):
    """An event, or a whole message; leaves of any type."""

    type: Any = None
    delta: Any = None
    content_block: Any = None
    message: Any = None
    content: Any = None
    usage: Any = None
    model: Any = None
    stop_reason: Any = None
    error: Any = None


_told = msgspec.json.Decoder(_Told)

#: ``message_delta`` and ``message_stop`` by event name or type, whatever the spacing.
_ALWAYS: Final[tuple[bytes, ...]] = (b"message_", b"error")
_CALLS: Final = b"tool_use"


@implementer(ITap)
class AnthropicMessagesTap:
    """The tap of anthropic-messages; see :class:`aigw.interfaces.ITap`."""

    def __init__(self, collect: bool = False) -> None:
        self.marks: tuple[bytes, ...] = (*_ALWAYS, _CALLS)
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._counts = Counts()
        self._collected = Collected() if collect else None

    def feed(self, frame: SSEFrame) -> int:
        data = frame.data
        if not data:
            return sights.NOTHING
        name = frame.type
        if name == "content_block_delta":
            if self._collected is not None:
                self._collect(data)
            return sights.CONTENT
        if name == "message_stop":
            return sights.TERMINAL
        if name == "ping":
            return sights.NOTHING
        told = _decode(data)
        if told is None:
            return sights.NOTHING
        if name == "message":  # no event name: some servers leave it out
            return self._unnamed(told, data)
        return self._look(name, told)

    def whole(self, body: bytes) -> None:
        told = _decode(body)
        if told is None:
            return
        if told.type == "error" or told.error is not None:
            self._note(told)
        if isinstance(told.model, str):
            self.model = told.model
        self._use(told.usage)
        self.finished = isinstance(told.stop_reason, str)
        if not isinstance(told.content, list):
            return
        separator = ""
        for block in told.content:
            if not isinstance(block, dict):
                continue
            text = block.get("text")
            if block.get("type") == "tool_use":
                self.tool_calls = True
            elif self._collected is not None and isinstance(text, str):
                self._collected.add(separator + text)
                separator = " "

    def text(self) -> str:
        return "" if self._collected is None else self._collected.text()

    def _unnamed(self, told: _Told, data: bytes) -> int:
        if not isinstance(told.type, str) or told.type == "message":
            return sights.NOTHING
        return self.feed(SSEFrame(type=told.type, data=data))

    def _look(self, name: str, told: _Told) -> int:
        if name == "message_delta":
            self._use(told.usage)
            if isinstance(told.delta, dict) and told.delta.get("stop_reason"):
                self.finished = True
            return sights.PROGRESS
        if name == "content_block_start":
            block = told.content_block
            kind = block.get("type") if isinstance(block, dict) else None
            if kind == "tool_use":
                self.tool_calls = True
                self.marks = _ALWAYS
            # A redacted block is all in its start.
            return sights.CONTENT if kind == "redacted_thinking" else sights.NOTHING
        if name == "message_start":
            if isinstance(told.message, dict):
                model = told.message.get("model")
                if isinstance(model, str):
                    self.model = model
                self._use(told.message.get("usage"))
            return sights.NOTHING
        if name == "error":
            self._note(told)
            return sights.ERROR
        return sights.NOTHING

    def _collect(self, data: bytes) -> None:
        told = _decode(data)
        if told is not None and isinstance(told.delta, dict):
            text = told.delta.get("text")
            if self._collected is not None and isinstance(text, str):
                self._collected.add(text)

    def _use(self, usage: object) -> None:
        if usage and isinstance(usage, dict):
            self._counts.merge(usage, usages.PATHS)
            self.usage = usages.usage_of(self._counts)

    def _note(self, told: _Told) -> None:
        if self.error is None:
            error = told.error
            known = isinstance(error, dict)
            self.error = error if known else {"message": str(error or "")}


def _decode(data: bytes) -> _Told | None:
    try:
        return _told.decode(data)
    except UNREADABLE:
        return None
