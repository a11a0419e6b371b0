"""Each row of the table of knobs in docs/mock.md does what it says, on sockets."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer

from aigw.mock.knobs import NAMES, from_name

from .client import CHAT, Got, Served, chat, post

PAGE = Path(__file__).parents[2] / "docs" / "mock.md"

#: knob, example
ROWS = re.findall(
    r"^\| (?:`(\w+)`|any other word) \|.*\| `(.*)` \|$",
    PAGE.read_text().partition("\n## Knobs\n")[2],
    re.M,
)

#: Events of the fixture: role, words, finish, [DONE].
WHOLE = 30

CHECKS: dict[str, Callable[[Got], None]] = {}


def check(example: str) -> Callable[[Callable[[Got], None]], Callable[[Got], None]]:
    def keep(function: Callable[[Got], None]) -> Callable[[Got], None]:
        CHECKS[example] = function
        return function

    return keep


def well_ended(got: Got) -> None:
    assert (got.status, got.ended, got.seen.state) == (200, "complete", "complete")


def texts(got: Got) -> list[str]:
    """The texts of the content events."""
    chunks = [json.loads(block[6:]) for block in got.events if b"[DONE]" not in block]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return [delta["content"] for delta in deltas if delta.get("content")]


def test_the_page_has_every_knob_and_an_example_of_it() -> None:
    assert {knob for knob, _ in ROWS if knob} == NAMES
    for knob, example in ROWS:
        if knob:
            assert re.search(rf"-{knob}(\d|-|$)", example), example
        from_name(example)


@pytest.mark.parametrize("example", [example for _, example in ROWS])
@pytest_twisted.ensureDeferred
async def test_a_knob_does_what_the_page_says(example: str, served: Served) -> None:
    if example in SPECIAL:
        await SPECIAL[example](served)
    else:
        CHECKS[example](await served.stream(example))


@check("mock-n5")
def _(got: Got) -> None:
    well_ended(got)
    assert len(texts(got)) == 5
    assert got.events[-1] == b"data: [DONE]"
    assert got.seen.events == 1 + 5 + 1 + 1


@check("mock-n5-s300")
def _(got: Got) -> None:
    well_ended(got)
    assert [len(block) + 2 for block in got.events[1:6]] == [300] * 5
    assert [int(text[:8]) for text in texts(got)] == [0, 1, 2, 3, 4]


@check("mock-n3-d20")
def _(got: Got) -> None:
    well_ended(got)
    assert got.seen.first_at is not None
    assert got.seen.last_at is not None
    # 6 chunks, 5 pauses
    assert got.seen.last_at - got.seen.first_at >= 0.095


@check("mock-n10-b4")
def _(got: Got) -> None:
    well_ended(got)
    assert [chunk.count(b"\n\n") for chunk in got.chunks] == [4, 4, 4, 1]


@check("mock-n3-c7")
def _(got: Got) -> None:
    well_ended(got)
    assert max(map(len, got.chunks)) == 7
    assert len(texts(got)) == 3


@check("mock-n1-f30")
def _(got: Got) -> None:
    well_ended(got)
    assert got.seen.head_at is not None
    assert got.seen.head_at - got.seen.received_at >= 0.029


@check("mock-n1-g30")
def _(got: Got) -> None:
    well_ended(got)
    assert got.seen.head_at is not None
    assert got.seen.first_at is not None
    assert got.seen.head_at - got.seen.received_at < 0.029
    assert got.seen.first_at - got.seen.head_at >= 0.029


@check("mock-stall3")
def _(got: Got) -> None:
    assert (got.ended, got.seen.state, len(got.events)) == ("open", "silent", 3)


@check("mock-rst3")
def _(got: Got) -> None:
    assert (got.ended, got.seen.state, len(got.events)) == ("rst", "cut", 3)


@check("mock-fin3")
def _(got: Got) -> None:
    assert (got.ended, got.seen.state, len(got.events)) == ("fin", "cut", 3)
    assert got.body.endswith(b"\n\n")


@check("mock-mid3")
def _(got: Got) -> None:
    assert (got.ended, got.seen.state, len(got.events)) == ("fin", "cut", 4)
    assert not got.body.endswith(b"\n")
    assert got.seen.events == 3


@check("mock-error3")
def _(got: Got) -> None:
    well_ended(got)
    assert len(got.events) == 4
    assert set(json.loads(got.events[3][6:])["error"]) == {
        "message",
        "type",
        "param",
        "code",
    }


@check("mock-malformed3")
def _(got: Got) -> None:
    well_ended(got)
    assert len(got.events) == WHOLE
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(got.events[3][6:])
    json.loads(got.events[4][6:])


@check("mock-status503")
def _(got: Got) -> None:
    assert (got.status, got.ended) == (503, "complete")
    assert got.json["error"]["type"] == "server_error"


@check("mock-status429-retry2")
def _(got: Got) -> None:
    assert (got.status, got.fields[b"retry-after"]) == (429, b"2")
    assert got.json["error"]["code"] == "rate_limit_exceeded"


@check("mock-linger")
def _(got: Got) -> None:
    assert (got.ended, got.seen.state) == ("open", "silent")
    assert got.events[-1] == b"data: [DONE]"


@check("mock-noterm")
def _(got: Got) -> None:
    well_ended(got)
    assert len(got.events) == WHOLE - 1
    assert b'"finish_reason":"stop"' in got.events[-1]


@check("mock-nofinish")
def _(got: Got) -> None:
    well_ended(got)
    assert len(got.events) == WHOLE - 2
    assert b'"finish_reason":"stop"' not in got.body


@check("mock-json")
def _(got: Got) -> None:
    well_ended(got)
    assert got.fields[b"content-type"] == b"application/json"
    assert got.json["object"] == "chat.completion"


@check("mock-gzip")
def _(got: Got) -> None:
    well_ended(got)
    assert got.fields[b"content-encoding"] == b"gzip"
    assert gzip.decompress(got.body).endswith(b"data: [DONE]\n\n")
    # Each chunk can be read when it is there.
    first = zlib.decompressobj(wbits=31).decompress(got.chunks[0])
    assert first.endswith(b"\n\n")


@check("mock-n2-comments")
def _(got: Got) -> None:
    well_ended(got)
    assert got.chunks[::2] == [b": ping\n\n"] * 5
    assert got.seen.events == 5


@check("mock-n2-crlf")
def _(got: Got) -> None:
    well_ended(got)
    assert got.body.count(b"\r\n\r\n") == 5
    assert got.body.count(b"\n") == got.body.count(b"\r\n")


@check("mock-n2-cr")
def _(got: Got) -> None:
    well_ended(got)
    assert got.body.count(b"\r\r") == 5
    assert b"\n" not in got.body


@check("mock-usage")
def _(got: Got) -> None:
    well_ended(got)
    usage = json.loads(got.events[-2][6:])
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(texts(got))


@check("mock-n2-eof")
def _(got: Got) -> None:
    well_ended(got)
    assert b"transfer-encoding" not in got.fields
    assert got.body.endswith(b"[DONE]\n\n")


@check("mock-n2-close")
def _(got: Got) -> None:
    well_ended(got)
    assert got.fields[b"connection"] == b"close"
    assert got.fields[b"transfer-encoding"] == b"chunked"


@check("mock-n2-hints")
def _(got: Got) -> None:
    well_ended(got)
    assert got.hints == 1


@check("mock-tools")
def _(got: Got) -> None:
    well_ended(got)
    assert got.body.count(b'"type":"function"') == 2
    assert b'"finish_reason":"tool_calls"' in got.body


async def endless(served: Served) -> None:
    client = await served.connect()
    client.transport.write(post(CHAT, chat("mock-endless-s1000")))
    await client.until(lambda: len(client.data) > 1_000_000)
    await client.leave()
    seen = served.mock.requests[0]
    await served.mock.until(lambda: seen.left)
    assert seen.events > 900


async def bad_crc(served: Served) -> None:
    got = await served.converse("mock-badcrc3")
    well_ended(got)
    frames = EventStreamBuffer()
    frames.add_data(got.body)
    for _ in range(3):
        next(frames)
    with pytest.raises(ChecksumMismatch):
        next(frames)


async def first(served: Served) -> None:
    answers = [await served.stream("mock-status500-first2") for _ in range(3)]
    assert [got.status for got in answers] == [500, 500, 200]


async def no_head(served: Served) -> None:
    client = await served.connect()
    client.transport.write(post(CHAT, chat("mock-nohead")))
    await served.mock.until(lambda: bool(served.mock.requests))
    seen = served.mock.requests[0]
    await served.mock.until(lambda: seen.state == "silent")
    await client.leave()
    await served.mock.until(lambda: seen.left)
    assert (bytes(client.data), seen.status) == (b"", None)


async def no_usage(served: Served) -> None:
    options = {"include_usage": True}
    got = await served.stream("mock-nousage", stream_options=options)
    well_ended(got)
    assert b"usage" not in got.body


SPECIAL = {
    "mock-endless-s1000": endless,
    "mock-badcrc3": bad_crc,
    "mock-status500-first2": first,
    "mock-nohead": no_head,
    "mock-nousage": no_usage,
}
