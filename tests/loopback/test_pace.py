"""Frames reach the client when they come, as they come."""

from __future__ import annotations

from itertools import pairwise

import pytest
import pytest_twisted

from .client import chat, post, reactor
from .conftest import Open

#: Role, texts, finish reason, [DONE]: what stands around the texts of a chat stream.
_AROUND = 3


@pytest.mark.parametrize(("flush", "pace"), [(0, 50), (10, 50), (50, 80)])
@pytest_twisted.ensureDeferred
async def test_spaced_frames_arrive_as_spaced_byte_for_byte_and_undelayed(
    house: Open, flush: int, pace: int
) -> None:
    here = house(streaming_flush_interval_ms=flush)
    client = await here.ask(post(chat(f"mock-n8-d{pace}")))
    seen = await here.seen()
    sent: list[float] = []
    while len(sent) < 8 + _AROUND:
        await here.mock.until(lambda: seen.events > len(sent))
        sent.append(reactor.seconds())
    answer = await client.ended()
    assert answer.status == 200
    assert answer.body == bytes(seen.sent)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    came = [at for at, data in client.reads if b"data: " in data]
    assert len(came) == len(sent)
    gaps = [later - at for at, later in pairwise(came)]
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(pace / 1000, rel=0.25)
    assert max(gaps) < 4 * pace / 1000
    delays = [at - since for at, since in zip(came, sent, strict=True)]
    assert sorted(delays)[len(delays) // 2] < 0.005
    assert max(delays) < 0.04


@pytest_twisted.ensureDeferred
async def test_the_usage_chunk_asked_for_on_our_account_is_all_that_is_missing(
    house: Open,
) -> None:
    here = house(stream_usage="hide", streaming_flush_interval_ms=0)
    client = await here.ask(post(chat("mock-n5-c7")))
    answer = await client.ended()
    seen = await here.seen()
    sent = bytes(seen.sent).split(b"\n\n")
    kept = [block for block in sent if b'"choices":[]' not in block]
    assert len(kept) == len(sent) - 1
    assert answer.body == b"\n\n".join(kept)
    assert (await here.record()).usage_state == "reported"
