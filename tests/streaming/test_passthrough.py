"""Passthrough changes nothing, sees what it must, and skips what it need not see."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface import implementer
from zope.interface.verify import verifyObject

from aigw.dialects.usage_tap import UsageTap
from aigw.framing import get
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage
from aigw.streaming.hide import HOLD_LIMIT, Hiding
from aigw.streaming.passthrough import COPY_LIMIT, Passthrough, Verbatim


@implementer(ITap)
class Seen:
    """A tap that keeps what it is fed."""

    marks: tuple[bytes, ...] = (b'"usage"', b"[DONE]")
    usage: Usage | None = None
    model = ""
    tool_calls = False
    finished = False
    error: Mapping[str, Any] | None = None

    def __init__(self) -> None:
        self.frames: list[bytes | None] = []
        self.body = b""

    def feed(self, frame: SSEFrame) -> int:
        self.frames.append(frame.data)
        data = frame.data or b""
        if data == b"[DONE]":
            return sights.TERMINAL
        if b'"usage"' in data:
            return sights.USAGE_ONLY
        return sights.CONTENT if b"content" in data else sights.NOTHING

    def whole(self, body: bytes) -> None:
        self.body = body

    def text(self) -> str:
        return ""


def test_the_tap_is_a_tap() -> None:
    verifyObject(ITap, Seen())


def through(**settings: Any) -> tuple[Passthrough, Seen]:
    tap = Seen()
    return Passthrough(get("sse"), tap, terminates=True, **settings), tap


def hiding() -> tuple[Hiding, Seen]:
    tap = Seen()
    return Hiding(get("sse"), tap, terminates=True), tap


CONTENT = b'data: {"content":"x"}\n\n'
USAGE = b'data: {"usage":{}}\n\n'
DONE = b"data: [DONE]\n\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(ends)]
    return [piece for piece in pieces if piece]


places = st.lists(st.integers(0, 400))
lines = st.sampled_from(
    [b"data: {content}", b": ping", b"event: x", b"id: 1", b'data: {"usage":{}}', b""]
)
breaks = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, breaks)).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@given(streams, places)
def test_bytes_go_on_as_they_came(data: bytes, at: list[int]) -> None:
    way, _ = through()
    out = [way.feed(piece) for piece in cut(data, at)]
    assert b"".join(out) + way.end() == data


@given(streams, places)
def test_watching_sees_every_frame_however_cut(data: bytes, at: list[int]) -> None:
    way, tap = through(watch=True)
    for piece in cut(data, at):
        way.feed(piece)
    frames, _ = get("sse").decode_buf(data)
    assert tap.frames == [frame.data for frame in frames]


@given(streams, places)
def test_frames_with_a_mark_are_seen_however_cut(data: bytes, at: list[int]) -> None:
    way, tap = through()
    for piece in cut(data, at):
        way.feed(piece)
    frames, _ = get("sse").decode_buf(data)
    marked = [frame.data for frame in frames if b'"usage"' in (frame.data or b"")]
    assert [data for data in tap.frames if b'"usage"' in (data or b"")] == marked


def test_whole_frames_without_marks_are_not_decoded_once_content_was_seen() -> None:
    way, tap = through()
    way.feed(CONTENT)
    for _ in range(5):
        way.feed(CONTENT * 3)
        assert way.sight == sights.CONTENT
    assert len(tap.frames) == 1
    way.feed(CONTENT + USAGE)
    assert len(tap.frames) == 2


def test_boundary_is_known() -> None:
    way, _ = through()
    way.feed(CONTENT)
    assert way.boundary
    way.feed(b"data: {")
    assert not way.boundary
    way.feed(b"}\n\n")
    assert way.boundary


def test_oversize_event_is_skipped_and_looking_begins_again() -> None:
    way, tap = through(limit=100)
    way.feed(CONTENT)
    large = b"data: " + b"x" * 500 + b"\n\n"
    for piece in cut(large, list(range(0, 600, 37))):
        assert way.feed(piece) == piece
    assert way.damaged
    assert way.boundary
    way.feed(USAGE + DONE)
    assert way.sight & sights.TERMINAL
    assert tap.frames[-2:] == [b'{"usage":{}}', b"[DONE]"]


def test_corrupt_eventstream_ends_the_looking_not_the_relaying() -> None:
    tap = Seen()
    way = Passthrough(get("aws-eventstream"), tap, terminates=True)
    data = b"\x00\x00\x00\x20\x00\x00\x00\x00" + b"\xff" * 100
    assert way.feed(data) == data
    assert way.feed(data) == data
    assert way.damaged
    assert not way.boundary
    assert way.end() == b""


# -- hiding the usage chunk


@given(streams, places)
def test_everything_but_usage_only_frames_goes_on(data: bytes, at: list[int]) -> None:
    way, _ = hiding()
    out = b"".join(way.feed(piece) for piece in cut(data, at)) + way.end()
    frames, _ = get("sse").decode_buf(data)
    kept, _ = get("sse").decode_buf(out)
    assert [f for f in frames if b'"usage"' not in (f.data or b"")] == kept
    if not any(b'"usage"' in (frame.data or b"") for frame in frames):
        assert out == data


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_only_the_usage_frame_is_missing(size: int) -> None:
    data = CONTENT + CONTENT.replace(b"\n\n", b"\r\n\r\n") + USAGE + DONE
    way, tap = hiding()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    out = b"".join(map(way.feed, pieces)) + way.end()
    assert out == data.replace(USAGE, b"")
    assert tap.frames[-1] == b"[DONE]"


def test_incomplete_frames_are_held_and_the_boundary_stays() -> None:
    way, _ = hiding()
    assert way.feed(CONTENT + b"data: {") == CONTENT
    assert way.boundary
    assert way.feed(b"}\n\n") == b"data: {}\n\n"


def test_a_frame_too_large_to_hold_goes_on() -> None:
    way, _ = hiding()
    start = b"data: " + b"x" * HOLD_LIMIT
    assert way.feed(start) == start
    assert not way.boundary
    assert way.feed(b"x\n\n") == b"x\n\n"
    assert way.boundary


def test_a_held_rest_is_given_back_at_the_end() -> None:
    way, _ = hiding()
    assert way.feed(CONTENT + b"data: {") == CONTENT
    assert way.end() == b"data: {"


# -- answers that are no streams


def test_a_copy_is_read_at_the_end() -> None:
    tap = Seen()
    way = Verbatim(tap)
    assert way.feed(b'{"a"') == b'{"a"'
    assert way.feed(b":1}") == b":1}"
    way.end()
    assert tap.body == b'{"a":1}'


def test_no_copy_of_a_large_answer_is_kept() -> None:
    tap = Seen()
    way = Verbatim(tap)
    piece = b"x" * 65536
    for _ in range(COPY_LIMIT // len(piece) + 1):
        way.feed(piece)
    way.end()
    assert tap.body == b""
    assert way.damaged


@pytest.mark.parametrize("piece", [1000, 65536, COPY_LIMIT * 2])
def test_what_a_large_answer_used_is_read_from_its_end(piece: int) -> None:
    tap = UsageTap()
    way = Verbatim(tap)
    vectors = b"0.12345," * 2 * (COPY_LIMIT // 8)
    body = b'{"data":[[%b1]],"usage":{"prompt_tokens":7,"total_tokens":7}}' % vectors
    for at in range(0, len(body), piece):
        data = body[at : at + piece]
        assert way.feed(data) is data
    way.end()
    assert tap.usage == Usage(input=7, total=7)
    assert not way.damaged
