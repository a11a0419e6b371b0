"""Uploads on their way to a provider, in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from zope.interface import implementer

from aigw.errors import UpstreamBroke, UpstreamTimeout
from aigw.http.upstream import Call
from aigw.interfaces import IBodySource
from aigw.model.outbound import Patience
from aigw.testing.upstream import MemoryReceiver

from .test_upstream import OK, written
from .wire import MemoryRig, Wire, outbound


@implementer(IBodySource)
class Source:
    """A body that comes when the test says."""

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self.told: list[str] = []
        self.write: Callable[[bytes], None]
        self.finish: Callable[[], None]
        self.failed: Callable[[Exception], None]

    def start(
        self,
        write: Callable[[bytes], None],
        finish: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.told.append("start")
        self.write, self.finish, self.failed = write, finish, failed

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def stop(self) -> None:
        self.told.append("stop")


def sent(
    rig: MemoryRig, source: Source, patience: Patience = Patience()
) -> tuple[Call, MemoryReceiver, Wire]:
    receiver = MemoryReceiver()
    request = outbound(body=b"", patience=patience)
    call = rig.upstream.send(request, receiver, source)
    assert source.told == [], "begun before a connection stands"
    rig.settle()
    return call, receiver, rig.wire


@pytest.mark.parametrize(
    ("length", "field", "body"),
    [
        (5, b"content-length: 5", b"abcde"),
        (None, b"transfer-encoding: chunked", b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
        (0, b"content-length: 0", b""),
    ],
)
def test_it_is_framed_by_what_is_known_of_it(
    length: int | None, field: bytes, body: bytes
) -> None:
    source = Source(length)
    call, receiver, wire = sent(MemoryRig(), source)
    if length != 0:
        source.write(b"ab")
        source.write(b"cde")
    assert call.sent_at is None
    source.finish()
    assert call.sent_at is not None
    head, _, rest = written(wire).partition(b"\r\n\r\n")
    assert field in head.split(b"\r\n")
    assert rest == body
    wire.arrive(OK)
    assert receiver.complete


def test_an_empty_piece_is_no_last_chunk() -> None:
    source = Source()
    _, _, wire = sent(MemoryRig(), source)
    source.write(b"")
    source.write(b"ab")
    source.finish()
    assert written(wire).endswith(b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


@pytest.mark.parametrize("body", [b"abcd", b"abcdef"])
def test_what_has_not_its_announced_length_is_broken_off(body: bytes) -> None:
    source = Source(5)
    _, receiver, wire = sent(MemoryRig(), source)
    source.write(body)
    if not receiver.done:
        source.finish()
    assert isinstance(receiver.error, UpstreamBroke)
    assert not written(wire).endswith(b"abcdef")
    assert source.told[-1] == "stop"
    assert wire.ended == "rst"


def test_a_full_transport_pauses_the_source_and_resumes_it() -> None:
    rig = MemoryRig()
    source = Source()
    call, _, wire = sent(rig, source)
    wire.taking = False
    source.write(b"ab")
    source.write(b"c")
    assert source.told == ["start", "pause", "pause"]
    wire.taking = True
    wire.drain()
    assert source.told[-1] == "resume"
    assert source.told.count("resume") == 1
    wire.taking = False
    source.write(b"d")
    source.finish()
    assert call.sent_at is None, "not all of it is taken"
    wire.drain()
    assert call.sent_at is not None


def test_the_send_deadline_runs_only_while_the_provider_takes_nothing() -> None:
    rig = MemoryRig()
    source = Source()
    _, receiver, wire = sent(rig, source, Patience(send=1, read=1))
    rig.pass_time(5)
    assert not receiver.done, "it is the client who is slow"
    wire.taking = False
    source.write(b"a")
    rig.pass_time(0.5)
    wire.drain()
    rig.pass_time(5)
    assert not receiver.done
    source.write(b"b")
    rig.pass_time(2)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "send"
    assert source.told[-1] == "stop"
    assert wire.ended == "rst"


def test_the_read_deadline_runs_from_its_end() -> None:
    rig = MemoryRig()
    source = Source()
    _, receiver, _ = sent(rig, source, Patience(read=1))
    rig.pass_time(5)
    source.finish()
    rig.pass_time(2)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "read"


def test_an_answer_may_come_while_it_runs() -> None:
    source = Source()
    _, receiver, wire = sent(MemoryRig(), source)
    wire.arrive(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
    assert receiver.data == b"o"
    source.write(b"ab")
    source.finish()
    assert written(wire).endswith(b"2\r\nab\r\n0\r\n\r\n")
    wire.arrive(b"k")
    assert receiver.complete


def test_an_answer_that_ends_before_it_stops_it() -> None:
    rig = MemoryRig()
    source = Source()
    _, receiver, wire = sent(rig, source)
    wire.arrive(OK)
    assert receiver.complete
    assert source.told == ["start", "stop"]
    assert wire.ended == "rst", "the rest of it would be taken for a request"
    source.write(b"late")
    source.finish()
    assert b"late" not in written(wire)


def test_stopping_the_call_stops_it() -> None:
    source = Source()
    call, receiver, wire = sent(MemoryRig(), source)
    call.stop()
    assert source.told == ["start", "stop"]
    assert wire.ended == "rst"
    assert not receiver.done


def test_a_lost_connection_stops_it() -> None:
    source = Source()
    _, receiver, wire = sent(MemoryRig(), source)
    wire.reset()
    assert "stop" in source.told
    assert isinstance(receiver.error, UpstreamBroke)


def test_a_source_that_fails_breaks_the_request_off() -> None:
    source = Source()
    _, receiver, wire = sent(MemoryRig(), source)
    source.write(b"ab")
    source.failed(ValueError("gone"))
    assert receiver.error is not None
    assert wire.ended == "rst"
    assert not written(wire).endswith(b"0\r\n\r\n")


def test_it_never_goes_on_a_connection_used_before() -> None:
    rig = MemoryRig()
    receiver = MemoryReceiver()
    rig.upstream.send(outbound(), receiver)
    rig.settle()
    rig.wire.arrive(OK)
    source = Source()
    sent(rig, source)
    assert len(rig.wires) == 2
    source.finish()
    rig.wire.arrive(OK)
    assert rig.upstream.parked(outbound().origin) == 2
