"""Requests to providers: what goes out, deadlines, the pool, replay. In memory."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from twisted.internet.error import ConnectionRefusedError
from twisted.python.failure import Failure

from aigw.errors import BadRequest, ConnectFailed, UpstreamBroke, UpstreamTimeout
from aigw.http.pool import REMEMBERED
from aigw.http.upstream import Call
from aigw.model.outbound import Keepalive, Origin, Outbound, Patience
from aigw.testing.upstream import MemoryReceiver

from .wire import ORIGIN, MemoryRig, Wire, outbound

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def sent(
    rig: MemoryRig, request: Outbound | None = None
) -> tuple[Call, MemoryReceiver, Wire]:
    receiver = MemoryReceiver()
    call = rig.upstream.send(request or outbound(), receiver)
    rig.settle()
    return call, receiver, rig.wire


def written(wire: Wire) -> bytes:
    data = wire.value()  # type: ignore[no-untyped-call]
    assert isinstance(data, bytes)
    return data


# -- what goes out


def test_request_goes_out_in_one_write_with_the_fields_of_the_connection() -> None:
    rig = MemoryRig()
    fields = [(b"content-type", b"application/json"), (b"x-a", b"1"), (b"x-a", b"2")]
    _, _, wire = sent(rig, outbound(headers=fields))
    assert written(wire) == (
        b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        b"content-type: application/json\r\nx-a: 1\r\nx-a: 2\r\n"
        b'content-length: 7\r\n\r\n{"a":1}'
    )


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("http", "example.com", 80, address="127.0.0.1"), b"example.com"),
        (Origin("http", "example.com", 443, address="127.0.0.1"), b"example.com:443"),
        (Origin("http", "::1", 8080), b"[::1]:8080"),
        (Origin("http", "bücher.example", 80, address="::1"), b"xn--bcher-kva.example"),
    ],
)
def test_host_names_the_origin(origin: Origin, host: bytes) -> None:
    _, _, wire = sent(MemoryRig(), outbound(origin=origin))
    assert b"\r\nhost: %b\r\n" % host in written(wire)


def test_given_host_replaces_the_origins() -> None:
    for fields in ([(b"host", b"other")], [(b"a", b"1"), (b"host", b"other")]):
        _, _, wire = sent(MemoryRig(), outbound(headers=fields))
        assert written(wire).count(b"host: ") == 1
        assert b"\r\nhost: other\r\n" in written(wire)


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("HEAD", b"", None),
        ("DELETE", b"", b"0"),
        ("GET", b"x", b"1"),
    ],
)
def test_empty_body_has_a_length_unless_get_or_head(
    method: str, body: bytes, length: bytes | None
) -> None:
    _, _, wire = sent(MemoryRig(), outbound(method, body=body))
    if length is None:
        assert b"content-length" not in written(wire)
    else:
        assert b"\r\ncontent-length: %b\r\n" % length in written(wire)


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": [(b"a", b"1\r\nb: 2")]},
        {"headers": [(b"a", b"1\nb: 2")]},
        {"headers": [(b"a\r\nb", b"2")]},
        {"headers": [(b"a", b"\x00")]},
        {"headers": [(b"a b", b"1")]},
        {"headers": [(b"", b"1")]},
        {"headers": [(b"content-length", b"1")]},
        {"headers": [(b"x", b"1"), (b"transfer-encoding", b"chunked")]},
        {"headers": [(b"connection", b"close")]},
        {"target": b"/a b"},
        {"target": b"/a\r\nx: y"},
        {"target": b""},
        {"method": "GET /x HTTP/1.1\r\n"},
    ],
)
def test_what_http_cannot_carry_is_not_sent(wrong: dict[str, Any]) -> None:
    rig = MemoryRig()
    with pytest.raises(BadRequest):
        rig.upstream.send(outbound(**wrong), MemoryReceiver())
    assert not rig.reactor.tcpClients


def test_plain_http_goes_through_a_proxy_in_absolute_form() -> None:
    rig = MemoryRig()
    origin = Origin("http", "example.com", 8000, proxy="http://u:p%40@127.0.0.1:3128")
    rig.upstream.send(outbound(origin=origin), MemoryReceiver())
    assert rig.reactor.tcpClients[0][:2] == ("127.0.0.1", 3128)
    rig.settle()
    assert written(rig.wire).startswith(
        b"POST http://example.com:8000/v1/chat HTTP/1.1\r\nhost: example.com:8000\r\n"
        b"Proxy-Authorization: Basic dTpwQA==\r\n"
    )


# -- what comes back


def test_head_body_and_end_of_one_read_come_at_once() -> None:
    rig = MemoryRig()
    call, receiver, wire = sent(rig)
    wire.arrive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert not receiver.told
    wire.arrive(OK)
    assert receiver.told == [
        ("head", 200, [(b"content-length", b"2")]),
        ("body", b"ok"),
        ("ended",),
    ]
    assert call.address == "192.168.1.1:54321"
    assert not call.reused


def test_head_request_ends_with_its_head_and_serves_again() -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig, outbound("HEAD", body=b""))
    wire.arrive(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")
    assert receiver.complete
    call, receiver, again = sent(rig)
    assert call.reused
    again.arrive(OK)
    assert receiver.data == b"ok"


def test_answer_ended_by_close_is_complete_but_not_if_reset() -> None:
    for end, complete in ((Wire.close, True), (Wire.reset, False)):
        _, receiver, wire = sent(MemoryRig())
        wire.arrive(b"HTTP/1.1 200 OK\r\n\r\nabc")
        end(wire)
        assert receiver.data == b"abc"
        assert receiver.complete is complete
        if not complete:
            assert isinstance(receiver.error, UpstreamBroke)
            assert receiver.error.reason == "reset"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed_early"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "closed_early"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "closed_early"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "malformed"),
        (b"nonsense\r\n", "malformed"),
    ],
)
def test_broken_answer_tells_why_and_names_nobody(answer: bytes, reason: str) -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig)
    if answer:
        wire.arrive(answer)
    wire.close()
    assert isinstance(receiver.error, UpstreamBroke)
    assert receiver.error.reason == reason
    assert receiver.error.status == 502
    assert "192.168.1.1" in receiver.error.detail
    assert "192.168.1.1" not in receiver.error.message
    rig.settle()
    assert wire.gone


def test_refused_connection_is_told_after_send_returned() -> None:
    rig = MemoryRig()
    receiver = MemoryReceiver()
    rig.upstream.send(outbound(), receiver)
    _, _, factory, _, _ = rig.reactor.tcpClients.pop(0)
    factory.clientConnectionFailed(
        rig.reactor.connectors.pop(0), Failure(ConnectionRefusedError())
    )
    rig.settle()
    assert isinstance(receiver.error, ConnectFailed)
    assert receiver.error.reason == "connect"
    assert receiver.error.status == 502


def test_name_that_is_none_is_told_after_send_returned() -> None:
    rig = MemoryRig()
    receiver = MemoryReceiver()
    rig.upstream.send(outbound(origin=Origin("http", "a" * 300, 80)), receiver)
    assert not receiver.told
    rig.settle()
    assert isinstance(receiver.error, ConnectFailed)


@pytest.mark.parametrize(
    "origin",
    [
        Origin("http", "127.0.0.1", 80, proxy="socks5://127.0.0.1:1080"),
        Origin("http", "127.0.0.1", 80, proxy="http://127.0.0.1:99999"),
        Origin("http", "ü" * 80, 80),
    ],
)
def test_origin_that_is_none_is_refused(origin: Origin) -> None:
    with pytest.raises(ConnectFailed):
        MemoryRig().upstream.send(outbound(origin=origin), MemoryReceiver())


# -- deadlines


def test_connect_deadline_gives_up() -> None:
    rig = MemoryRig()
    receiver = MemoryReceiver()
    rig.upstream.send(outbound(patience=Patience(connect=2)), receiver)
    rig.pass_time(1.9)
    assert not receiver.told
    rig.pass_time(0.3)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert (receiver.error.reason, receiver.error.status) == ("connect", 504)
    assert rig.reactor.connectors[0].stoppedConnecting
    assert not rig.upstream.connecting


def test_read_deadline_is_put_off_by_any_byte() -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig, outbound(patience=Patience(read=2)))
    for byte in b"HTTP/1.1 200 OK\r\n":
        rig.pass_time(1.9)
        wire.arrive(bytes([byte]))
    assert not receiver.told
    rig.pass_time(2.2)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "read"
    assert wire.ended == "rst"


def test_read_deadline_stands_still_while_paused() -> None:
    rig = MemoryRig()
    call, receiver, wire = sent(rig, outbound(patience=Patience(read=2)))
    rig.pass_time(1.5)
    call.pause()
    assert wire.producerState == "paused"
    rig.pass_time(60)
    call.resume()
    rig.pass_time(0.4)
    assert not receiver.told
    rig.pass_time(0.3)
    assert isinstance(receiver.error, UpstreamTimeout)


def test_short_pause_gives_no_second_life_to_the_deadline() -> None:
    rig = MemoryRig()
    call, receiver, _ = sent(rig, outbound(patience=Patience(read=2)))
    rig.pass_time(1.5)
    call.pause()
    rig.pass_time(0.2)
    call.resume()
    rig.pass_time(0.4)
    assert not receiver.told
    rig.pass_time(0.3)
    assert isinstance(receiver.error, UpstreamTimeout)


@pytest.mark.parametrize(("first", "second"), [(2, 9), (9, 2)])
def test_read_deadline_of_a_reused_connection_is_the_calls_own(
    first: int, second: int
) -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig, outbound(patience=Patience(read=first)))
    rig.pass_time(1)
    wire.arrive(OK)
    assert receiver.complete
    rig.pass_time(0.5)
    call, receiver, _ = sent(rig, outbound(patience=Patience(read=second)))
    assert call.reused
    rig.pass_time(second - 0.1)
    assert not receiver.told
    rig.pass_time(0.2)
    assert isinstance(receiver.error, UpstreamTimeout)


def test_deadline_of_a_call_that_is_over_does_not_ring() -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig, outbound(patience=Patience(read=2)))
    wire.arrive(OK)
    assert receiver.complete
    rig.pass_time(10)
    assert not wire.ended
    call, receiver, _ = sent(rig, outbound(patience=Patience(read=2)))
    assert call.reused
    rig.pass_time(1.9)
    assert not receiver.told
    rig.pass_time(0.2)
    assert isinstance(receiver.error, UpstreamTimeout)


def test_large_body_follows_as_the_provider_takes_it() -> None:
    rig = MemoryRig()
    rig.taking = False
    body = bytes(range(256)) * 1024
    call, receiver, wire = sent(rig, outbound(body=body, patience=Patience(send=2)))
    while call.sent_at is None:
        assert len(written(wire)) <= len(body) + 100
        rig.pass_time(1.5)  # slow, but it moves
        wire.drain()
    assert written(wire).endswith(b"\r\n\r\n" + body)
    assert wire.producer is None
    assert call.sent_at == pytest.approx(1.5 * 5, abs=0.2)
    wire.arrive(OK)
    assert receiver.complete
    assert rig.upstream.parked(ORIGIN) == 1


def test_send_deadline_rings_without_progress_even_if_bytes_arrive() -> None:
    rig = MemoryRig()
    rig.taking = False
    request = outbound(body=bytes(300_000), patience=Patience(send=2, read=1))
    _, receiver, wire = sent(rig, request)
    rig.pass_time(1.5)
    wire.drain()
    rig.pass_time(1.5)
    wire.arrive(b"HTTP/1.1 100 Continue\r\n\r\n")
    rig.pass_time(0.8)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "send"
    rig.settle()
    assert wire.gone


def test_read_deadline_starts_when_a_large_body_was_sent() -> None:
    rig = MemoryRig()
    rig.taking = False
    request = outbound(body=bytes(100_000), patience=Patience(send=9, read=2))
    call, receiver, wire = sent(rig, request)
    call.pause()
    rig.pass_time(5)
    while call.sent_at is None:
        wire.drain()
    rig.pass_time(5)
    call.resume()
    rig.pass_time(1.9)
    assert not receiver.told
    rig.pass_time(0.3)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "read"


def test_early_answer_is_delivered_and_the_connection_closed() -> None:
    rig = MemoryRig()
    rig.taking = False
    _, receiver, wire = sent(rig, outbound(body=bytes(300_000)))
    wire.arrive(b"HTTP/1.1 413 Too Large\r\ncontent-length: 1\r\n\r\nx")
    assert receiver.complete
    assert receiver.status == 413
    assert rig.upstream.parked(ORIGIN) == 0
    rig.settle()
    assert wire.gone


# -- the pool


def answered(
    rig: MemoryRig, request: Outbound | None = None, answer: bytes = OK
) -> Wire:
    _, receiver, wire = sent(rig, request)
    wire.arrive(answer)
    assert receiver.complete
    return wire


def test_connection_serves_again_the_one_parked_last_first() -> None:
    rig = MemoryRig()
    first, second = MemoryReceiver(), MemoryReceiver()
    rig.upstream.send(outbound(), first)
    rig.upstream.send(outbound(), second)
    rig.settle()
    assert len(rig.wires) == 2
    rig.wires[0].arrive(OK)
    rig.wires[1].arrive(OK)
    rig.wires[1].clear()  # type: ignore[no-untyped-call]
    call = rig.upstream.send(outbound(), MemoryReceiver())
    assert call.reused
    assert written(rig.wires[1])
    assert call.connected_at == call.sent_at == rig.reactor.seconds()


def test_receiver_may_send_again_from_inside_the_end() -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig)
    calls: list[Call] = []
    again = MemoryReceiver()

    def react(told: tuple[Any, ...]) -> None:
        if told[0] == "ended":
            calls.append(rig.upstream.send(outbound(), again))

    receiver.react = react
    wire.arrive(OK)
    assert calls[0].reused
    wire.arrive(OK)
    assert again.complete


@pytest.mark.parametrize(
    "other",
    [
        Origin("http", "127.0.0.1", 81),
        Origin("http", "127.0.0.2", 80),
        Origin("http", "127.0.0.1", 80, proxy="http://127.0.0.1:80"),
        Origin("http", "127.0.0.1", 80, address="127.0.0.1"),
    ],
)
def test_connections_are_not_shared_between_origins(other: Origin) -> None:
    rig = MemoryRig()
    answered(rig)
    assert not rig.upstream.send(outbound(origin=other), MemoryReceiver()).reused


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
        OK + OK,
        OK + b"\r\n",
        b"HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_connection_that_may_not_serve_again_is_closed(answer: bytes) -> None:
    rig = MemoryRig()
    wire = answered(rig, answer=answer)
    assert wire.ended
    assert rig.upstream.parked(ORIGIN) == 0


def test_keepalive_size_0_asks_the_provider_to_close_and_closes() -> None:
    rig = MemoryRig()
    wire = answered(rig, outbound(keepalive=Keepalive(size=0)))
    assert b"\r\nconnection: close\r\n" in written(wire)
    assert wire.ended


def test_no_more_are_parked_than_asked_for_the_oldest_goes() -> None:
    rig = MemoryRig()
    request = outbound(keepalive=Keepalive(size=2))
    for _ in range(3):
        rig.upstream.send(request, MemoryReceiver())
    rig.settle()
    for wire in rig.wires:
        wire.arrive(OK)
    assert rig.upstream.parked(ORIGIN) == 2
    assert [bool(wire.ended) for wire in rig.wires] == [True, False, False]


def test_idle_connection_is_closed_at_its_time() -> None:
    rig = MemoryRig()
    wire = answered(rig, outbound(keepalive=Keepalive(idle=5)))
    rig.pass_time(4.9)
    assert rig.upstream.parked(ORIGIN) == 1
    rig.pass_time(1.3)
    assert wire.ended == "fin"
    assert rig.upstream.parked(ORIGIN) == 0


def test_origins_without_idle_connections_are_forgotten_at_last() -> None:
    rig = MemoryRig()
    _, receiver, wire = sent(rig)
    idle = answered(rig, outbound(origin=dataclasses.replace(ORIGIN, port=81)))
    for port in range(1000, 1000 + REMEMBERED):
        rig.upstream.parked(dataclasses.replace(ORIGIN, port=port))
    wire.arrive(OK)
    assert receiver.complete
    assert wire.ended == "fin"  # nobody would ever look for it
    assert not idle.ended
    assert rig.upstream.parked(dataclasses.replace(ORIGIN, port=81)) == 1


def test_idle_connection_past_its_time_is_not_taken_before_the_sweep() -> None:
    rig = MemoryRig()
    wire = answered(rig, outbound(keepalive=Keepalive(idle=0.4)))
    rig.pass_time(0.5)
    assert not rig.upstream.send(outbound(), MemoryReceiver()).reused
    assert wire.ended


def test_idle_connection_that_closes_or_talks_is_dropped() -> None:
    for news in (Wire.close, Wire.reset, lambda wire: wire.arrive(OK)):
        rig = MemoryRig()
        news(answered(rig))
        assert rig.upstream.parked(ORIGIN) == 0
        assert not rig.upstream.send(outbound(), MemoryReceiver()).reused
        rig.settle()
        assert rig.wires[0].gone


def test_connection_paused_at_its_end_is_parked_reading() -> None:
    rig = MemoryRig()
    call, receiver, wire = sent(rig)
    wire.arrive(OK[:-1])
    receiver.react = lambda told: call.pause() if told[0] == "body" else None
    wire.arrive(OK[-1:])
    assert receiver.complete
    assert rig.upstream.parked(ORIGIN) == 1
    assert wire.producerState == "producing"


def test_pause_in_the_middle_of_a_read_still_delivers_its_rest() -> None:
    rig = MemoryRig()
    call, receiver, wire = sent(rig)
    receiver.react = lambda told: call.pause() if told[0] == "head" else None
    wire.arrive(OK)
    assert receiver.complete
    assert wire.producerState == "producing"
    assert rig.upstream.parked(ORIGIN) == 1


def test_pause_before_the_connection_stands_holds_its_answer() -> None:
    rig = MemoryRig()
    receiver = MemoryReceiver()
    call = rig.upstream.send(outbound(), receiver)
    call.pause()
    rig.settle()
    rig.wire.arrive(OK)
    assert not receiver.told
    call.resume()
    rig.settle()
    assert receiver.complete


# -- replay


def test_request_on_a_stale_connection_is_sent_once_more_on_a_new_one() -> None:
    for close in (Wire.close, Wire.reset):
        rig = MemoryRig()
        stale = answered(rig)
        receiver = MemoryReceiver()
        call = rig.upstream.send(outbound(body=b'"again"'), receiver)
        assert call.reused
        rig.pass_time(0.9)
        close(stale)
        rig.settle()
        assert len(rig.wires) == 2
        assert written(rig.wire).endswith(b'"again"')
        assert not call.reused
        rig.wire.arrive(OK)
        assert receiver.complete
        assert call.sent_at == pytest.approx(0.9)


def test_large_request_on_a_stale_connection_is_sent_once_more() -> None:
    rig = MemoryRig()
    stale = answered(rig)
    rig.pass_time(20)
    stale.taking = rig.taking = False
    body = bytes(300_000)
    call = rig.upstream.send(outbound(body=body), MemoryReceiver())
    stale.reset()
    rig.settle()
    while call.sent_at is None:
        rig.wire.drain()
    assert written(rig.wire).endswith(b"\r\n\r\n" + body)


def test_request_is_not_sent_a_third_time() -> None:
    rig = MemoryRig()
    answered(rig)
    _, receiver, stale = sent(rig)
    stale.close()
    rig.settle()
    rig.wire.close()
    rig.settle()
    assert len(rig.wires) == 2
    assert isinstance(receiver.error, UpstreamBroke)


def test_request_is_not_sent_again_once_it_may_have_been_read() -> None:
    def late(rig: MemoryRig, wire: Wire) -> None:
        rig.pass_time(1.1)
        wire.close()

    def answering(rig: MemoryRig, wire: Wire) -> None:
        wire.arrive(b"H")
        wire.close()

    def interim(rig: MemoryRig, wire: Wire) -> None:
        wire.arrive(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.close()

    def silent(rig: MemoryRig, wire: Wire) -> None:
        rig.pass_time(30.2)

    for happening in (late, answering, interim, silent):
        rig = MemoryRig()
        answered(rig)
        _, receiver, wire = sent(rig)
        happening(rig, wire)
        rig.settle()
        assert receiver.error is not None, happening.__name__
        assert len(rig.wires) == 1


def test_stopped_call_is_not_sent_again() -> None:
    rig = MemoryRig()
    answered(rig)
    call, receiver, wire = sent(rig)
    call.stop()
    wire.close()
    rig.settle()
    assert len(rig.wires) == 1
    assert not receiver.told


# -- the end


def test_stop_closes_idle_and_fails_those_under_way() -> None:
    rig = MemoryRig()
    idle = answered(rig)
    busy_receiver = MemoryReceiver()
    other = dataclasses.replace(ORIGIN, port=81)
    rig.upstream.send(outbound(origin=other), busy_receiver)
    rig.settle()
    connecting = MemoryReceiver()
    rig.upstream.send(outbound(origin=dataclasses.replace(ORIGIN, port=82)), connecting)
    stopped = rig.upstream.stop()
    for receiver in (busy_receiver, connecting):
        assert isinstance(receiver.error, UpstreamBroke)
        assert receiver.error.reason == "shutdown"
    twice = rig.upstream.stop()
    assert not stopped.called
    assert not twice.called
    rig.settle()
    assert stopped.called
    assert twice.called
    assert idle.gone
    assert rig.wires[1].gone
    after = MemoryReceiver()
    rig.upstream.send(outbound(), after)
    assert not after.told
    rig.settle()
    assert after.error is not None
    rig.pass_time(60)
    assert not rig.reactor.getDelayedCalls()


def test_nothing_of_a_call_is_kept_once_it_ended() -> None:
    rig = MemoryRig()
    call, _, wire = sent(rig)
    wire.arrive(OK)
    assert call._receiver is None
    assert call._connection is None
    rig.upstream.stop()
    rig.pass_time(60)
    assert not rig.reactor.getDelayedCalls()
