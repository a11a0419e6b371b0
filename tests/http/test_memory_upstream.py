"""The upstream in memory keeps the promises of the real one."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from aigw.errors import ConnectFailed
from aigw.model.headers import Headers
from aigw.model.outbound import Origin, Outbound
from aigw.testing.upstream import MemoryCall, MemoryReceiver, MemoryUpstream
from aigw.testing.upstream_check import check_upstream

OUTBOUND = Outbound(Origin("http", "example.com", 80), "POST", b"/", [], b"{}")


class MemoryRig:
    """Drives a :class:`MemoryUpstream` by its own plays."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.upstream: MemoryUpstream = MemoryUpstream(self.clock)

    def received(self) -> tuple[str, bytes, bytes]:
        call = self.upstream.last
        outbound = call.outbound
        body = outbound.body if call.upload is None else b"".join(call.taken)
        return outbound.method, outbound.target, body

    def head(self, status: int, headers: Headers) -> None:
        self.upstream.last.head(status, headers)

    def body(self, data: bytes) -> None:
        self.upstream.last.body(data)

    def end(self) -> None:
        self.upstream.last.ended()

    def break_off(self) -> None:
        self.upstream.last.failed()

    def settle(self) -> None:
        call = self.upstream.last
        if call.upload is not None and call.took is None and not call.done:
            call.take()
        self.clock.advance(0)

    def closed(self) -> bool:
        return self.upstream.last.stopped


def test_memory_upstream_keeps_the_promises_of_an_upstream() -> None:
    check_upstream(MemoryRig)


def test_respond_answers_each_request_outside_of_send() -> None:
    clock = Clock()
    upstream = MemoryUpstream(clock)

    def respond(call: MemoryCall) -> None:
        if len(upstream.calls) == 1:
            call.failed(ConnectFailed("refused", reason="connect"))
        else:
            call.answer(200, [], b"{}")

    upstream.respond = respond
    first, second = MemoryReceiver(), MemoryReceiver()
    upstream.send(OUTBOUND, first)
    assert first.told == []
    clock.advance(0)
    assert isinstance(first.error, ConnectFailed)
    upstream.send(OUTBOUND, second)
    clock.advance(0)
    assert [told[0] for told in second.told] == ["head", "body", "ended"]


def test_receiver_refuses_calls_out_of_order() -> None:
    receiver = MemoryReceiver()
    with pytest.raises(AssertionError):
        receiver.body(b"x")
    with pytest.raises(AssertionError):
        receiver.ended()
    receiver.head(200, [])
    with pytest.raises(AssertionError):
        receiver.body(b"")
    receiver.ended()
    with pytest.raises(AssertionError):
        receiver.failed(ConnectFailed("late"))
