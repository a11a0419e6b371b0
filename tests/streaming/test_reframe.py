"""Messages between SSE and the chunks of Bedrock, in any cut."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from aigw import dialects
from aigw.framing import get
from aigw.interfaces import ICarriedDialect, IChatDialect
from aigw.model import sight as sights
from aigw.model.event import Failed
from aigw.model.frame import SSEFrame
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage
from aigw.streaming.reframe import Reframed
from tests.testing.samples import REFUSED, chunk, chunks, streams

MESSAGES = IChatDialect(dialects.get("anthropic-messages"))
INVOKE = ICarriedDialect(dialects.get("bedrock-invoke"))
WHOLE = [each for each in streams("anthropic-messages") if b"message_stop" in each]
BROKEN = SSEFrame("error", b"{}")


def inward(limit: int | None = None) -> Reframed:
    """From chunks to events."""

    def same(frame: Any, usage: Usage | None) -> Any:
        return frame

    return Reframed(
        get("aws-eventstream"),
        get("sse"),
        INVOKE.unwrap,
        same,
        MESSAGES.tap(),
        INVOKE.reader(Rendered(b"")),
        lambda failed: [BROKEN],
        limit=limit,
    )


def cut(data: bytes, chance: Random) -> list[bytes]:
    places = sorted(chance.sample(range(1, len(data)), min(20, len(data) - 1)))
    ends = [*places, len(data)]
    return [data[a:b] for a, b in zip([0, *places], ends, strict=True)]


@pytest.mark.parametrize("stream", WHOLE)
def test_any_cut_gives_the_same_events(stream: bytes) -> None:
    data = chunks(stream)
    chance = Random(len(data))
    for pieces in ([data], [bytes((byte,)) for byte in data], cut(data, chance)):
        way = inward()
        seen = 0
        written = b""
        for piece in pieces:
            written += way.feed(piece)
            seen |= way.sight
        written += way.end()
        assert get("sse").decode(written) == get("sse").decode(stream)
        assert seen & sights.TERMINAL
        assert way.failed is None
        assert not way.damaged
        assert way.tap.usage is not None


def test_no_event_waits_for_the_next() -> None:
    way = inward()
    for event in WHOLE[0].removesuffix(b"\n\n").split(b"\n\n"):
        written = way.feed(chunks(event + b"\n\n"))
        assert get("sse").decode(written) == get("sse").decode(event + b"\n\n")


def test_nothing_follows_the_end() -> None:
    way = inward()
    way.feed(chunks(WHOLE[0]))
    assert way.feed(chunk(b'{"type":"ping"}')) == b""
    assert way.end() == b""


def test_what_is_no_event_says_nothing() -> None:
    way = inward()
    frame = get("aws-eventstream").encode
    odd = INVOKE.wrap(SSEFrame("ping2", b"{}"), None)
    headers = {**odd.headers, ":event-type": "initial-response"}
    assert way.feed(frame(type(odd)(headers, b"{}"))) == b""
    assert way.failed is None


@pytest.mark.parametrize("kind", ["", "a\\nb", "a\\rb", "\\ud800"])
def test_a_kind_that_no_line_can_carry_is_left_in_the_data(kind: str) -> None:
    way = inward()
    told = b'{"type":"%b"}' % kind.encode()
    assert way.feed(chunk(told)) == b"data: " + told + b"\n\n"


@pytest.mark.parametrize("before", [0, 3])
def test_an_exception_ends_it(before: int) -> None:
    way = inward()
    events = WHOLE[0].split(b"\n\n")[:before]
    way.feed(b"".join(chunks(event + b"\n\n") for event in events))
    assert way.feed(REFUSED + chunks(WHOLE[0])) == get("sse").encode(BROKEN)
    assert way.sight & sights.ERROR
    assert isinstance(way.failed, Failed)
    assert (way.failed.kind, way.failed.status) == ("rate_limit", 429)
    assert way.end() == b""


def test_an_end_behind_the_finish_reason_is_let_be() -> None:
    way = inward()
    events = WHOLE[0].removesuffix(b"\n\n").split(b"\n\n")[:-1]
    way.feed(b"".join(chunks(event + b"\n\n") for event in events))
    assert way.end() == b""
    assert way.failed is None


def test_an_end_within_a_frame_is_none() -> None:
    way = inward()
    events = WHOLE[0].removesuffix(b"\n\n").split(b"\n\n")[:-1]
    way.feed(b"".join(chunks(event + b"\n\n") for event in events) + b"\0")
    assert way.end() == get("sse").encode(BROKEN)
    assert way.damaged
