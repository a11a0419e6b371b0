"""Frames that cannot be read: none is left out in silence."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aigw import framing
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed, Unknown
from aigw.model.frame import SSEFrame
from aigw.model.part import Text
from aigw.model.rendered import Rendered
from tests.testing.samples import chunk

from .streams import CHAT_DIALECTS, bytes_of, chat, frames_of, read, stream_of

#: What may stand in JSON where a character was cut in two, and what is shown then.
HALVES = [
    (rb"\ud83d", "\ufffd"),
    (rb"\ude00", "\ufffd"),
    (rb"\ud83d\ud83d", "\ufffd\ufffd"),
    (rb"\ud83d\ude00\ud83d", "\U0001f600\ufffd"),
    (rb"\\ud83d\ud83d", "\\ud83d\ufffd"),
    ("é".encode()[:1], "\ufffd"),
]


def plain(dialect: str) -> list[Any]:
    return frames_of(dialect, stream_of(dialect, "plain"))


def first_text(dialect: str) -> tuple[int, str]:
    """Which frame of a plain answer has the first text, and that text."""
    reader = chat(dialect).reader(Rendered(b""))
    for number, frame in enumerate(plain(dialect)):
        if text := text_of(reader.feed(frame)):
            return number, text
    raise AssertionError("no frame has text")


def text_of(told: list[Event]) -> str:
    return "".join(each.text for each in told if isinstance(each, events.Text))


def data_of(frame: Any) -> bytes:
    data: bytes = frame.data if isinstance(frame, SSEFrame) else frame.payload
    return data


def with_data(frame: Any, data: bytes) -> Any:
    if isinstance(frame, SSEFrame):
        return replace(frame, data=data)
    return replace(frame, payload=data)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
def test_a_frame_that_is_no_json_ends_the_answer(dialect: str) -> None:
    frames = plain(dialect)
    number, text = first_text(dialect)
    frames[number] = with_data(frames[number], data_of(frames[number])[:-3])
    told = read(dialect, frames)
    assert isinstance(told[-1], Failed)
    assert told[-1].status == 502
    assert text not in text_of(told)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
def test_json_of_another_shape_is_passed_over(dialect: str) -> None:
    frames = plain(dialect)
    odd = [with_data(frames[0], data) for data in (b"[]", b"3", b"null")]
    told = read(dialect, [*odd, *frames])
    assert [each for each in told if not isinstance(each, Unknown)] == read(
        dialect, frames
    )


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
def test_blanks_around_a_frames_json_do_not_count(dialect: str) -> None:
    frames = plain(dialect)
    blank = [with_data(frame, b" \t" + data_of(frame) + b" ") for frame in frames]
    assert read(dialect, blank) == read(dialect, frames)


@pytest.mark.parametrize(
    "dialect", ["openai-chat", "openai-responses", "anthropic-messages"]
)
def test_events_nobody_knows_need_hold_no_json(dialect: str) -> None:
    odd = [SSEFrame("keepalive", b"now"), SSEFrame("message", b" ")]
    told = read(dialect, [*odd, *plain(dialect)])
    assert isinstance(told[-1], events.Ended)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
@pytest.mark.parametrize(("half", "shown"), HALVES)
def test_half_a_character_costs_no_more_than_itself(
    dialect: str, half: bytes, shown: str
) -> None:
    frames = plain(dialect)
    number, text = first_text(dialect)
    data = data_of(frames[number])
    assert text.encode() in data
    data = data.replace(text.encode(), b"a" + half + b"b")
    frames[number] = with_data(frames[number], data)
    told = read(dialect, frames)
    assert text_of(told).startswith(f"a{shown}b")
    assert isinstance(told[-1], events.Ended)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
@pytest.mark.parametrize(("half", "shown"), HALVES)
def test_half_a_character_spoils_no_whole_answer(
    dialect: str, half: bytes, shown: str
) -> None:
    reader = chat(dialect).reader(Rendered(b""))
    whole = reader.whole(bytes_of(dialect, "plain", ".json"))
    assert isinstance(whole, Answer)
    (part,) = whole.choices[0].parts
    assert isinstance(part, Text)
    body = bytes_of(dialect, "plain", ".json")
    assert part.text.encode() in body
    body = body.replace(part.text.encode(), b"a" + half + b"b")
    whole = chat(dialect).reader(Rendered(b"")).whole(body)
    assert isinstance(whole, Answer)
    assert whole.choices[0].parts == (Text(f"a{shown}b"),)


def test_a_chunk_that_holds_no_bytes_ends_the_answer() -> None:
    (frame,) = framing.get("aws-eventstream").decode(chunk(b'{"type":"ping"}'))
    reader = chat("bedrock-invoke").reader(Rendered(b""))
    (told,) = reader.feed(replace(frame, payload=b'{"bytes":"%"}'))
    assert isinstance(told, Failed)
    assert reader.feed(frame) == []
