"""Looks into Responses as they pass; events say by their names what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects.collected import Collected
from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage

from . import usage as usages

_CALLS: Final = b"_call"
_ALWAYS: Final[tuple[bytes, ...]] = (
    b"response.completed",
    b"response.incomplete",
    b"response.failed",
    b"error",
)
_LAST: Final = frozenset({"response.completed", "response.incomplete"})


class _Response(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None
    output: Any = None
    status: Any = None


class _Told(msgspec.Struct):
    type: Any = None
    delta: Any = None
    item: Any = None
    response: _Response | None = None
    error: Any = None
    message: Any = None


_events = msgspec.json.Decoder(_Told)
_answers = msgspec.json.Decoder(_Response)


@implementer(ITap)
class OpenAIResponsesTap:
    """The tap of openai-responses; see :class:`aigw.interfaces.ITap`."""

    def __init__(self, collect: bool = False) -> None:
        self.marks: tuple[bytes, ...] = (*_ALWAYS, _CALLS)
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._collected = Collected() if collect else None

    def feed(self, frame: SSEFrame) -> int:
        data, name = frame.data, frame.type
        if not data:
            return sights.NOTHING
        if name.endswith(".delta"):
            if self._collected is not None and name == "response.output_text.delta":
                told = _decode(data)
                if told is not None and isinstance(told.delta, str):
                    self._collected.add(told.delta)
            return sights.CONTENT
        told = _decode(data)
        if told is None:
            return sights.NOTHING
        if name == "message":  # no event name: some servers leave it out
            if not isinstance(told.type, str) or told.type == "message":
                return sights.NOTHING
            return self.feed(SSEFrame(type=told.type, data=data))
        return self._look(name, told)

    def whole(self, body: bytes) -> None:
        try:
            answer = _answers.decode(body)
        except UNREADABLE:
            return
        self._read(answer)
        if answer.error is not None:
            self._note(answer.error)
        self.finished = answer.status in ("completed", "incomplete")
        if self._collected is None or not isinstance(answer.output, list):
            return
        texts = [
            part["text"]
            for item in answer.output
            if isinstance(item, dict) and isinstance(item.get("content"), list)
            for part in item["content"]
            if isinstance(part, dict)
            and part.get("type") == "output_text"
            and isinstance(part.get("text"), str)
        ]
        self._collected.add(" ".join(texts))

    def text(self) -> str:
        return "" if self._collected is None else self._collected.text()

    def _look(self, name: str, told: _Told) -> int:
        if name == "error":
            self._note(told.error or {"message": told.message})
            return sights.ERROR
        if told.response is not None:
            self._read(told.response)
        if name in _LAST:
            self.finished = True
            return sights.TERMINAL | sights.PROGRESS
        if name == "response.failed":
            self._note(told.response.error if told.response is not None else None)
            return sights.ERROR
        if name == "response.output_item.added":
            if isinstance(told.item, dict) and _called(told.item):
                self._call()
            return sights.NOTHING
        return sights.NOTHING

    def _read(self, response: _Response) -> None:
        if isinstance(response.model, str):
            self.model = response.model
        if isinstance(response.usage, dict):
            self.usage = usages.usage_of(response.usage)
        if isinstance(response.output, list) and any(
            _called(item) for item in response.output if isinstance(item, dict)
        ):
            self._call()

    def _call(self) -> None:
        self.tool_calls = True
        self.marks = _ALWAYS

    def _note(self, error: object) -> None:
        if self.error is None:
            known = isinstance(error, dict)
            self.error = error if known else {"message": str(error or "")}  # type: ignore[assignment]


def _called(item: dict[str, Any]) -> bool:
    return item.get("type") in ("function_call", "custom_tool_call")


def _decode(data: bytes) -> _Told | None:
    try:
        return _events.decode(data)
    except UNREADABLE:
        return None
