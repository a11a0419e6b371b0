"""What IDownstream promises, kept by every front."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.errors import BodyTooLarge
from aigw.interfaces import IBodySource, IDownstream
from aigw.testing.downstream_check import Producer

from .bench import Bench, result
from .conftest import Open

SIZED = [(b"content-length", b"5")]


# -- the request


def test_the_interfaces_are_kept(front: Bench) -> None:
    downstream = front.request(b"POST / HTTP/1.1", body=b"x")
    assert verifyObject(IDownstream, downstream)
    assert verifyObject(IBodySource, downstream.source())


def test_the_request_is_told_as_it_was_sent(front: Bench) -> None:
    downstream = front.request(
        b"POST /v1/a%20b?x=%2F&y HTTP/1.1", b"X-A: 1", b"x-a:  2 ", body=b"{}"
    )
    assert downstream.method == "POST"
    assert downstream.target == b"/v1/a%20b?x=%2F&y"
    assert downstream.path == "/v1/a b"
    assert downstream.query == b"x=%2F&y"
    assert [v for n, v in downstream.headers if n == b"x-a"] == [b"1", b"2"]
    assert (b"host", b"example.com") in downstream.headers
    assert downstream.host == "example.com"
    assert downstream.scheme == "http"
    assert downstream.peer == "192.0.2.7"
    assert downstream.length == 2
    assert not downstream.lost


def test_a_host_is_told_in_lower_case_without_its_port(front: Bench) -> None:
    front.send(b"GET / HTTP/1.1\r\nHost: API.Example.com:8080\r\n\r\n")
    assert front.served[0].host == "api.example.com"


def test_the_absolute_form_is_understood(front: Bench) -> None:
    downstream = front.request(b"GET http://example.com/x?y HTTP/1.1")
    assert (downstream.target, downstream.path) == (b"/x?y", "/x")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (UNIXAddress(None), "unix"),
        (IPv6Address("TCP", "2001:db8::1", 80), "2001:db8::1"),
    ],
)
def test_the_peer_is_told_by_its_address(
    open_front: Open, address: object, told: str
) -> None:
    assert open_front(peer=address).request().peer == told


@pytest.mark.parametrize("more", [(), (b"Content-Length: 0",)])
def test_a_request_without_body_has_length_0(
    front: Bench, more: tuple[bytes, ...]
) -> None:
    downstream = front.request(b"POST / HTTP/1.1", *more)
    assert downstream.length == 0
    assert result(downstream.read(10)) == b""


def test_a_chunked_body_has_no_length(front: Bench) -> None:
    front.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    front.send(b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: x\r\n\r\n")
    downstream = front.served[0]
    assert downstream.length is None
    assert result(downstream.read(10)) == b"abcde"
    assert all(name != b"x-trailer" for name, _ in downstream.headers)


def test_a_body_over_the_limit_is_refused(front: Bench) -> None:
    downstream = front.request(b"POST / HTTP/1.1", body=b"12345")
    with pytest.raises(BodyTooLarge):
        result(downstream.read(4))


def test_a_body_of_the_limit_is_read(front: Bench) -> None:
    downstream = front.request(b"POST / HTTP/1.1", body=b"12345")
    assert result(downstream.read(5)) == b"12345"


def test_a_body_is_a_source_too(front: Bench) -> None:
    downstream = front.request(b"PUT / HTTP/1.1", body=b"12345")
    source = downstream.source()
    taken: list[bytes] = []
    finished: list[bytes] = []
    assert source.length == 5
    source.pause()
    source.start(taken.append, lambda: finished.append(b"".join(taken)), pytest.fail)
    source.resume()
    assert finished == [b"12345"]
    source.resume()
    source.stop()
    assert finished == [b"12345"]


def test_a_stopped_source_gives_nothing_more(front: Bench) -> None:
    source = front.request(b"PUT / HTTP/1.1", body=b"12345").source()
    source.stop()
    source.resume()
    front.settle()


# -- the answer


def test_head_and_body_are_sent_and_framed_by_chunks(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [(b"x-a", b"1"), (b"x-a", b"2")])
    downstream.write(b"hello")
    line, fields, body = front.answer()
    assert line == b"HTTP/1.1 200 OK"
    assert fields[b"transfer-encoding"] == b"chunked"
    assert fields[b"server"] == b"aigw"
    assert fields[b"date"].endswith(b" GMT")
    assert b"connection" not in fields
    assert body == b"5\r\nhello\r\n"
    downstream.write(b"!")
    downstream.finish()
    assert front.received() == b"1\r\n!\r\n0\r\n\r\n"
    assert front.wire.ended == ""


def test_a_repeated_field_stays_apart(front: Bench) -> None:
    downstream = front.request()
    downstream.start(204, [(b"x-a", b"1"), (b"x-a", b"2")])
    downstream.finish()
    sent = front.received().lower()
    assert b"x-a: 1\r\n" in sent
    assert b"x-a: 2\r\n" in sent


def test_a_head_leaves_without_a_body_to_wait_for(front: Bench) -> None:
    front.request().start(200, [(b"x-a", b"1")])
    front.settle()
    assert b"x-a: 1\r\n" in front.received().lower()


def test_a_body_of_known_length_is_not_chunked(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, SIZED)
    downstream.write(b"he")
    downstream.write(b"llo")
    downstream.finish()
    _, fields, body = front.answer()
    assert b"transfer-encoding" not in fields
    assert fields[b"content-length"] == b"5"
    assert body == b"hello"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HEAD / HTTP/1.1", 200),
        (b"GET / HTTP/1.1", 204),
        (b"GET / HTTP/1.1", 304),
    ],
)
def test_some_answers_have_no_body(front: Bench, line: bytes, status: int) -> None:
    downstream = front.request(line)
    downstream.start(status, [])
    downstream.write(b"hello")
    downstream.finish()
    _, fields, body = front.answer()
    assert body == b""
    assert b"transfer-encoding" not in fields or status == 200
    assert front.request(b"GET /next HTTP/1.1").path == "/next"


def test_1_0_is_framed_by_the_connections_end(front: Bench) -> None:
    downstream = front.request(b"GET / HTTP/1.0")
    downstream.start(200, [])
    downstream.write(b"hello")
    downstream.finish()
    _, fields, body = front.answer()
    assert b"transfer-encoding" not in fields
    assert body == b"hello"
    assert front.wire.ended == "fin"


def test_a_client_that_wants_no_more_is_let_go(front: Bench) -> None:
    downstream = front.request(b"GET / HTTP/1.1", b"Connection: close")
    downstream.start(200, SIZED)
    downstream.write(b"hello")
    downstream.finish()
    assert front.answer()[1][b"connection"].lower() == b"close"
    assert front.wire.ended == "fin"


def test_answers_come_in_the_order_of_the_requests(front: Bench) -> None:
    front.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(3)))
    for number in range(3):
        assert len(front.served) == number + 1
        downstream = front.served[number]
        assert downstream.path == f"/{number}"
        downstream.start(200, [(b"content-length", b"1")])
        downstream.write(b"%d" % number)
        downstream.finish()
        front.exchanges[number].callback(None)
        front.settle()
    bodies = front.received().split(b"\r\n\r\n")[1:]
    assert [body[:1] for body in bodies] == [b"0", b"1", b"2"]


def test_the_body_before_a_request_is_not_its_beginning(front: Bench) -> None:
    inner = b"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n"
    downstream = front.request(b"POST /outer HTTP/1.1", body=inner)
    downstream.start(204, [])
    downstream.finish()
    assert front.request(b"GET /next HTTP/1.1").path == "/next"
    assert [each.path for each in front.served] == ["/outer", "/next"]


# -- ends that must not look like success


def test_cut_sends_what_is_queued_and_no_closing_chunk(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [])
    downstream.write(b"half")
    downstream.cut()
    front.settle()
    assert front.answer()[2] == b"4\r\nhalf\r\n"
    assert front.wire.ended in ("fin", "half")


def test_cut_waits_for_a_client_that_reads_slowly(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [])
    front.wire.fill()
    downstream.write(b"half")
    downstream.cut()
    front.settle()
    assert front.wire.ended != "rst"
    front.wire.empty()
    front.settle()
    assert front.wire.ended in ("fin", "half")


def test_a_client_that_does_not_take_what_was_cut_is_dropped(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [])
    front.wire.fill()
    downstream.write(b"half")
    downstream.cut()
    front.pass_time(60)
    assert front.wire.ended == "rst"


def test_cut_short_of_the_length_closes(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, SIZED)
    downstream.write(b"he")
    downstream.cut()
    front.settle()
    assert front.wire.ended in ("fin", "half")


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"GET / HTTP/1.1"])
def test_cut_resets_where_closing_would_mean_success(front: Bench, line: bytes) -> None:
    downstream = front.request(line)
    downstream.start(200, SIZED if line.endswith(b"1") else [])
    downstream.write(b"hello")
    downstream.cut()
    front.settle()
    assert front.wire.ended == "rst"


def test_abort_drops_the_connection(front: Bench) -> None:
    downstream = front.request()
    downstream.start(200, [])
    downstream.write(b"half")
    downstream.abort()
    assert front.wire.ended == "rst"


@pytest.mark.parametrize("end", ["finish", "cut", "abort"])
def test_after_the_end_nothing_is_sent(front: Bench, end: str) -> None:
    downstream = front.request()
    downstream.start(200, [])
    downstream.write(b"x")
    getattr(downstream, end)()
    front.settle()
    front.received()
    downstream.write(b"y")
    downstream.finish()
    downstream.cut()
    downstream.abort()
    downstream.register(Producer())
    downstream.unregister()
    front.settle()
    assert front.received() == b""


# -- backpressure


def test_a_full_transport_pauses_and_an_empty_one_resumes(front: Bench) -> None:
    downstream = front.request()
    producer = Producer()
    downstream.register(producer)
    downstream.start(200, [])
    front.wire.fill()
    assert producer.calls == ["pause"]
    front.wire.empty()
    assert producer.calls == ["pause", "resume"]


def test_the_pause_may_come_inside_the_write(front: Bench) -> None:
    downstream = front.request()
    producer = Producer()
    downstream.register(producer)
    downstream.start(200, [])
    downstream.write(b"x")
    front.wire._full = True
    downstream.write(b"x")
    assert producer.calls == ["pause"]


def test_who_registers_over_a_full_transport_is_paused_at_once(front: Bench) -> None:
    front.request()
    front.wire.fill()
    producer = Producer()
    front.served[0].register(producer)
    assert producer.calls == ["pause"]
    front.wire.empty()
    assert producer.calls == ["pause", "resume"]


def test_who_has_unregistered_is_left_alone(front: Bench) -> None:
    downstream = front.request()
    producer = Producer()
    downstream.register(producer)
    downstream.start(200, [])
    downstream.unregister()
    downstream.unregister()
    front.wire.fill()
    front.wire.empty()
    front.wire.reset()
    assert producer.calls == []


@pytest.mark.parametrize("end", ["finish", "cut", "abort"])
def test_the_end_lets_go_of_the_producer(front: Bench, end: str) -> None:
    downstream = front.request()
    producer = Producer()
    downstream.register(producer)
    downstream.start(200, [])
    getattr(downstream, end)()
    front.settle()
    front.wire.reset()
    assert producer.calls == []


def test_a_full_transport_does_not_hide_that_the_client_leaves(front: Bench) -> None:
    downstream = front.request()
    downstream.register(Producer())
    downstream.start(200, [])
    front.wire.fill()
    lost: list[int] = []
    downstream.on_lost = lambda: lost.append(1)
    front.wire.leave()
    assert lost == [1]


# -- the client leaves


@pytest.mark.parametrize("how", ["leave", "reset"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_leaves_is_noticed_once(
    front: Bench, how: str, begun: bool
) -> None:
    downstream = front.request()
    producer = Producer()
    downstream.register(producer)
    lost: list[bool] = []
    downstream.on_lost = lambda: lost.append(downstream.lost)
    if begun:
        downstream.start(200, [])
        downstream.write(b"x")
    getattr(front.wire, how)()
    front.settle()
    assert lost == [True]
    assert producer.calls == ["stop"]


def test_after_the_client_has_gone_every_call_is_accepted(front: Bench) -> None:
    downstream = front.request(b"POST / HTTP/1.1", body=b"x")
    downstream.register(Producer())
    front.wire.reset()
    downstream.start(200, [])
    downstream.write(b"x")
    downstream.register(Producer())
    downstream.unregister()
    downstream.finish()
    downstream.cut()
    downstream.abort()
    with pytest.raises(CancelledError):
        result(downstream.read(10))


@pytest.mark.parametrize("end", ["finish", "cut", "abort"])
def test_a_client_that_leaves_after_the_end_is_nobodys_business(
    front: Bench, end: str
) -> None:
    downstream = front.request()
    downstream.on_lost = lambda: pytest.fail("told although it had ended")
    downstream.start(200, [])
    getattr(downstream, end)()
    front.wire.reset()


# -- serve


def test_a_serve_that_fails_is_logged_and_its_client_cut_off(
    front: Bench, logged_failures: list[Failure]
) -> None:
    front.request()
    front.exchanges[0].errback(ValueError("a bug"))
    assert [failure.type for failure in logged_failures] == [ValueError]
    logged_failures.clear()
    assert front.wire.ended == "rst"


def test_a_serve_that_is_cancelled_is_not_logged(front: Bench) -> None:
    front.request()
    front.exchanges[0].cancel()
    assert front.wire.ended == "rst"


def test_a_serve_that_forgets_the_end_does_not_look_complete(front: Bench) -> None:
    front.request().start(200, [])
    front.exchanges[0].callback(None)
    front.settle()
    assert front.wire.ended == "rst"


def test_a_serve_that_ends_after_its_answer_changes_nothing(front: Bench) -> None:
    downstream = front.request()
    downstream.start(204, [])
    downstream.finish()
    front.exchanges[0].callback(None)
    assert front.wire.ended == ""
    assert front.request(b"GET /2 HTTP/1.1").path == "/2"
