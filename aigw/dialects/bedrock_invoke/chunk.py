"""
``chunk`` messages: each holds a part of the answer in the model vendor's words, coded
in Base64 (API reference, ``PayloadPart``). The last also tells what was used, whichever
model answered (user guide, "Invocation metrics").
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from typing import Any, Final

import msgspec

from aigw.errors import UNREADABLE
from aigw.model.frame import EventStreamFrame, SSEFrame
from aigw.model.usage import Usage

#: The member of the last part that Bedrock adds.
METRICS: Final = "amazon-bedrock-invocationMetrics"
_MARK: Final = METRICS.encode()

_HEADERS: Final = {
    ":event-type": "chunk",
    ":content-type": "application/json",
    ":message-type": "event",
}


class _Chunk(msgspec.Struct):
    bytes: str


class _Part(msgspec.Struct):
    type: str


class _Metrics(msgspec.Struct):
    inputTokenCount: int = 0
    outputTokenCount: int = 0
    cacheReadInputTokenCount: int = 0
    cacheWriteInputTokenCount: int = 0


class _Last(msgspec.Struct):
    metrics: _Metrics | None = msgspec.field(default=None, name=METRICS)


_chunk = msgspec.json.Decoder(_Chunk)
_part = msgspec.json.Decoder(_Part)
_last = msgspec.json.Decoder(_Last)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def data_of(frame: EventStreamFrame) -> bytes | None:
    """The part that a message holds, None where it is no chunk or holds nothing."""
    if frame.headers.get(":event-type") != "chunk":
        return None
    try:
        return a2b_base64(_chunk.decode(frame.payload).bytes, strict_mode=True)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def event_of(data: bytes) -> SSEFrame:
    """
    A part as the event that Anthropic's own API would send; without a type of its own
    where it tells none, or none that stands in a line.
    """
    if _MARK in data:
        data = _without_metrics(data)
    try:
        type_ = _part.decode(data).type
    except UNREADABLE:
        return SSEFrame(data=data)
    return SSEFrame(type_ if type_ and type_.isprintable() else "message", data)


def used(data: bytes) -> Usage | None:
    """What the last part tells of the use; None where it tells nothing."""
    if _MARK not in data:
        return None
    try:
        metrics = _last.decode(data).metrics
    except UNREADABLE:
        return None
    if metrics is None:
        return None
    return Usage(
        input=max(0, metrics.inputTokenCount),
        cache_read=max(0, metrics.cacheReadInputTokenCount),
        cache_write=max(0, metrics.cacheWriteInputTokenCount),
        output=max(0, metrics.outputTokenCount),
    )


def wrapped(event: SSEFrame, usage: Usage | None) -> EventStreamFrame | None:
    """
    The message that holds an event; None for a ping, since Bedrock keeps no connection
    alive. The last tells ``usage`` as Bedrock does; how long the model took is not
    known here, and left out.
    """
    data = event.data
    if data is None or event.type == "ping":
        return None
    if event.type == "message_stop" and usage is not None:
        data = _metered(data, usage)
    coded = b2a_base64(data, newline=False)
    return EventStreamFrame(_HEADERS, b'{"bytes":"%b"}' % coded)


def _metered(data: bytes, usage: Usage) -> bytes:
    metrics = {
        "inputTokenCount": usage.input,
        "outputTokenCount": usage.output,
        "cacheReadInputTokenCount": usage.cache_read,
        "cacheWriteInputTokenCount": usage.cache_write,
    }
    try:
        fields: dict[str, Any] = dict(_object.decode(data))
    except UNREADABLE:
        return data
    return msgspec.json.encode({**fields, METRICS: metrics})


def _without_metrics(data: bytes) -> bytes:
    try:
        fields = _object.decode(data)
    except UNREADABLE:
        return data
    if fields.pop(METRICS, None) is None:
        return data
    return msgspec.json.encode(fields)
