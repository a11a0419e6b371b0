"""What was told of an answer, and how another attempt's events are fitted to it."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aigw.model import event as events
from aigw.model.event import BlockClosed, BlockOpened, Event, Finished, Text
from aigw.model.usage import Usage
from aigw.streaming.draft import LIMIT, Draft, Joint


def draft(*told: Event) -> Draft:
    made = Draft()
    for event in told:
        made.see(event)
    return made


def fitted(before: Draft, *told: Event) -> list[Event]:
    joint = Joint(before)
    return [fit for event in told for fit in joint.fit(event)]


def said(text: str, block: int = 0) -> list[Event]:
    return [BlockOpened(0, block, "text"), Text(0, block, text)]


def text_of(told: list[Event]) -> str:
    return "".join(event.text for event in told if isinstance(event, Text))


def test_text_alone_is_plain() -> None:
    made = draft(events.Started(), *said("Hel"), Text(0, 0, "lo"))
    assert made.plain
    assert (made.text(), made.size, made.open) == ("Hello", 5, 0)


def test_a_draft_is_bounded() -> None:
    made = draft(*said("ä" * (LIMIT // 2)))
    assert made.plain
    made.see(Text(0, 0, "x"))
    assert not made.plain
    assert made.text() == ""


def test_a_draft_takes_little_more_memory_than_its_text() -> None:
    made = draft(BlockOpened(0, 0, "text"))
    tracemalloc.start()
    try:
        for number in range(LIMIT // 4):
            made.see(Text(0, 0, f" {number % 1000:03}"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert made.plain
    assert made.text().startswith(" 000 001 002")
    assert most < 3 * LIMIT


def test_half_a_character_is_kept_as_it_came() -> None:
    assert draft(*said("a\ud83d"), Text(0, 0, "b")).text() == "a\ud83db"


def test_a_second_choice_is_not_plain() -> None:
    assert not draft(*said("a"), BlockOpened(1, 0, "text")).plain


def test_the_answer_does_not_begin_again() -> None:
    told = fitted(draft(*said("a")), events.Started(), *said("b", 3))
    assert told == [Text(0, 0, "b")]


def test_a_block_that_was_closed_is_not_written_to() -> None:
    told = fitted(draft(*said("a"), BlockClosed(0, 0)), *said("b"))
    assert told == [BlockOpened(0, 1, "text"), Text(0, 1, "b")]


def test_reasoning_behind_text_is_left_out() -> None:
    thought = [BlockOpened(0, 0, "thinking"), events.Thinking(0, 0, "hm")]
    told = fitted(draft(*said("a")), *thought, BlockClosed(0, 0), *said("b", 1))
    assert told == [Text(0, 0, "b")]


def test_reasoning_before_any_text_is_told() -> None:
    thought = [BlockOpened(0, 0, "thinking"), events.Thinking(0, 0, "hm")]
    assert fitted(draft(events.Started()), *thought) == thought


def test_another_block_closes_the_open_one() -> None:
    tool = BlockOpened(0, 0, "tool", "id", "f")
    told = fitted(draft(*said("a")), tool, events.Arguments(0, 0, "{}"))
    assert told == [
        BlockClosed(0, 0),
        BlockOpened(0, 1, "tool", "id", "f"),
        events.Arguments(0, 1, "{}"),
    ]


def test_an_end_without_more_text_closes_the_open_block() -> None:
    end = Finished(0, "stop")
    assert fitted(draft(*said("a")), end) == [BlockClosed(0, 0), end]


def test_usage_is_added_up() -> None:
    before = draft(events.UsageReport(Usage(input=5, output=2)), *said("a"))
    after = events.UsageReport(Usage(input=7, output=1, total=8))
    (told,) = fitted(before, after)
    assert told == events.UsageReport(Usage(input=12, output=3, total=15))


@given(st.text("ab \n", min_size=1), st.text(" \nb"), st.lists(st.integers(0, 9)))
def test_white_space_at_the_seam_is_said_once(
    text: str, more: str, cuts: list[int]
) -> None:
    # Whoever goes on from "text" without its last white space may say that first.
    before = draft(*said(text))
    tail = text[len(text.rstrip()) :]
    places = sorted({0, len(tail + more), *(min(at, len(tail + more)) for at in cuts)})
    pieces = [(tail + more)[here:there] for here, there in pairwise(places)]
    told = fitted(
        before, BlockOpened(0, 0, "text"), *(Text(0, 0, piece) for piece in pieces)
    )
    assert text_of(told) == more
