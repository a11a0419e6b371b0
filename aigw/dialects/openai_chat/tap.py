"""
Looks into chat completions as they pass.

Only what is asked for is decoded, and what a chunk holds is believed only as far as it
has the right type: servers that imitate this API send ``null``, numbers or objects in
any place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects import openai_usage
from aigw.dialects.collected import Collected
from aigw.dialects.tokens import Counts
from aigw.errors import UNREADABLE
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage


class _Delta(msgspec.Struct):
    """A delta, or the message of a whole answer."""

    content: Any = None
    tool_calls: Any = None
    function_call: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    audio: Any = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None


class _Bare(msgspec.Struct):
    """What stands beside the choices, readable even where those are not."""

    model: Any = None
    usage: Any = None
    error: Any = None
    object: Any = None
    message: Any = None


class _Chunk(_Bare):
    choices: list[_Choice] | None = None


_chunks = msgspec.json.Decoder(_Chunk)
_bares = msgspec.json.Decoder(_Bare)

_BRACE: Final = ord("{")
_FINISH: Final = b'"finish_reason"'
_CALLS: Final = b'"tool_calls"'

#: Every usage object has a count named ``…_tokens``; the key ``usage`` itself may stand
#: in each chunk, as null. ``error`` also finds an event of that name.
_ALWAYS: Final[tuple[bytes, ...]] = (b'_tokens"', b"[DONE]", b"error")


def _finish_mark(data: bytes) -> bytes:
    """
    The bytes that announce a finish reason. Most servers write ``"finish_reason":null``
    into every chunk, so the key alone would announce each; the spacing before the value
    is the server's, and is learnt from ``data``, a chunk without a finish reason.
    """
    key = data.find(_FINISH)
    null = data.find(b"null", key)
    if key >= 0 and data[key + len(_FINISH) : max(key, null)].strip() == b":":
        return data[key:null] + b'"'
    return _FINISH


@implementer(ITap)
class OpenAIChatTap:
    """The tap of openai-chat; see :class:`aigw.interfaces.ITap`."""

    __slots__ = (
        "_collected",
        "_content",
        "_counts",
        "_finish",
        "error",
        "finished",
        "marks",
        "model",
        "tool_calls",
        "usage",
    )

    def __init__(self, collect: bool = False) -> None:
        self.marks: tuple[bytes, ...] = (*_ALWAYS, _FINISH, _CALLS)
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._counts = Counts()
        self._collected = Collected() if collect else None
        self._finish = _FINISH
        self._content = False

    def feed(self, frame: SSEFrame) -> int:
        data = frame.data
        if not data:
            return sights.NOTHING
        if data[0] != _BRACE:
            done = data.strip() == b"[DONE]"
            return sights.TERMINAL if done else sights.NOTHING
        if frame.type != "message" and frame.type != "error":
            return sights.NOTHING
        chunk = _decode(data)
        if chunk is None:
            return sights.NOTHING
        seen = sights.NOTHING
        if chunk.model and not self.model and isinstance(chunk.model, str):
            self.model = chunk.model
        if chunk.error is not None or chunk.object == "error" or frame.type == "error":
            self._note(chunk)
            return sights.ERROR
        if isinstance(chunk.usage, dict):
            self._use(chunk.usage)
            seen = sights.PROGRESS
        if isinstance(chunk, _Chunk) and chunk.choices is not None:
            if not chunk.choices and seen:
                return sights.PROGRESS | sights.USAGE_ONLY
            for choice in chunk.choices:
                seen |= self._look(choice)
        if seen & sights.CONTENT and not self._content:
            self._content = True
            if not self.finished:
                self._finish = _finish_mark(data)
            self._narrow()
        return seen

    def whole(self, body: bytes) -> None:
        answer = _decode(body)
        if answer is None:
            return
        if isinstance(answer.model, str):
            self.model = answer.model
        if answer.error is not None or answer.object == "error":
            self._note(answer)
        if isinstance(answer.usage, dict):
            self._use(answer.usage)
        if not isinstance(answer, _Chunk) or answer.choices is None:
            return
        separator = ""
        for choice in answer.choices:
            self.finished = self.finished or isinstance(choice.finish_reason, str)
            message = choice.message
            if message is None:
                continue
            if message.tool_calls or message.function_call:
                self.tool_calls = True
            if self._collected is not None and isinstance(message.content, str):
                self._collected.add(separator + message.content)
                separator = " "

    def text(self) -> str:
        return "" if self._collected is None else self._collected.text()

    def _look(self, choice: _Choice) -> int:
        seen = sights.NOTHING
        delta = choice.delta
        if delta is not None:
            if delta.content:
                seen = sights.CONTENT
                if self._collected is not None and isinstance(delta.content, str):
                    self._collected.add(delta.content)
            elif (
                delta.reasoning_content
                or delta.reasoning
                or delta.refusal
                or delta.audio
            ):
                seen = sights.CONTENT
            if delta.tool_calls or delta.function_call:
                seen = sights.CONTENT
                if not self.tool_calls:
                    self.tool_calls = True
                    self._narrow()
        if choice.finish_reason and isinstance(choice.finish_reason, str):
            seen |= sights.PROGRESS
            if not self.finished:
                self.finished = True
                self._narrow()
        return seen

    def _narrow(self) -> None:
        """Look out only for what was not seen yet."""
        marks = _ALWAYS
        if not self.finished:
            marks = (*marks, self._finish)
        if not self.tool_calls:
            marks = (*marks, _CALLS)
        self.marks = marks

    def _use(self, usage: dict[str, Any]) -> None:
        self._counts.merge(usage, openai_usage.PATHS)
        self.usage = openai_usage.usage_of(self._counts)

    def _note(self, chunk: _Bare) -> None:
        if self.error is not None:
            return
        told = chunk.error
        if isinstance(told, dict):
            self.error = told
        elif told is not None:
            self.error = {"message": str(told)}
        else:
            self.error = {"message": str(chunk.message or "")}


def _decode(data: bytes) -> _Bare | None:
    try:
        return _chunks.decode(data)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    try:
        return _bares.decode(data)
    except UNREADABLE:
        return None
