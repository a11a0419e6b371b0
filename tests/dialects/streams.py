"""Fixtures of dialects, and the steps from bytes to events and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aigw import dialects, framing
from aigw.interfaces import IChatDialect
from aigw.model.answer import Answer
from aigw.model.call import Call, Message
from aigw.model.event import Event
from aigw.model.frame import EventStreamFrame, SSEFrame
from aigw.model.part import Text
from aigw.model.rendered import Rendered
from aigw.streaming.gather import Gather

ROOT = Path(__file__).parents[2] / "fixtures" / "dialects"
CHAT_DIALECTS = sorted(path.name for path in ROOT.iterdir() if path.is_dir())


def fixtures(suffix: str, without: str = "") -> list[Any]:
    """(dialect, file name) of all fixtures that have a file with ``suffix``."""
    return [
        (path.parent.name, path.stem)
        for path in sorted(ROOT.glob(f"*/*{suffix}"))
        if not without or without not in path.stem
    ]


def suffix_of(dialect: str) -> str:
    """The suffix of the files that hold streams of a dialect."""
    return ".sse" if chat(dialect).framing == "sse" else ".eventstream"


def streams(without: str = "") -> list[Any]:
    """(dialect, file name) of all fixtures that are streams."""
    return fixtures(".sse", without) + fixtures(".eventstream", without)


def stream_of(dialect: str, name: str) -> bytes:
    return bytes_of(dialect, name, suffix_of(dialect))


def bytes_of(dialect: str, name: str, suffix: str) -> bytes:
    return (ROOT / dialect / f"{name}{suffix}").read_bytes()


def chat(name: str) -> IChatDialect:
    return IChatDialect(dialects.get(name))


def call_of(origin: str, **more: Any) -> Call:
    said = Message("user", (Text("hello"),), at="messages[0]")
    return Call(origin=origin, model="asked", messages=(said,), stream=True, **more)


def read(dialect: str, frames: list[Any]) -> list[Event]:
    """The events of a whole stream."""
    reader = chat(dialect).reader(Rendered(body=b""))
    told = [event for frame in frames for event in reader.feed(frame)]
    return told + reader.end()


def write(dialect: str, events: list[Event], **more: Any) -> list[Any]:
    """The frames of a whole stream."""
    writer = chat(dialect).writer(call_of(dialect, **more), 1751445600, "req-1")
    told = [frame for event in events for frame in writer.feed(event)]
    return told + writer.end()


def frames_of(dialect: str, data: bytes) -> list[Any]:
    return list(framing.get(chat(dialect).framing).decode(data))


def frame_of(dialect: str, kind: str, data: bytes) -> Any:
    """A frame of a dialect, whatever its data holds."""
    if chat(dialect).framing == "sse":
        return SSEFrame(type=kind, data=data)
    headers = {":event-type": kind, ":message-type": "event"}
    return EventStreamFrame(headers, data)


def gathered(dialect: str, events: list[Event]) -> Answer:
    gather = Gather(dialect)
    for event in events:
        gather.feed(event)
    return gather.answer()
