"""Messages of ConverseStream: the kind of an event stands in its headers."""

from __future__ import annotations

from aigw.model.frame import EventStreamFrame


def _headers(kind: str) -> dict[str, str]:
    return {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }


_HEADERS = {
    kind: _headers(kind)
    for kind in (
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    )
}


def event(kind: str, payload: bytes) -> EventStreamFrame:
    """A message of that kind; frames of a kind share their headers."""
    return EventStreamFrame(_HEADERS[kind], payload)


def kind_of(frame: EventStreamFrame) -> str:
    """The kind of event, ``""`` where the frame tells an error instead."""
    headers = frame.headers
    if headers.get(":message-type", "event") != "event":
        return ""
    kind = headers.get(":event-type")
    return kind if isinstance(kind, str) and kind else "untyped"
