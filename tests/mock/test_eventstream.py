"""botocore reads every frame the mock provider sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_twisted
from botocore.eventstream import EventStreamBuffer, EventStreamMessage, ParserError

from .client import Got, Served, post


def frames(data: bytes) -> list[EventStreamMessage]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


def said(messages: list[EventStreamMessage]) -> list[tuple[str, Any]]:
    """(event type, payload) of each."""
    return [
        (message.headers[":event-type"], json.loads(message.payload))
        for message in messages
    ]


def text(events: list[tuple[str, Any]]) -> str:
    return "".join(
        payload["delta"]["text"] for kind, payload in events if kind.endswith("Delta")
    )


@pytest_twisted.ensureDeferred
async def test_a_stream_has_all_frames_of_converse_stream(served: Served) -> None:
    got = await served.converse("mock")
    assert got.fields[b"content-type"] == b"application/vnd.amazon.eventstream"
    events = said(frames(got.body))
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "messageStart"
    assert set(kinds[1:-3]) == {"contentBlockDelta"}
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert events[-2][1]["stopReason"] == "end_turn"
    assert events[-1][1]["usage"]["outputTokens"] == len(kinds) - 4
    whole = await served.ask(post("/model/mock/converse", {"messages": []}))
    assert text(events) == whole.json["output"]["message"]["content"][0]["text"]


@pytest_twisted.ensureDeferred
async def test_content_is_made_to_measure(served: Served) -> None:
    got = await served.converse("mock-n5-s200-c3")
    messages = frames(got.body)
    assert [message.prelude.total_length for message in messages[1:6]] == [200] * 5
    events = said(messages)
    assert [int(event[1]["delta"]["text"][:8]) for event in events[1:6]] == [*range(5)]
    assert events[-1][1]["usage"]["outputTokens"] == 5
    whole = await served.ask(post("/model/mock-n5-s200/converse", {"messages": []}))
    assert text(events) == whole.json["output"]["message"]["content"][0]["text"]
    assert whole.json["usage"]["outputTokens"] == 5


@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_an_exception_frame(served: Served) -> None:
    got = await served.converse("mock-error2")
    assert got.ended == "complete"
    messages = frames(got.body)
    assert len(messages) == 3
    assert messages[2].headers[":message-type"] == "exception"
    assert messages[2].headers[":exception-type"] == "internalServerException"
    assert messages[2].to_response_dict()["status_code"] == 400


@pytest_twisted.ensureDeferred
async def test_a_malformed_frame_cannot_be_parsed(served: Served) -> None:
    got = await served.converse("mock-malformed0")
    with pytest.raises((ParserError, ValueError)):
        frames(got.body)


@pytest_twisted.ensureDeferred
async def test_a_cut_in_a_frame_leaves_half_of_it(served: Served) -> None:
    got = await served.converse("mock-mid2")
    assert got.ended == "fin"
    assert len(frames(got.body)) == 2
    assert len(got.body) > sum(f.prelude.total_length for f in frames(got.body))


def unterminated(got: Got) -> list[str]:
    return [kind for kind, _ in said(frames(got.body))]


@pytest_twisted.ensureDeferred
async def test_terminal_and_finish_can_be_left_out(served: Served) -> None:
    assert unterminated(await served.converse("mock-noterm"))[-1] == "messageStop"
    assert unterminated(await served.converse("mock-nofinish"))[-1] == (
        "contentBlockStop"
    )


@pytest_twisted.ensureDeferred
async def test_usage_can_be_left_out_of_metadata(served: Served) -> None:
    events = said(frames((await served.converse("mock-nousage")).body))
    assert set(events[-1][1]) == {"metrics", "p"}


@pytest_twisted.ensureDeferred
async def test_errors_are_told_as_aws_tells_them(served: Served) -> None:
    got = await served.converse("mock-status429-retry1")
    assert (got.status, got.fields[b"retry-after"]) == (429, b"1")
    assert got.fields[b"x-amzn-errortype"] == b"ThrottlingException"
    assert set(got.json) == {"message"}
    got = await served.ask(post("/model/mock/converse", b"no json"))
    assert got.status == 400
    assert got.fields[b"x-amzn-errortype"] == b"ValidationException"


@pytest_twisted.ensureDeferred
async def test_tokens_are_counted_of_exactly_one_request(served: Served) -> None:
    counted = await served.ask(
        post("/model/mock/count-tokens", {"input": {"converse": {"messages": []}}})
    )
    assert json.loads(counted.body) == {"inputTokens": 14}
    refused = await served.ask(post("/model/mock/count-tokens", {"input": {}}))
    assert refused.status == 400
