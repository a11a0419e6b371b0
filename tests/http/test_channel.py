"""The daemon's own front: connections, limits, timeouts, refusals."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from aigw.errors import GatewayError
from aigw.http.limits import Limits
from aigw.http.refused import Refused
from aigw.testing.downstream_check import Producer
from aigw.testing.front import FrontPair
from tests.fronts.bench import Bench, started

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LIMITS = Limits()


@pytest.fixture
def front() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def opened(**settings: Any) -> Bench:
    return Bench("channel", **settings)


def status(front: Bench) -> int:
    return int(front.received().split(b" ", 2)[1])


def ok(front: Bench, number: int = -1) -> None:
    """Answer a request."""
    downstream = front.served[number]
    downstream.start(204, [])
    downstream.finish()


# -- what leaves, and in how many writes


def test_head_body_and_end_leave_in_one_write(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [(b"content-length", b"5")])
    downstream.write(b"hello")
    downstream.finish()
    assert len(front.wire.writes) == 1


def test_head_and_first_event_leave_in_one_write_and_each_further_one_in_one(
    front: Bench,
) -> None:
    downstream = front.request()
    downstream.start(200, [])
    downstream.write(b"data: 1\n\n")
    assert len(front.wire.writes) == 1
    downstream.write(b"data: 2\n\n")
    assert len(front.wire.writes) == 2


def test_a_head_begun_in_the_turn_of_its_request_leaves_in_that_turn() -> None:
    async def serve(downstream: Any) -> None:
        downstream.start(200, [])
        await ended

    ended: Deferred[None] = Deferred()
    front = opened()
    front.front.serve = serve
    front.wire.arrive(GET)
    assert front.received().startswith(b"HTTP/1.1 200 OK\r\n")
    ended.callback(None)
    front.close()


def test_the_date_is_made_once_a_second() -> None:
    now = [1_800_000_000.2]
    front = opened()
    front.front.replies._time = lambda: now[0]
    dates = []
    for later in (0.0, 0.5, 0.5):
        now[0] += later
        front.request()
        ok(front)
        dates.append(front.answer()[1][b"date"])
    assert dates[0] == dates[1] == b"Fri, 15 Jan 2027 08:00:00 GMT"
    assert dates[2] == b"Fri, 15 Jan 2027 08:00:01 GMT"
    front.close()


def test_no_value_can_begin_another_field_or_answer(front: Bench) -> None:
    downstream = front.request()
    evil = b"x\r\nSet-Cookie: a\r\n\r\nHTTP/1.1 200 OK\0"
    downstream.start(200, [(b"x-a", evil), (b"x-b\r\nx-c", b"y")])
    downstream.finish()
    _, fields, _ = front.answer()
    assert b"set-cookie" not in fields
    assert b"x-c" not in fields
    assert b"\0" not in fields[b"x-a"]


def test_fields_of_the_connection_are_the_fronts_own(front: Bench) -> None:
    downstream = front.request()
    fields = [(b"connection", b"close"), (b"transfer-encoding", b"gzip")]
    downstream.start(200, [*fields, (b"date", b"x"), (b"content-length", b"0")])
    downstream.finish()
    _, told, _ = front.answer()
    assert b"connection" not in told
    assert b"transfer-encoding" not in told
    assert told[b"date"] != b"x"


def test_an_answer_longer_than_its_length_is_truncated_and_the_connection_closed(
    front: Bench,
) -> None:
    downstream = front.request()
    downstream.start(200, [(b"content-length", b"2")])
    downstream.write(b"abc")
    downstream.write(b"def")
    downstream.finish()
    assert front.answer()[2] == b"ab"
    assert front.wire.ended == "fin"


def test_an_answer_shorter_than_its_length_closes_the_connection(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [(b"content-length", b"3")])
    downstream.write(b"ab")
    downstream.finish()
    front.settle()
    assert front.wire.ended == "fin"


def test_204_tells_no_length(front: Bench) -> None:
    front.request().start(204, [(b"content-length", b"0")])
    front.served[0].finish()
    assert b"content-length" not in front.answer()[1]


def test_a_cut_before_the_head_sends_nothing(front: Bench) -> None:
    front.request().cut()
    front.settle()
    assert front.received() == b""
    assert front.wire.ended == "fin"


def test_a_reset_waits_until_the_client_has_what_was_queued() -> None:
    front = opened()
    downstream = front.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    front.wire.fill()
    downstream.write(b"x")
    downstream.cut()
    front.pass_time(2)
    assert front.wire.ended == ""
    front.wire.empty()
    front.settle()
    assert front.wire.ended == "rst"
    front.close()


# -- pipelining


def test_many_waiting_requests_are_served_without_recursion() -> None:
    count = 16 * 1024 // len(GET)

    async def serve(downstream: Any) -> None:
        downstream.start(204, [])
        downstream.finish()

    front = opened()
    front.request()
    front.front.serve = serve
    front.send(GET * count)
    ok(front, 0)
    assert front.received().count(b"HTTP/1.1 204") == count + 1
    front.close()


def test_more_than_may_wait_is_refused_after_the_answer_under_way() -> None:
    refused: list[tuple[Refused, GatewayError]] = []
    front = opened(refused=lambda *told: refused.append(told))
    front.request()
    front.send(GET + b"GET /" + b"a" * LIMITS.waiting)
    front.send(b"more")
    assert front.received() == b""
    ok(front)
    first, second = front.received().split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"204 ")
    assert second.startswith(b"400 ")
    assert len(front.served) == 1
    assert len(refused) == 1
    assert front.wire.ended == "half"
    front.close()


def test_a_client_that_floods_is_read_no_more_until_its_answer_is_over() -> None:
    front = opened(limits=Limits(discarded=100_000))
    front.request()
    for _ in range(10):
        front.wire.arrive(b"x" * 20_000)
    assert not front.wire.reading
    ok(front)
    assert front.wire.reading
    front.close()


def test_no_request_is_begun_for_a_client_that_takes_no_answers() -> None:
    front = opened()
    front.request()
    front.send(GET)
    front.wire.fill()
    ok(front)
    assert len(front.served) == 1
    front.wire.empty()
    assert len(front.served) == 2
    front.close()


def test_a_client_that_takes_no_answers_is_closed_in_the_end() -> None:
    front = opened()
    front.request()
    front.wire.fill()
    ok(front)
    front.pass_time(LIMITS.idle_timeout + LIMITS.close_timeout + 1)
    assert front.wire.ended == "rst"
    front.close()


# -- timeouts


def test_a_silent_connection_is_closed_without_a_word(front: Bench) -> None:
    front.pass_time(LIMITS.head_timeout - 1)
    assert front.wire.ended == ""
    front.pass_time(2)
    assert front.wire.ended == "fin"
    assert front.received() == b""


def test_a_head_that_drips_in_is_refused() -> None:
    refused: list[tuple[Refused, GatewayError]] = []
    front = opened(refused=lambda *told: refused.append(told))
    for byte in b"POST /a?b HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyy":
        front.wire.arrive(bytes([byte]))
        front.pass_time(1)
    assert status(front) == 408
    assert [(r.method, r.path, r.status) for r, _ in refused] == [("POST", "/a", 408)]
    front.close()


def test_a_connection_may_be_idle_between_requests(front: Bench) -> None:
    front.request()
    ok(front)
    front.pass_time(LIMITS.idle_timeout - 1)
    front.request()
    ok(front)
    front.pass_time(LIMITS.idle_timeout - 1)
    assert front.wire.ended == ""
    front.pass_time(2)
    assert front.wire.ended == "fin"


def test_an_exchange_may_take_its_time(front: Bench) -> None:
    front.request()
    front.pass_time(600)
    assert front.wire.ended == ""
    ok(front)
    assert status(front) == 204


def test_the_head_of_a_second_request_has_its_own_time(front: Bench) -> None:
    front.request()
    ok(front)
    front.received()
    front.pass_time(70)
    front.send(b"GET / HT")
    front.pass_time(LIMITS.head_timeout - 1)
    front.send(b"TP/1.1\r\nHost: a\r\n\r\n")
    assert len(front.served) == 2


def test_an_empty_line_alone_is_no_request_to_refuse(front: Bench) -> None:
    front.send(b"\r\n")
    front.pass_time(LIMITS.head_timeout + 1)
    assert front.received() == b""
    assert front.wire.ended == "fin"


# -- refusals


def test_a_refusal_is_told_once_and_the_connection_closed_behind_it() -> None:
    refused: list[tuple[Refused, GatewayError]] = []
    front = opened(refused=lambda *told: refused.append(told))
    front.send(b"GET /secret?key=k HTTP/9.9\r\nHost: a\r\n\r\n" + GET)
    line, fields, body = front.answer()
    assert line == b"HTTP/1.1 505 HTTP Version Not Supported"
    assert fields[b"content-type"] == b"application/json"
    assert fields[b"connection"] == b"close"
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    ((told, error),) = refused
    assert (told.method, told.path) == ("GET", "/secret")
    assert (told.peer, told.scheme) == ("192.0.2.7", "http")
    assert (told.status, told.sent) == (505, len(body)) == (error.status, len(body))
    assert not front.served
    assert front.wire.ended == "half"
    front.close()


def test_what_follows_a_refusal_is_thrown_away_within_bounds() -> None:
    front = opened(limits=Limits(discarded=100_000))
    front.send(b"nonsense\r\n\r\n")
    for _ in range(5):
        front.wire.arrive(b"x" * 20_000)
    assert front.wire.ended == "half"
    front.wire.arrive(b"x" * 20_000)
    assert front.wire.ended == "rst"
    front.close()


def test_who_does_not_leave_after_a_refusal_is_dropped(front: Bench) -> None:
    front.send(b"nonsense\r\n\r\n")
    front.pass_time(LIMITS.close_timeout + 1)
    assert front.wire.ended == "rst"


def test_refusals_can_be_shaped_by_the_path() -> None:
    hints: list[str] = []

    def refuse(error: GatewayError, path: str, /) -> Any:
        hints.append(path)
        return 418, [(b"content-length", b"3")], b"no!"

    front = opened(refuse=refuse)
    front.send(b"POST /v1/messages HTTP/3.0\r\nHost: a\r\n\r\n")
    line, _, body = front.answer()
    assert (line, body) == (b"HTTP/1.1 418 I'm a Teapot", b"no!")
    assert hints == ["/v1/messages"]
    front.close()


# -- connections


def test_the_channel_keeps_a_producers_interface(front: Bench) -> None:
    assert verifyObject(IPushProducer, front.wire.protocol)


def test_a_client_that_registers_none_may_be_slow(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [])
    front.wire.fill()
    downstream.write(b"x")
    front.wire.empty()
    producer = Producer()
    downstream.register(producer)
    assert producer.calls == []


def test_too_many_connections_are_told_and_far_too_many_refused() -> None:
    refused: list[tuple[Refused, GatewayError]] = []
    front = opened(max_connections=2, refused=lambda *told: refused.append(told))
    second, third = front.connect(), front.connect()
    third.arrive(GET)
    assert third.take().startswith(b"HTTP/1.1 503 ")
    assert third.ended == "half"
    assert [error.kind for _, error in refused] == ["unavailable"]
    front.request()
    assert len(front.served) == 1
    second.reset()
    third.reset()
    front.connect().arrive(GET)
    assert len(front.served) == 2
    while len(front.front.channels) < 66:
        front.connect()
    assert front.front.buildProtocol(None) is None
    front.front.drop()
    front.close()


def test_draining_closes_the_idle_and_lets_the_others_finish() -> None:
    front = opened()
    idle = front.connect()
    downstream = front.request()
    downstream.start(200, [])
    downstream.write(b"x")
    front.front.drain()
    front.front.drain()
    assert idle.ended == "fin"
    assert front.wire.ended == ""
    downstream.finish()
    front.settle()
    assert front.wire.ended == "fin"
    front.close()


def test_answers_begun_while_draining_are_the_last() -> None:
    front = opened()
    front.request()
    front.front.drain()
    ok(front)
    assert front.answer()[1][b"connection"] == b"close"
    assert front.wire.ended == "fin"
    front.close()


def test_dropping_tells_the_exchanges_that_their_clients_left() -> None:
    front = opened()
    downstream = front.request()
    lost: list[int] = []
    downstream.on_lost = lambda: lost.append(1)
    front.front.drop()
    front.settle()
    assert lost == [1]
    assert front.wire.ended == "rst"
    assert not front.front.channels
    front.close()


def test_nothing_of_an_exchange_stays_with_its_connection(front: Bench) -> None:
    front.request(b"POST / HTTP/1.1", body=b"x")
    front.served[0].on_lost = lambda: None
    ok(front)
    channel = front.wire.protocol
    assert channel._answer is channel._incoming is None
    assert front.served[0].on_lost is None
    assert front.front.budget.held == 0


# -- who the client is


@pytest.mark.parametrize(
    ("fields", "peer"),
    [
        ((), "10.0.0.9"),
        ((b"X-Forwarded-For: 198.51.100.1",), "198.51.100.1"),
        ((b"X-Forwarded-For: 203.0.113.5, 198.51.100.1",), "198.51.100.1"),
        ((b"X-Forwarded-For: 203.0.113.5, 10.1.1.1",), "203.0.113.5"),
        (
            (b"X-Forwarded-For: 203.0.113.5", b"X-Forwarded-For: 10.1.1.1"),
            "203.0.113.5",
        ),
        ((b"X-Forwarded-For: nobody, 10.1.1.1",), "10.1.1.1"),
        ((b"X-Forwarded-For: [2001:db8::1]:443",), "2001:db8::1"),
        ((b"X-Forwarded-For: 198.51.100.1:4711",), "198.51.100.1"),
        ((b"X-Forwarded-For: ::ffff:198.51.100.1",), "198.51.100.1"),
        ((b"X-Forwarded-For: ",), "10.0.0.9"),
    ],
)
def test_a_trusted_proxy_names_the_client(fields: tuple[bytes, ...], peer: str) -> None:
    address = IPv4Address("TCP", "10.0.0.9", 1)
    front = opened(peer=address, trusted_proxies=("10.0.0.0/8",))
    assert front.request(b"GET / HTTP/1.1", *fields).peer == peer
    front.close()


def test_nobody_else_names_the_client() -> None:
    front = opened(trusted_proxies=("10.0.0.0/8",))
    told = front.request(b"GET / HTTP/1.1", b"X-Forwarded-For: 198.51.100.1")
    assert told.peer == "192.0.2.7"
    front.close()


def test_a_request_behind_a_delivered_answer_is_no_pipelining() -> None:
    front = opened()
    first = front.request()
    first.start(200, [(b"content-length", b"2")])
    first.write(b"ok")
    body = b"x" * 100_000
    front.wire.arrive(b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
    front.wire.arrive(body)
    assert len(front.served) == 1
    first.finish()
    front.settle()
    read = started(front.served[1].read(1 << 20))
    front.settle()
    assert read == [body]
    front.close()


def test_connections_and_requests_leave_no_cycles() -> None:
    async def serve(downstream: Any) -> None:
        downstream.on_lost = lambda: None
        seen.append(weakref.ref(downstream))
        await downstream.read(100)
        downstream.start(200, [])
        downstream.write(b"x")
        downstream.finish()

    seen: list[Any] = []
    front = FrontPair(serve)
    gc.collect()
    gc.disable()
    try:
        for rest in (b"6\r\n\r\nabcdef", b"6\r\n\r\nabc"):
            front.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + rest)
        front.send(b"def")
        seen.append(weakref.ref(front.wire.protocol))
        front.wire.leave()
        front.wire.protocol = None
        front.settle()
        assert [each() for each in seen] == [None] * 3
    finally:
        gc.enable()
    front.close()


def test_a_refusal_tells_of_its_request_however_it_was_cut() -> None:
    refused: list[tuple[Refused, GatewayError]] = []
    front = opened(refused=lambda *told: refused.append(told))
    for byte in b"GET /a HTTP/1.1\r\nHost: b\r\nHost: c\r\n\r\n":
        front.wire.arrive(bytes([byte]))
    assert [(told.method, told.path) for told, _ in refused] == [("GET", "/a")]
    front.close()
