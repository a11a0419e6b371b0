"""Conversion of answers: golden pairs, and how a stream that goes wrong ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from zope.interface.verify import verifyObject

from aigw import framing
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage
from aigw.streaming.convert import Converted, ConvertedWhole
from tests.dialects.streams import bytes_of, call_of, chat, stream_of, suffix_of

GOLDEN = Path(__file__).parents[2] / "fixtures" / "conversions"
SSE = framing.get("sse")


def golden(*suffixes: str) -> list[tuple[str, str, str]]:
    """(provider's dialect, client's dialect, name) of all golden pairs."""
    return [
        (*path.parent.name.split("-to-"), path.stem)
        for path in sorted(GOLDEN.glob("*/*"))
        if path.suffix in suffixes
    ]


def converted(source: str, target: str, **more: Any) -> Converted:
    ours, theirs = chat(target), chat(source)
    return Converted(
        framing.get(theirs.framing),
        theirs.reader(Rendered(b"")),
        ours.writer(call_of(target, include_usage=True), 1751445600, "req-1"),
        framing.get(ours.framing),
        **more,
    )


def whole(source: str, target: str, **more: Any) -> ConvertedWhole:
    return ConvertedWhole(
        chat(source).reader(Rendered(b"")),
        chat(target).writer(call_of(target, include_usage=True), 1751445600, "req-1"),
        **more,
    )


@pytest.mark.parametrize(("source", "target", "name"), golden(".sse", ".eventstream"))
def test_streams_become_the_golden_ones(source: str, target: str, name: str) -> None:
    data = stream_of(source, name)
    stored = GOLDEN / f"{source}-to-{target}" / f"{name}{suffix_of(target)}"
    expected = stored.read_bytes()
    at_once, bytewise = converted(source, target), converted(source, target)
    assert at_once.feed(data) + at_once.end() == expected
    pieces = [bytewise.feed(data[at : at + 1]) for at in range(len(data))]
    assert b"".join(pieces) + bytewise.end() == expected


@pytest.mark.parametrize(("source", "target", "name"), golden(".json"))
def test_whole_answers_become_the_golden_ones(
    source: str, target: str, name: str
) -> None:
    way = whole(source, target)
    expected = (GOLDEN / f"{source}-to-{target}" / f"{name}.json").read_bytes()
    assert way.feed(bytes_of(source, name, ".json")) == b""
    assert way.end() + b"\n" == expected
    assert way.failed is None


def test_no_event_waits_for_the_next() -> None:
    data = bytes_of("openai-chat", "tools-parallel", ".sse")
    way = converted("openai-chat", "anthropic-messages")
    for frame in data.split(b"\n\n")[:-4]:  # all before the finish
        out = way.feed(frame + b"\n\n")
        said = b'"arguments":""' not in frame and b'"content":""' not in frame
        assert out or not said, frame


def test_finish_waits_for_the_usage_behind_it() -> None:
    *before, finish, usage, done, _ = bytes_of("openai-chat", "plain", ".sse").split(
        b"\n\n"
    )
    way = converted("openai-chat", "anthropic-messages")
    way.feed(b"\n\n".join([*before, b""]))
    assert b"message_delta" not in way.feed(finish + b"\n\n")
    assert way.feed(usage + b"\n\n") == b""
    out = way.feed(done + b"\n\n")
    assert out.index(b'"output_tokens":5') < out.index(b"message_stop")
    assert way.sight & sights.TERMINAL


def test_tap_of_a_conversion_tells_usage_model_and_text() -> None:
    way = converted("openai-chat", "anthropic-messages", collect=True)
    way.feed(bytes_of("openai-chat", "tools-parallel", ".sse"))
    tap = way.tap
    assert tap is not None
    assert verifyObject(ITap, tap)
    assert tap.usage == Usage(input=70, output=40, total=110)
    assert tap.model == "gpt-4o-mini-2024-07-18"
    assert tap.tool_calls
    assert tap.finished
    assert tap.text() == "Both:"


def test_stream_that_ends_early_is_told_as_an_error_never_as_complete() -> None:
    half = bytes_of("openai-chat", "plain", ".sse").split(b"\n\n")[:3]
    way = converted("openai-chat", "anthropic-messages")
    way.feed(b"\n\n".join([*half, b""]))
    out = way.end()
    assert b"event: error" in out
    assert b"message_stop" not in out
    assert way.sight & sights.ERROR
    assert way.failed is not None


def test_malformed_frame_ends_the_stream_behind_the_good_ones() -> None:
    way = converted("openai-chat", "anthropic-messages", limit=512)
    first = bytes_of("openai-chat", "plain", ".sse").split(b"\n\n")[1] + b"\n\n"
    out = way.feed(first + b"data: " + b"x" * 1024)
    assert out.index("Grüß".encode()) < out.index(b"event: error")
    assert way.sight == sights.CONTENT | sights.ERROR
    assert way.damaged
    assert way.feed(first) == b""
    assert way.end() == b""


def test_error_in_the_stream_ends_it_in_the_clients_words() -> None:
    way = converted("anthropic-messages", "openai-chat")
    out = way.feed(bytes_of("anthropic-messages", "error", ".sse"))
    assert b'"code":"overloaded"' in out
    assert b"[DONE]" not in out + way.end()
    assert way.failed is not None
    assert way.failed.status == 529


def test_whole_answer_is_streamed_to_a_client_that_asked_for_it() -> None:
    way = whole("openai-chat", "anthropic-messages", stream=SSE)
    way.feed(bytes_of("openai-chat", "tools-parallel", ".json"))
    out = way.end()
    again = chat("anthropic-messages").reader(Rendered(b""))
    told = [event for frame in SSE.decode(out) for event in again.feed(frame)]
    assert [type(event).__name__ for event in told].count("BlockOpened") == 3
    assert out.endswith(b'data: {"type":"message_stop"}\n\n')
    assert way.sight & sights.TERMINAL


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"no","code":429}}',
        b'{"detail":"Not Found"}',
        b"<html>",
        b'{"choices":[]}',
    ],
)
def test_error_in_a_whole_answer_is_kept_for_the_caller(body: bytes) -> None:
    way = whole("openai-chat", "anthropic-messages")
    way.feed(body)
    assert way.end() == b""
    assert way.failed is not None
    assert way.sight == sights.ERROR


def test_answer_too_large_to_convert_is_an_error_and_is_not_kept() -> None:
    way = whole("openai-chat", "anthropic-messages", limit=10)
    for _ in range(3):
        way.feed(b"12345678")
    assert way.end() == b""
    assert way.failed is not None
    assert "too large" in way.failed.message


def test_usage_chunk_is_written_only_to_clients_that_asked() -> None:
    ours = chat("openai-chat")
    way = Converted(
        SSE,
        chat("anthropic-messages").reader(Rendered(b"")),
        ours.writer(call_of("openai-chat"), 0, "r"),
        SSE,
    )
    out = way.feed(bytes_of("anthropic-messages", "plain", ".sse"))
    assert b'"usage"' not in out
    assert out.endswith(b"data: [DONE]\n\n")


def test_tool_names_are_restored_in_answers() -> None:
    rendered = Rendered(b"", names={"get_weather": "get weather!"})
    for source, target in (
        ("openai-chat", "anthropic-messages"),
        ("anthropic-messages", "openai-chat"),
    ):
        way = Converted(
            SSE,
            chat(source).reader(rendered),
            chat(target).writer(call_of(target), 0, "r"),
            SSE,
        )
        assert b'"get weather!"' in way.feed(bytes_of(source, "tool", ".sse"))
        answer = chat(source).reader(rendered).whole(bytes_of(source, "tool", ".json"))
        assert "get weather!" in msgspec.json.encode(answer).decode()


@pytest.mark.parametrize("target", ["openai-responses", "gemini"])
def test_answer_that_cannot_be_kept_to_be_said_again_ends_in_an_error(
    target: str,
) -> None:
    way = converted("anthropic-messages", target, limit=16 * 1024 * 1024)
    start, opened, *_ = bytes_of("anthropic-messages", "tool", ".sse").split(b"\n\n")
    way.feed(start + b"\n\n" + opened + b"\n\n")
    delta = {"type": "input_json_delta", "partial_json": "x" * (9 * 1024 * 1024)}
    told = {"type": "content_block_delta", "index": 0, "delta": delta}
    frame = b"event: content_block_delta\ndata: " + msgspec.json.encode(told) + b"\n\n"
    for _ in range(7):
        way.feed(frame)
        assert way.failed is None
    out = way.feed(frame)
    assert way.sight & sights.ERROR
    assert way.failed is not None
    assert "too large" in way.failed.message
    assert out.count(b'"error"') >= 1
    assert way.feed(frame) + way.end() == b""
