"""The front for embedders keeps IDownstream's promises over twisted.web."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site
from zope.interface.verify import verifyObject

from aigw.errors import BodyTooLarge
from aigw.http.held import HeldBody
from aigw.http.resource import GatewayResource, RequestDownstream
from aigw.http.site import GatewaySite
from aigw.interfaces import IBodySource, IDownstream


class Producer:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class Wire(StringTransport):
    """A transport in memory that knows how it was ended."""

    aborted = False

    def __init__(self, peer: Any = None) -> None:
        super().__init__(peerAddress=peer or IPv4Address("TCP", "192.0.2.7", 1234))

    def abortConnection(self) -> None:
        self.aborted = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        if not streaming:
            producer.resumeProducing()  # as sockets do it

    def startWriting(self) -> None:
        pass

    def unregisterProducer(self) -> None:
        self.producer = None  # as sockets do it, whether there is one or not

    @property
    def bytes(self) -> bytes:
        return self.value()


class Bench:
    """A site on a wire; ``served`` holds the downstreams handed to serve."""

    def __init__(
        self, site: Callable[[Any, Clock], Site] | None = None, peer: Any = None
    ) -> None:
        self.clock = Clock()
        self.served: list[RequestDownstream] = []
        self.exchanges: list[Deferred[None]] = []
        self.site = (site or GatewaySite)(self.serve, self.clock)
        self.wire = Wire(peer)
        self.channel = self.site.buildProtocol(self.wire.getPeer())
        self.channel.callLater = self.clock.callLater
        self.channel.makeConnection(self.wire)

    async def serve(self, downstream: Any) -> None:
        self.served.append(downstream)
        exchange: Deferred[None] = Deferred()
        self.exchanges.append(exchange)
        await exchange

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def request(self, *lines: bytes, body: bytes = b"") -> RequestDownstream:
        head = (lines or (b"GET / HTTP/1.1",)) + (b"Host: example.com",)
        if body:
            head += (b"Content-Length: %d" % len(body),)
        self.send(b"\r\n".join(head) + b"\r\n\r\n" + body)
        return self.served[-1]

    def close(self) -> None:
        for exchange in self.exchanges:
            if not exchange.called:
                exchange.callback(None)
        self.channel.connectionLost(Failure(ConnectionDone()))
        assert not self.clock.getDelayedCalls()


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    yield bench
    bench.close()


def answer(wire: Wire) -> tuple[bytes, dict[bytes, bytes], bytes]:
    head, _, body = wire.bytes.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    parsed = [field.partition(b": ") for field in fields]
    return line, {name.lower(): value for name, _, value in parsed}, body


# -- the request


def test_the_resource_and_what_it_serves_keep_their_interfaces(bench: Bench) -> None:
    assert verifyObject(IResource, GatewayResource(bench.serve))
    assert verifyObject(IDownstream, bench.request())
    assert verifyObject(IBodySource, HeldBody(BytesIO(), None))


def test_the_request_is_told_as_it_was_sent(bench: Bench) -> None:
    downstream = bench.request(
        b"POST /v1/a%20b?x=%2F&y HTTP/1.1", b"X-A: 1", b"x-a:  2 ", body=b"{}"
    )
    assert downstream.method == "POST"
    assert downstream.target == b"/v1/a%20b?x=%2F&y"
    assert downstream.path == "/v1/a b"
    assert downstream.query == b"x=%2F&y"
    assert [v for n, v in downstream.headers if n == b"x-a"] == [b"1", b"2"]
    assert downstream.host == "example.com"
    assert downstream.scheme == "http"
    assert downstream.peer == "192.0.2.7"
    assert downstream.length == 2


def test_a_client_on_a_unix_socket_has_no_address() -> None:
    bench = Bench(peer=UNIXAddress(None))
    assert bench.request().peer == "unix"
    bench.close()


def test_a_trusted_proxys_word_on_the_client_is_taken_and_no_others() -> None:
    bench = limited(trusted_proxies=["192.0.2.0/24"])
    field = b"X-Forwarded-For: 198.51.100.9, 203.0.113.5"
    assert bench.request(b"GET / HTTP/1.1", field).peer == "203.0.113.5"
    bench.close()
    other = limited(trusted_proxies=["10.0.0.0/8"])
    assert other.request(b"GET / HTTP/1.1", field).peer == "192.0.2.7"
    other.close()


@pytest.mark.parametrize("more", [(), (b"Content-Length: 0",)])
def test_a_request_without_body_has_length_zero(
    bench: Bench, more: tuple[bytes, ...]
) -> None:
    assert bench.request(b"POST / HTTP/1.1", *more).length == 0


def test_a_chunked_body_announced_no_length(bench: Bench) -> None:
    bench.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    bench.send(b"3\r\nabc\r\n0\r\n\r\n")
    downstream = bench.served[-1]
    assert downstream.length is None
    assert result(downstream.read(10)) == b"abc"


def test_absolute_form_is_understood(bench: Bench) -> None:
    downstream = bench.request(b"GET http://example.com:80/x?y HTTP/1.1")
    assert (downstream.target, downstream.path) == (b"/x?y", "/x")


def result(awaitable: Any) -> Any:
    """The result of what is ready at once."""
    results: list[Any] = []
    Deferred.fromCoroutine(awaitable).addBoth(results.append)
    if isinstance(results[0], Failure):
        raise results[0].value
    return results[0]


def test_a_body_over_the_limit_is_refused_when_it_is_read(bench: Bench) -> None:
    downstream = bench.request(b"POST / HTTP/1.1", body=b"12345")
    assert result(downstream.read(5)) == b"12345"
    with pytest.raises(BodyTooLarge):
        result(downstream.read(4))


@pytest.mark.parametrize(
    "head",
    [
        b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    ],
)
def test_what_is_ambiguous_is_refused_in_json(bench: Bench, head: bytes) -> None:
    bench.send(head)
    assert not bench.served
    line, fields, body = answer(bench.wire)
    assert line.startswith(b"HTTP/1.1 400 ")
    assert fields[b"content-type"] == b"application/json"
    assert fields[b"server"] == b"aigw"
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"Upgrade: websocket", b"501"),
        (b"Upgrade: h2c, WebSocket", b"501"),
        (b"Expect: miracles", b"417"),
    ],
)
def test_what_is_not_offered_is_told(bench: Bench, field: bytes, status: bytes) -> None:
    bench.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n")
    assert bench.wire.bytes.split()[1] == status
    assert not bench.served


def test_other_offers_to_upgrade_are_ignored(bench: Bench) -> None:
    assert bench.request(b"GET / HTTP/1.1", b"Upgrade: h2c").path == "/"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/ai/v1/x?y=1", b"/v1/x?y=1"),
        (b"/ai", b"/"),
        (b"/ai?y", b"/?y"),
        (b"/ai/", b"/"),
        (b"/aim/x", b"/aim/x"),
    ],
)
def test_mounted_below_a_path_the_targets_are_what_follows(
    target: bytes, expected: bytes
) -> None:
    def site(serve: Any, clock: Clock) -> Site:
        root = Resource()
        for name in (b"ai", b"aim"):
            root.putChild(name, GatewayResource(serve, mounted_at=b"/ai"))
        return Site(root, reactor=clock)

    bench = Bench(site)
    assert bench.request(b"GET " + target + b" HTTP/1.1").target == expected
    bench.close()


# -- the answer


def test_the_head_leaves_at_once_and_the_body_is_framed(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [(b"x-a", b"1"), (b"x-a", b"2")])
    line, fields, _ = answer(bench.wire)
    assert line == b"HTTP/1.1 200 OK"
    assert fields[b"transfer-encoding"] == b"chunked"
    assert fields[b"server"] == b"aigw"
    assert b"date" in fields
    assert b"content-type" not in fields
    assert bench.wire.bytes.lower().count(b"x-a: ") == 2
    downstream.write(b"hello")
    downstream.finish()
    assert answer(bench.wire)[2] == b"5\r\nhello\r\n0\r\n\r\n"
    assert not bench.wire.disconnecting


def test_no_field_begins_inside_another_and_the_fronts_own_are_its_own(
    bench: Bench,
) -> None:
    downstream = bench.request()
    downstream.start(
        200,
        [
            (b"x-a", b"1\r\nx-b: 2\0"),
            (b"connection", b"close"),
            (b"transfer-encoding", b"gzip"),
            (b"server", b"other"),
        ],
    )
    _, fields, _ = answer(bench.wire)
    assert b"x-b" not in fields
    assert b"connection" not in fields
    assert fields[b"transfer-encoding"] == b"chunked"
    assert fields[b"server"] == b"aigw"
    downstream.finish()


def test_a_body_of_known_length_is_not_chunked(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [(b"content-length", b"2")])
    downstream.write(b"ok")
    downstream.finish()
    _, fields, body = answer(bench.wire)
    assert b"transfer-encoding" not in fields
    assert body == b"ok"


def test_a_head_request_gets_no_body(bench: Bench) -> None:
    downstream = bench.request(b"HEAD / HTTP/1.1")
    downstream.start(200, [(b"content-length", b"2")])
    downstream.write(b"ok")
    downstream.finish()
    assert answer(bench.wire)[2] == b""


def test_http_1_0_ends_by_closing(bench: Bench) -> None:
    downstream = bench.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    downstream.write(b"x")
    downstream.finish()
    assert answer(bench.wire)[2] == b"x"
    assert bench.wire.disconnecting


def test_the_next_request_of_the_connection_is_served(bench: Bench) -> None:
    first = bench.request()
    first.start(204, [])
    first.finish()
    second = bench.request(b"GET /2 HTTP/1.1")
    assert second.path == "/2"


def test_cut_sends_what_is_queued_and_no_closing_chunk(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [])
    downstream.write(b"half")
    downstream.cut()
    assert answer(bench.wire)[2] == b"4\r\nhalf\r\n"
    assert bench.wire.disconnecting
    assert not bench.wire.aborted


def test_cut_short_of_the_length_closes_and_at_the_length_resets(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [(b"content-length", b"4")])
    downstream.write(b"ha")
    downstream.cut()
    assert (bench.wire.disconnecting, bench.wire.aborted) == (True, False)
    other = Bench()
    downstream = other.request()
    downstream.start(200, [(b"content-length", b"2")])
    downstream.write(b"ha")
    downstream.cut()
    other.wire.producer.resumeProducing()
    other.clock.advance(0.1)
    assert other.wire.aborted
    other.close()


def test_cut_resets_where_closing_would_mean_success(bench: Bench) -> None:
    downstream = bench.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    downstream.write(b"half")
    downstream.cut()
    bench.clock.advance(0.1)
    assert not bench.wire.aborted  # what is queued is not sent yet
    bench.wire.producer.resumeProducing()
    bench.clock.advance(0.1)
    assert bench.wire.aborted
    assert not bench.wire.disconnecting


def test_a_reset_waits_only_so_long_for_a_client_that_takes_nothing(
    bench: Bench,
) -> None:
    downstream = bench.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    downstream.cut()
    bench.clock.pump([0.02] * 1600)
    assert bench.wire.aborted


def test_a_client_that_leaves_while_its_reset_waits_leaves_nothing_behind(
    bench: Bench,
) -> None:
    downstream = bench.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    downstream.cut()
    bench.channel.connectionLost(Failure(ConnectionDone()))
    bench.clock.advance(0.1)
    assert not bench.wire.aborted
    assert not bench.clock.getDelayedCalls()


def test_a_client_that_does_not_take_what_was_cut_is_dropped(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [])
    downstream.cut()
    bench.clock.advance(31)
    assert not bench.wire.aborted
    bench.clock.advance(16)
    assert bench.wire.aborted


def test_abort_drops_the_connection(bench: Bench) -> None:
    downstream = bench.request()
    downstream.start(200, [])
    downstream.abort()
    assert bench.wire.aborted


def test_the_idle_timeout_stands_still_while_an_answer_is_awaited(
    bench: Bench,
) -> None:
    downstream = bench.request()
    bench.clock.advance(3600)
    assert not bench.wire.disconnecting
    downstream.start(204, [])
    downstream.finish()
    bench.clock.advance(61)
    assert bench.wire.disconnecting


# -- backpressure


def test_a_full_transport_pauses_the_producer_and_an_empty_one_resumes_it(
    bench: Bench,
) -> None:
    downstream = bench.request()
    producer = Producer()
    downstream.register(producer)
    downstream.start(200, [])
    bench.wire.producer.pauseProducing()
    bench.wire.producer.resumeProducing()
    assert producer.calls == ["pause", "resume"]
    downstream.unregister()
    downstream.unregister()
    bench.wire.producer.pauseProducing()
    assert producer.calls == ["pause", "resume"]


def test_a_producer_registered_over_a_full_transport_is_paused_at_once(
    bench: Bench,
) -> None:
    bench.request()
    bench.send(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    bench.wire.producer.pauseProducing()
    bench.served[0].start(204, [])
    bench.served[0].finish()
    producer = Producer()
    bench.served[1].register(producer)
    assert producer.calls == ["pause"]
    bench.wire.producer.resumeProducing()
    assert producer.calls == ["pause", "resume"]


def test_a_paused_transport_does_not_hide_that_the_client_leaves(bench: Bench) -> None:
    downstream = bench.request()
    downstream.register(Producer())
    bench.wire.producer.pauseProducing()
    assert bench.wire.producerState == "producing"


def test_the_end_of_the_answer_lets_go_of_the_producer(
    bench: Bench, logged_failures: list[Failure]
) -> None:
    for end in ("finish", "cut", "abort"):
        other = Bench()
        downstream = other.request()
        downstream.register(Producer())
        downstream.start(200, [])
        getattr(downstream, end)()
        other.close()
    assert not logged_failures


# -- the client leaves


def lose(bench: Bench) -> None:
    bench.wire.producer and bench.wire.producer.stopProducing()
    bench.channel.connectionLost(Failure(ConnectionDone()))


def test_a_client_that_leaves_is_noticed_once(bench: Bench) -> None:
    downstream = bench.request()
    producer = Producer()
    downstream.register(producer)
    told: list[bool] = []
    downstream.on_lost = lambda: told.append(downstream.lost)
    lose(bench)
    assert told == [True]
    assert producer.calls == ["stop"]


def test_after_the_client_has_gone_every_call_is_accepted(
    bench: Bench, logged_failures: list[Failure]
) -> None:
    downstream = bench.request(b"POST / HTTP/1.1", body=b"x")
    downstream.register(Producer())
    lose(bench)
    downstream.start(200, [])
    downstream.write(b"x")
    downstream.register(Producer())
    downstream.unregister()
    downstream.finish()
    downstream.cut()
    downstream.abort()
    with pytest.raises(CancelledError):
        result(downstream.read(10))
    assert not logged_failures


def test_a_client_that_leaves_after_the_end_is_nobodys_business(bench: Bench) -> None:
    for end in ("finish", "cut", "abort"):
        other = Bench()
        downstream = other.request()
        downstream.on_lost = lambda: pytest.fail("told although ended")
        downstream.start(200, [])
        getattr(downstream, end)()
        other.close()


# -- serve


def test_a_serve_that_fails_is_logged_and_its_client_cut_off(
    bench: Bench, logged_failures: list[Failure]
) -> None:
    bench.request()
    bench.exchanges[0].errback(ValueError("a bug"))
    assert [failure.type for failure in logged_failures] == [ValueError]
    logged_failures.clear()
    assert bench.wire.aborted


def test_a_serve_that_is_cancelled_is_silent(bench: Bench) -> None:
    bench.request()
    bench.exchanges[0].cancel()
    assert bench.wire.aborted


def test_a_serve_that_forgets_to_end_its_answer_ends_it(bench: Bench) -> None:
    bench.request().start(200, [])
    bench.exchanges[0].callback(None)
    assert bench.wire.aborted


# -- the site's limits


def limited(**limits: Any) -> Bench:
    return Bench(lambda serve, clock: GatewaySite(serve, clock, **limits))


def test_an_announced_body_over_the_limit_is_refused_before_it_is_read() -> None:
    bench = limited(max_body=10)
    bench.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
    line, fields, body = answer(bench.wire)
    assert line.startswith(b"HTTP/1.1 413 ")
    assert fields[b"connection"] == b"close"
    assert b"over 10 bytes" in body
    bench.send(b"x" * 11)  # read, so that the answer is not lost with a reset
    assert bench.wire.disconnecting
    assert not bench.served
    bench.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /a/b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413),
        (b"POST /a/b?c HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", 501),
    ],
)
def test_what_is_refused_by_the_front_is_told_for_its_record(
    head: bytes, status: int
) -> None:
    told: list[Any] = []
    bench = limited(max_body=10, refused=lambda *facts: told.append(facts))
    bench.send(head)
    ((refused, error),) = told
    assert refused.status == error.status == status
    assert (refused.method, refused.path, refused.host) == ("POST", "/a/b", "x")
    assert (refused.peer, refused.scheme) == ("192.0.2.7", "http")
    assert refused.sent == len(answer(bench.wire)[2])
    bench.close()


@pytest.mark.parametrize(
    ("head", "method", "path"),
    [
        (b"GET /a HTTP/1.1\r\nHost: x\r\nno field\r\n\r\n", "GET", "/a"),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "POST", "/a"),
        (b"one two\r\n\r\n", "", ""),
    ],
)
def test_what_twisted_itself_refuses_is_told_for_its_record(
    head: bytes, method: str, path: str
) -> None:
    told: list[Any] = []
    bench = limited(refused=lambda *facts: told.append(facts))
    bench.send(head)
    ((refused, error),) = told
    assert (refused.status, error.reason, refused.sent) == (400, "framing", 0)
    assert (refused.peer, refused.method, refused.path) == ("192.0.2.7", method, path)
    bench.close()


def test_who_asks_before_sending_is_refused_without_100_continue() -> None:
    bench = limited(max_body=10)
    bench.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert bench.wire.bytes.startswith(b"HTTP/1.1 413 ")
    assert b" 100 " not in bench.wire.bytes
    assert bench.wire.disconnecting
    bench.close()


def test_a_growing_body_is_refused_at_the_limit() -> None:
    bench = limited(max_body=10)
    bench.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    bench.send(b"8\r\n12345678\r\n")
    assert bench.wire.bytes == b""
    bench.send(b"8\r\n12345678\r\n")
    assert bench.wire.bytes.startswith(b"HTTP/1.1 413 ")
    bench.send(b"0\r\n\r\n")
    assert bench.wire.disconnecting
    assert bench.site.held == 0
    bench.close()


def test_a_refused_body_without_end_is_not_read_for_ever() -> None:
    bench = limited(max_body=10)
    bench.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
    piece = b"x" * 1024 * 1024
    for _ in range(16):
        bench.send(piece)
    assert not bench.wire.disconnecting
    bench.send(piece)
    assert bench.wire.disconnecting
    bench.close()


def test_bodies_held_together_have_a_limit_and_are_given_back() -> None:
    bench = limited(max_body=10, max_held=15)
    downstream = bench.request(b"POST / HTTP/1.1", body=b"1234567890")
    assert bench.site.held == 10
    other = Wire()
    channel = bench.site.buildProtocol(other.getPeer())
    channel.callLater = bench.clock.callLater
    channel.makeConnection(other)
    channel.dataReceived(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    channel.dataReceived(b"1234567890")
    line, fields, _ = answer(other)
    assert line.startswith(b"HTTP/1.1 503 ")
    assert fields[b"retry-after"] == b"1"
    channel.connectionLost(Failure(ConnectionDone()))
    downstream.start(204, [])
    downstream.finish()
    assert bench.site.held == 0
    bench.close()


def test_a_client_that_leaves_in_its_body_gives_back_what_was_held() -> None:
    bench = limited()
    bench.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nabc")
    assert bench.site.held == 3
    bench.close()
    assert bench.site.held == 0
    assert not bench.served


def test_http_2_is_offered_only_where_asked_for() -> None:
    assert limited().site.acceptableProtocols() == [b"http/1.1"]


# -- uploads


def test_a_held_body_is_given_out_under_the_takers_control() -> None:
    body = HeldBody(BytesIO(b"x" * 200_000), 200_000)
    taken: list[int] = []
    finished: list[None] = []

    def write(data: bytes) -> None:
        taken.append(len(data))
        if len(taken) == 2:
            body.pause()

    body.start(write, lambda: finished.append(None), pytest.fail)
    assert taken == [65536, 65536]
    body.resume()
    assert sum(taken) == 200_000
    assert finished == [None]
    body.resume()
    body.stop()
    assert finished == [None]


def test_a_held_body_may_be_stopped_in_the_middle() -> None:
    body = HeldBody(BytesIO(b"x" * 200_000), 200_000)
    taken: list[bytes] = []

    def write(data: bytes) -> None:
        taken.append(data)
        body.stop()

    body.start(write, lambda: pytest.fail("finished"), pytest.fail)
    body.resume()
    assert len(taken) == 1


def test_pausing_and_resuming_inside_a_write_gives_nothing_twice() -> None:
    whole = bytes(range(256)) * 1000
    body = HeldBody(BytesIO(whole), None)
    taken: list[bytes] = []

    def write(data: bytes) -> None:
        taken.append(data)
        body.pause()
        body.resume()

    body.start(write, lambda: None, pytest.fail)
    assert b"".join(taken) == whole
