"""A tap that sees neutral events instead of frames: a conversion reads those anyway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from zope.interface import implementer

from aigw.interfaces import ITap
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.event import Event
from aigw.model.usage import Usage

#: The most bytes (UTF-8) of an answer's text that are kept.
_LIMIT: Final = 1024 * 1024


@implementer(ITap)
class Witness:
    """
    See :class:`aigw.interfaces.ITap`; ``feed`` and ``whole`` are never called, ``see``
    is.

    :param collect: whether the text is kept.
    """

    marks: tuple[bytes, ...] = ()

    def __init__(self, collect: bool = False) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None
        self._pieces: list[bytes] = []
        self._see = self._SEE_TEXT if collect else self._SEE
        self._left = _LIMIT

    def see(self, event: Event) -> None:
        note = self._see.get(type(event))
        if note is not None:
            note(self, event)

    def feed(self, frame: Any) -> int:
        return sights.NOTHING

    def whole(self, body: bytes) -> None:
        """Answers come as events."""

    def text(self) -> str:
        return b"".join(self._pieces).decode("utf-8", "ignore")

    def _text(self, event: events.Text) -> None:
        if self._left > 0:
            raw = event.text.encode("utf-8", "replace")[: self._left]
            self._left -= len(raw)
            self._pieces.append(raw)

    def _used(self, event: events.UsageReport) -> None:
        self.usage = event.usage

    def _started(self, event: events.Started) -> None:
        self.model = event.model

    def _opened(self, event: events.BlockOpened) -> None:
        if event.kind == "tool":
            self.tool_calls = True

    def _finished(self, event: events.Finished) -> None:
        self.finished = True

    def _failed(self, event: events.Failed) -> None:
        if self.error is None:
            self.error = {"message": event.message, "type": event.native or event.kind}

    _SEE: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {
        events.UsageReport: _used,
        events.Started: _started,
        events.BlockOpened: _opened,
        events.Finished: _finished,
        events.Failed: _failed,
    }
    _SEE_TEXT: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {
        **_SEE,
        events.Text: _text,
    }
