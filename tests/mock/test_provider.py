"""Connections, what is remembered, and what is refused."""

from __future__ import annotations

import base64
import json

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from aigw.mock import Mock

from .client import CHAT, Client, Served, chat, post


def connected(mock: Mock) -> tuple[StringTransport, Client]:
    protocol = mock.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    return transport, protocol


@pytest_twisted.ensureDeferred
async def test_a_connection_serves_requests_in_turn(served: Served) -> None:
    client = await served.connect()
    client.transport.write(post("/echo/1", b"") + post("/echo/2", b""))
    await served.mock.until(lambda: len(served.mock.requests) == 2)
    seen = served.mock.requests
    await served.mock.until(lambda: seen[1].state == "complete")
    assert seen[0].connection == seen[1].connection
    assert seen[0].ended_at <= seen[1].head_at


@pytest_twisted.ensureDeferred
async def test_an_echo_shows_what_came(served: Served) -> None:
    got = await served.ask(post("/echo/a%20b?c=d", b"\xff\x00", "X-Case: One"))
    assert got.json["method"] == "POST"
    assert got.json["target"] == "/echo/a%20b?c=d"
    assert ["X-Case", "One"] in got.json["headers"]
    assert got.json["body"] is None
    assert base64.b64decode(got.json["body_base64"]) == b"\xff\x00"


@pytest_twisted.ensureDeferred
async def test_the_header_wins_over_the_name(served: Served) -> None:
    request = post(CHAT, chat("mock-status500"), "X-Mock: n=2, noterm")
    got = await served.ask(request)
    assert (got.status, len(got.events)) == (200, 4)


@pytest.mark.parametrize(
    ("model", "stream", "named"),
    [
        ("mock-nonsense", True, "nonsense"),
        ("mock-n", True, "n needs a number"),
        ("mock-badcrc1", True, "badcrc"),
        ("mock-endless", False, "endless"),
        ("mock-comments", False, "comments"),
        ("mock-tools-n5", True, "tools"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_knob_that_cannot_be_followed_is_refused(
    model: str, stream: bool, named: str, served: Served
) -> None:
    got = await served.ask(post(CHAT, chat(model, stream)))
    assert got.status == 400
    assert named in got.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHAT, b"{", 400),
        (CHAT, b"[]", 400),
        (CHAT, {"messages": []}, 400),
        (CHAT, {"model": "mock"}, 400),
        ("/v1/nowhere", {}, 404),
        ("/v1/models", {}, 404),
        ("/model/mock/nowhere", {}, 404),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_vendor_refuses_is_refused(
    path: str, body: object, status: int, served: Served
) -> None:
    got = await served.ask(post(path, body))
    assert got.status == status
    assert set(got.json["error"]) == {"message", "type", "param", "code"}


@pytest_twisted.ensureDeferred
async def test_stream_and_whole_answer_say_the_same(served: Served) -> None:
    for model in ("mock", "mock-n40", "mock-n3-s400"):
        stream = await served.stream(model)
        chunks = [json.loads(block[6:]) for block in stream.events[:-1]]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        text = "".join(delta.get("content", "") for delta in deltas)
        whole = await served.ask(post(CHAT, chat(model, stream=False)))
        assert whole.json["choices"][0]["message"]["content"] == text
        assert whole.json["usage"]["completion_tokens"] == len(chunks) - 2


@pytest_twisted.ensureDeferred
async def test_a_whole_answer_can_be_broken_too(served: Served) -> None:
    async def answer(knobs: str) -> tuple[str, int, int]:
        got = await served.ask(post(CHAT, chat(f"mock-{knobs}", stream=False)))
        return got.ended, len(got.body), int(got.fields[b"content-length"])

    complete, size, told = await answer("b1")
    assert (complete, size) == ("complete", told)
    assert await answer("mid0") == ("fin", size // 2, size)
    assert await answer("rst0") == ("rst", 0, size)
    assert await answer("stall0") == ("open", 0, size)
    assert await answer("malformed0") == ("complete", size * 2 // 3, size * 2 // 3)
    got = await served.ask(post(CHAT, chat("mock-error0", stream=False)))
    assert (got.status, list(got.json)) == (200, ["error"])


@pytest_twisted.ensureDeferred
async def test_stats_tell_what_was_seen_and_forget_when_asked(served: Served) -> None:
    await served.stream("mock-n2-fin2")
    request = b"GET /stats?reset=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    for seen_before in (1, 0):
        client = await served.connect()
        client.transport.write(request)
        await client.until(lambda client=client: client.data.endswith(b"}"))
        stats = json.loads(client.data.partition(b"\r\n\r\n")[2])
        assert stats["requests"] == len(stats["seen"]) == seen_before
        if seen_before:
            seen = stats["seen"][0]
            assert seen["line"] == "POST /v1/chat/completions HTTP/1.1"
            assert (seen["state"], seen["events"], seen["status"]) == ("cut", 2, 200)
            assert json.loads(seen["body"])["model"] == "mock-n2-fin2"


@pytest_twisted.ensureDeferred
async def test_what_was_sent_is_kept(served: Served) -> None:
    got = await served.stream("mock-n2-gzip")
    assert bytes(got.seen.sent) == got.body
    assert got.seen.sent_bytes == len(got.body)


def test_no_more_than_asked_is_kept() -> None:
    mock = Mock(Clock(), keep=2, keep_bytes=10)
    transport, protocol = connected(mock)
    for _ in range(3):
        protocol.dataReceived(post(CHAT, chat("mock", stream=False)))
    assert [seen.number for seen in mock.requests] == [2, 3]
    assert mock.stats()["requests"] == 3
    assert all(len(seen.sent) == 10 for seen in mock.requests)
    assert transport.value().count(b"HTTP/1.1 200 OK") == 3


def test_chunks_leave_at_their_times() -> None:
    clock = Clock()
    mock = Mock(clock)
    transport, protocol = connected(mock)
    protocol.dataReceived(post(CHAT, chat("mock-n1-f100-g50-d20")))
    (seen,) = mock.requests
    counts = []
    clock.advance(0.001)  # so that no sample falls on a chunk's own time
    for _ in range(10):
        counts.append((round(clock.seconds() * 1000), seen.status, seen.events))
        clock.pump([0.001] * 25)
    assert counts == [
        (1, None, 0),
        (26, None, 0),
        (51, None, 0),
        (76, None, 0),
        (101, 200, 0),
        (126, 200, 0),
        (151, 200, 1),
        (176, 200, 2),
        (201, 200, 3),
        (226, 200, 4),
    ]
    assert transport.value().endswith(b"0\r\n\r\n")
    assert transport.producer is None


def test_a_full_transport_stops_the_stream_until_it_empties() -> None:
    clock = Clock()
    mock = Mock(clock)
    transport, protocol = connected(mock)
    protocol.dataReceived(post(CHAT, chat("mock-endless-d10")))
    (seen,) = mock.requests
    transport.producer.pauseProducing()
    events = seen.events
    assert not clock.getDelayedCalls()
    clock.advance(1)
    assert (seen.events, seen.paused) == (events, 1)
    transport.producer.resumeProducing()
    clock.advance(0.01)
    assert seen.events > events
    protocol.connectionLost()
    assert not clock.getDelayedCalls()
    assert seen.left


def test_comments_go_on_in_a_stall() -> None:
    clock = Clock()
    mock = Mock(clock)
    transport, protocol = connected(mock)
    protocol.dataReceived(post(CHAT, chat("mock-d10-stall2-comments")))
    clock.pump([0.01] * 10)
    (seen,) = mock.requests
    assert seen.events == 2
    assert transport.value().count(b": ping") == 2 + 7
    protocol.connectionLost()


def test_a_peer_that_leaves_is_noticed_in_every_phase() -> None:
    for model in ("mock-f50", "mock-nohead", "mock-d50", "mock-stall2", "mock-linger"):
        clock = Clock()
        mock = Mock(clock)
        _, protocol = connected(mock)
        protocol.dataReceived(post(CHAT, chat(model)) + post("/echo", b""))
        clock.advance(0.01)
        protocol.connectionLost()
        assert [(seen.state, seen.left_at) for seen in mock.requests] == [
            ("left", 0.01),
            ("left", 0.01),
        ], model
        assert not mock.connections
        assert not clock.getDelayedCalls()


def test_what_is_not_http_is_refused_and_closed() -> None:
    mock = Mock(Clock())
    transport, protocol = connected(mock)
    protocol.dataReceived(b"nonsense\r\n\r\n")
    assert transport.value().startswith(b"HTTP/1.1 400 ")
    assert transport.disconnecting


def test_http_1_0_gets_a_body_that_ends_with_the_connection() -> None:
    mock = Mock(Clock())
    transport, protocol = connected(mock)
    request = post(CHAT, chat("mock-n1")).replace(b"HTTP/1.1", b"HTTP/1.0")
    protocol.dataReceived(request)
    assert b"chunked" not in transport.value()
    assert transport.value().endswith(b"[DONE]\n\n")
    assert transport.disconnecting


def test_a_head_request_gets_a_head() -> None:
    mock = Mock(Clock())
    transport, protocol = connected(mock)
    protocol.dataReceived(b"HEAD /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
    assert transport.value().endswith(b"\r\n\r\n")
    assert b"Content-Length: " in transport.value()
