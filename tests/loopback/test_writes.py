"""How many writes an answer leaves in. Each write of a front is one chunk."""

from __future__ import annotations

import pytest_twisted

from .client import chat, post
from .conftest import Open


@pytest_twisted.ensureDeferred
async def test_a_burst_leaves_in_at_most_four_writes_with_a_flush(house: Open) -> None:
    here = house(streaming_flush_interval_ms=10)
    client = await here.ask(post(chat("mock-n100")))
    answer = await client.ended()
    assert answer.body == bytes((await here.seen()).sent)
    assert answer.body.count(b"data: ") == 103
    assert len(answer.pieces) <= 4


@pytest_twisted.ensureDeferred
async def test_a_burst_leaves_in_no_more_writes_than_it_came_in_without_a_flush(
    house: Open,
) -> None:
    here = house(streaming_flush_interval_ms=0)
    client = await here.ask(post(chat("mock-n100")))
    answer = await client.ended()
    assert answer.body == bytes((await here.seen()).sent)
    # The provider writes 32 chunks a turn: 103 of them come in four reads, or, where a
    # turn of ours falls between two sends of its, five.
    assert len(answer.pieces) <= 5


@pytest_twisted.ensureDeferred
async def test_frames_faster_than_the_flush_leave_once_an_interval(house: Open) -> None:
    here = house(streaming_flush_interval_ms=50)
    client = await here.ask(post(chat("mock-n100-d2")))
    answer = await client.ended()
    assert answer.body == bytes((await here.seen()).sent)
    lasted = client.reads[-1][0] - client.reads[0][0]
    # The first leaves at once, and what ends the stream with all before it.
    assert len(answer.pieces) <= lasted / 0.05 + 3
    assert lasted > 0.15


@pytest_twisted.ensureDeferred
async def test_without_a_flush_each_read_of_the_provider_is_one_write(
    house: Open,
) -> None:
    here = house(streaming_flush_interval_ms=0)
    # 103 events, ten in a chunk, far enough apart to be a read each.
    client = await here.ask(post(chat("mock-n100-b10-d30")))
    answer = await client.ended()
    assert answer.body == bytes((await here.seen()).sent)
    assert [piece.count(b"data: ") for piece in answer.pieces] == [10] * 10 + [3]


@pytest_twisted.ensureDeferred
async def test_head_and_first_bytes_arrive_together(house: Open) -> None:
    here = house()
    # The provider's own head comes 30 ms before its first bytes.
    client = await here.ask(post(chat("mock-n3-d30-g30")))
    await client.ended()
    _, first = client.reads[0]
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"data: " in first
