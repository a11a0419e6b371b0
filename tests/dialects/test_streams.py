"""What every chat dialect promises of its reader and writer, over all fixtures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from aigw import framing
from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.answer import Answer
from aigw.model.event import Event
from aigw.model.frame import SSEFrame
from aigw.model.part import Text
from aigw.model.rendered import Rendered

from .streams import (
    CHAT_DIALECTS,
    bytes_of,
    call_of,
    chat,
    fixtures,
    frame_of,
    frames_of,
    gathered,
    read,
    stream_of,
    streams,
    write,
)

STREAMS = streams()
COMPLETE = streams(without="error")
WHOLE = fixtures(".json")


def check_grammar(told: list[Event]) -> None:
    """The grammar of :mod:`aigw.model.event`."""
    opened: dict[int, int] = {}
    open_: set[tuple[int, int]] = set()
    finished: set[int] = set()
    started = False
    for place, event in enumerate(told):
        if isinstance(event, events.Ended | events.Failed):
            assert place == len(told) - 1
            assert isinstance(event, events.Failed) or not open_
        elif isinstance(event, events.Started):
            assert not started
            started = True
        elif isinstance(event, events.BlockOpened):
            assert started
            assert event.choice not in finished
            assert event.block == opened.get(event.choice, 0)
            opened[event.choice] = event.block + 1
            open_.add((event.choice, event.block))
        elif isinstance(event, events.BlockClosed):
            open_.remove((event.choice, event.block))
        elif isinstance(event, events.OfBlock):
            assert (event.choice, event.block) in open_
        elif isinstance(event, events.Finished):
            assert event.choice not in finished
            assert not [block for block in open_ if block[0] == event.choice]
            finished.add(event.choice)


def same(one: Answer, other: Answer) -> bool:
    """Equal but for what only one form of an answer tells."""
    return replace(one, origin="", tier="") == replace(other, origin="", tier="")


def without_native(answer: Answer) -> Answer:
    """A server that says ``stop`` after tool calls is corrected on the way."""
    choices = tuple(replace(choice, native="") for choice in answer.choices)
    return replace(answer, choices=choices)


@pytest.mark.parametrize("name", CHAT_DIALECTS)
def test_chat_dialects_keep_their_interfaces(name: str) -> None:
    dialect = chat(name)
    assert verifyObject(IChatDialect, dialect)
    assert verifyObject(IReader, dialect.reader(Rendered(b"")))
    assert verifyObject(IWriter, dialect.writer(call_of(name), 0, "r"))
    assert verifyObject(ITap, dialect.tap())


@pytest.mark.parametrize(("dialect", "name"), STREAMS)
def test_events_follow_their_grammar(dialect: str, name: str) -> None:
    check_grammar(read(dialect, frames_of(dialect, stream_of(dialect, name))))


@pytest.mark.parametrize(("dialect", "name"), COMPLETE)
def test_complete_streams_end_and_broken_ones_fail(dialect: str, name: str) -> None:
    told = read(dialect, frames_of(dialect, stream_of(dialect, name)))
    assert isinstance(told[-1], events.Ended)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
def test_error_in_a_stream_is_told_and_ends_it(dialect: str) -> None:
    told = read(dialect, frames_of(dialect, stream_of(dialect, "error")))
    last = told[-1]
    assert isinstance(last, events.Failed)
    assert last.status >= 500
    again = read(dialect, write(dialect, [*told, events.Ended()]))[-1]
    assert isinstance(again, events.Failed)
    assert (again.kind, again.message) == (last.kind, last.message)


@pytest.mark.parametrize(("dialect", "name"), WHOLE)
def test_stream_tells_the_same_as_the_whole_answer(dialect: str, name: str) -> None:
    told = read(dialect, frames_of(dialect, stream_of(dialect, name)))
    whole = chat(dialect).reader(Rendered(b"")).whole(bytes_of(dialect, name, ".json"))
    assert isinstance(whole, Answer)
    assert same(gathered(dialect, told), whole)


@pytest.mark.parametrize(("dialect", "name"), COMPLETE)
def test_read_write_read_is_read(dialect: str, name: str) -> None:
    told = read(dialect, frames_of(dialect, stream_of(dialect, name)))
    again = read(dialect, write(dialect, told, include_usage=True))
    check_grammar(again)
    one, other = gathered(dialect, again), gathered(dialect, told)
    assert without_native(one) == without_native(other)


@pytest.mark.parametrize(("dialect", "name"), WHOLE)
def test_whole_read_write_read_is_read(dialect: str, name: str) -> None:
    ours = chat(dialect)
    answer = ours.reader(Rendered(b"")).whole(bytes_of(dialect, name, ".json"))
    assert isinstance(answer, Answer)
    body = ours.writer(call_of(dialect), 1, "r").whole(answer)
    again = ours.reader(Rendered(b"")).whole(body)
    assert isinstance(again, Answer)
    if not any(choice.parts for choice in answer.choices):
        return  # no part is written as one empty text
    assert without_native(again) == without_native(answer)


@pytest.mark.parametrize(("dialect", "name"), STREAMS)
def test_any_cut_of_the_bytes_gives_the_same_events(dialect: str, name: str) -> None:
    data = stream_of(dialect, name)
    once = read(dialect, frames_of(dialect, data))
    for size in (1, 7, 64):
        decoder = framing.get(chat(dialect).framing).decoder()
        frames = [
            frame
            for at in range(0, len(data), size)
            for frame in decoder.feed(data[at : at + size])
        ]
        assert read(dialect, frames + decoder.end()) == once


@pytest.mark.parametrize(("dialect", "name"), STREAMS)
def test_tap_and_reader_tell_the_same(dialect: str, name: str) -> None:
    frames = frames_of(dialect, stream_of(dialect, name))
    told = read(dialect, frames)
    tap = chat(dialect).tap(collect=True)
    seen = 0
    for frame in frames:
        seen |= tap.feed(frame)
    reports = [event for event in told if isinstance(event, events.UsageReport)]
    assert tap.usage == (reports[-1].usage if reports else None)
    assert tap.tool_calls == any(
        isinstance(event, events.BlockOpened) and event.kind == "tool" for event in told
    )
    assert tap.finished == any(isinstance(event, events.Finished) for event in told)
    assert (tap.error is not None) == isinstance(told[-1], events.Failed)
    assert bool(seen & sights.ERROR) == isinstance(told[-1], events.Failed)
    texts = [event.text for event in told if isinstance(event, events.Text)]
    assert tap.text() == "".join(texts)


@pytest.mark.parametrize(("dialect", "name"), STREAMS)
def test_marks_stand_in_all_that_is_not_content(dialect: str, name: str) -> None:
    ours = framing.get(chat(dialect).framing)
    frames = frames_of(dialect, stream_of(dialect, name))
    always, marked = chat(dialect).tap(), chat(dialect).tap()
    content = False
    for frame in frames:
        always.feed(frame)
        raw = ours.encode(frame)
        if not content or any(mark in raw for mark in marked.marks):
            content = bool(marked.feed(frame) & sights.CONTENT) or content
    assert marked.usage == always.usage
    assert marked.finished == always.finished
    assert marked.tool_calls == always.tool_calls
    assert marked.error == always.error


@pytest.mark.parametrize(("dialect", "name"), WHOLE)
def test_tap_reads_whole_answers(dialect: str, name: str) -> None:
    body = bytes_of(dialect, name, ".json")
    tap = chat(dialect).tap(collect=True)
    tap.whole(body)
    answer = chat(dialect).reader(Rendered(b"")).whole(body)
    assert isinstance(answer, Answer)
    assert tap.usage == answer.usage
    assert tap.model == answer.model
    assert tap.finished


WORDS = (
    "type index delta content_block message content usage error text thinking id name "
    "choices finish_reason tool_calls function arguments reasoning_details format data "
    "signature input partial_json stop_reason model logprobs annotations audio custom "
    "citation url_citation prompt_tokens input_tokens start contentBlockIndex toolUse "
    "toolUseId reasoningContent reasoningText redactedContent stopReason output image "
    "citationsContent citations inputTokens bytes additionalModelResponseFields"
).split()
VALUES = (
    "message_start content_block_start content_block_delta content_block_stop error "
    "message_delta message_stop ping text thinking tool_use redacted_thinking "
    "text_delta input_json_delta signature_delta citations_delta reasoning.text "
    "reasoning.encrypted google-gemini-v1 stop"
).split()
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(VALUES)
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=16,
)
KINDS = (
    "message message_start content_block_start content_block_delta message_stop error "
    "messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop "
    "metadata"
).split()
frames = st.lists(
    st.tuples(st.sampled_from(KINDS), anything.map(msgspec.json.encode)), max_size=6
)


#: Responses names its events with a prefix, and hides everything in items and parts.
RESPONSES = [
    f"response.{name}"
    for name in (
        "created completed incomplete failed output_item.added output_item.done "
        "content_part.added content_part.done output_text.delta output_text.done "
        "output_text.annotation.added refusal.delta refusal.done "
        "reasoning_summary_part.added reasoning_summary_text.delta "
        "reasoning_text.delta function_call_arguments.delta "
        "custom_tool_call_input.delta"
    ).split()
]
ITEMS = (
    "message reasoning function_call custom_tool_call web_search_call output_text "
    "refusal summary_text url_citation"
).split()
things = st.fixed_dictionaries(
    {"type": st.sampled_from(ITEMS)},
    optional=dict.fromkeys(
        "text refusal content summary arguments input name call_id id "
        "encrypted_content annotations logprobs".split(),
        anything | st.lists(st.fixed_dictionaries({"type": st.sampled_from(ITEMS)})),
    ),
)
places = st.integers(0, 1) | anything
response_events = st.fixed_dictionaries(
    {"type": st.sampled_from(["error", *RESPONSES])},
    optional={
        "item": things | anything,
        "part": things | anything,
        "response": st.fixed_dictionaries(
            {}, optional={"output": st.lists(things, max_size=2) | anything}
        )
        | anything,
        "delta": anything | st.text(max_size=2),
        "output_index": places,
        "content_index": places,
        "summary_index": places,
        "annotation": things | anything,
        "logprobs": anything,
        "error": anything,
        "text": anything | st.text(max_size=2),
    },
)


@given(
    st.lists(
        st.builds(
            lambda event: SSEFrame(event["type"], msgspec.json.encode(event)),
            response_events,
        ),
        max_size=6,
    )
)
def test_whatever_events_responses_tells_its_reader_keeps_the_grammar(
    given: list[Any],
) -> None:
    dialect = "openai-responses"
    told = read(dialect, given)
    check_grammar(told)
    for other in CHAT_DIALECTS:
        check_grammar(read(other, write(other, told)))
    tap = chat(dialect).tap(collect=True)
    for frame in given:
        tap.feed(frame)
        assert frame.data is not None
        tap.whole(frame.data)
        chat(dialect).reader(Rendered(b"")).whole(frame.data)


# Not parametrized: pytest-twisted wraps a hypothesis test once for each parameter.
@given(st.sampled_from(CHAT_DIALECTS), frames)
def test_readers_and_taps_never_raise_on_arbitrary_json(
    dialect: str, given: list[tuple[str, bytes]]
) -> None:
    frames = [frame_of(dialect, kind, data) for kind, data in given]
    told = read(dialect, frames)
    tap = chat(dialect).tap(collect=True)
    for frame in frames:
        tap.feed(frame)
    for other in CHAT_DIALECTS:
        write(other, told)
    for _, data in given:
        tap.whole(data)
        reader = chat(dialect).reader(Rendered(b""))
        reader.whole(data)
        reader.problem(500, [], data)


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
@pytest.mark.parametrize(
    "data", [b"\xff", b"{", b"[" * 5000, b'{"a":' * 5000, b"1e999"]
)
def test_readers_never_raise_on_arbitrary_bytes(dialect: str, data: bytes) -> None:
    reader = chat(dialect).reader(Rendered(b""))
    for event in reader.feed(frame_of(dialect, "message", data)):
        assert isinstance(event, events.Unknown | events.Failed)
    assert isinstance(reader.whole(data), events.Failed)
    assert reader.problem(429, [(b"retry-after", b"3")], data).retry_after == 3


@pytest.mark.parametrize(
    "dialect", ["anthropic-messages", "bedrock-converse", "openai-responses"]
)
def test_dialects_of_one_choice_leave_out_the_others(dialect: str) -> None:
    told = read(
        "openai-chat",
        frames_of("openai-chat", bytes_of("openai-chat", "choices", ".sse")),
    )
    answer = gathered(dialect, read(dialect, write(dialect, told)))
    assert [part for choice in answer.choices for part in choice.parts] == [
        Text("Heads!")
    ]
