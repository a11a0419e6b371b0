"""The promises every ``IUpstream`` keeps, as one check."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol

from zope.interface.verify import verifyObject

from aigw.errors import UpstreamBroke
from aigw.http.held import HeldBody
from aigw.interfaces.upstream import IUpstream, IUpstreamCall
from aigw.model.headers import Headers
from aigw.model.outbound import Origin, Outbound

from .upstream import MemoryReceiver


class UpstreamRig(Protocol):
    """
    What :func:`check_upstream` needs to drive an ``IUpstream``: the upstream and the
    provider at its other end, which has one request at a time.
    """

    @property
    def upstream(self) -> IUpstream:
        """What is checked."""

    def received(self) -> tuple[str, bytes, bytes]:
        """Method, target and body of the newest request that reached the provider."""

    def head(self, status: int, headers: Headers) -> None:
        """The provider sends a head; the body that follows has no known length."""

    def body(self, data: bytes) -> None:
        """The provider sends a piece of body."""

    def end(self) -> None:
        """The provider ends its answer properly."""

    def break_off(self) -> None:
        """The provider breaks off."""

    def settle(self) -> None:
        """Let happen all that is under way."""

    def closed(self) -> bool:
        """Whether the newest request was given up, as the provider sees it."""


def check_upstream(make: Callable[[], UpstreamRig]) -> None:
    """
    Check that an ``IUpstream`` keeps the interface's promises.

    :param make: makes a fresh rig for each promise.
    :raises AssertionError: one is broken.
    """
    for promise in _PROMISES:
        promise(make())


def _get() -> Outbound:
    return Outbound(Origin("http", "127.0.0.1", 80), "GET", b"/v1/models?a=b", [], b"")


def _sent(rig: UpstreamRig) -> tuple[IUpstreamCall, MemoryReceiver]:
    receiver = MemoryReceiver()
    call = rig.upstream.send(_get(), receiver)
    rig.settle()
    return call, receiver


def _whole_answer_arrives_in_order(rig: UpstreamRig) -> None:
    verifyObject(IUpstream, rig.upstream)
    outbound = _get()
    outbound.method, outbound.target, outbound.body = "POST", b"/v1/chat", b'{"a":1}'
    receiver = MemoryReceiver()
    call = rig.upstream.send(outbound, receiver)
    verifyObject(IUpstreamCall, call)
    assert call.address == "127.0.0.1:80"
    assert not receiver.told, "called from inside send"
    rig.settle()
    assert rig.received() == ("POST", b"/v1/chat", b'{"a":1}')
    assert call.connected_at is not None
    assert call.sent_at is not None
    assert call.connected_at <= call.sent_at
    rig.head(200, [(b"x-test", b"1")])
    rig.settle()
    rig.body(b"one")
    rig.settle()
    rig.body(b"two")
    rig.settle()
    rig.end()
    rig.settle()
    assert [told[0] for told in receiver.told] == ["head", "body", "body", "ended"]
    assert receiver.status == 200
    assert (b"x-test", b"1") in receiver.headers
    assert receiver.pieces == [b"one", b"two"]
    call.stop()
    call.pause()
    call.resume()
    rig.settle()
    assert len(receiver.told) == 4


def _an_upload_is_sent_in_place_of_the_body(rig: UpstreamRig) -> None:
    outbound = _get()
    outbound.method = "POST"
    file = BytesIO(b"uploaded")
    receiver = MemoryReceiver()
    call = rig.upstream.send(outbound, receiver, HeldBody(file, 8))
    assert not file.tell(), "the upload was begun inside send"
    rig.settle()
    assert rig.received() == ("POST", b"/v1/models?a=b", b"uploaded")
    assert call.sent_at is not None
    rig.head(200, [])
    rig.end()
    rig.settle()
    assert receiver.complete


def _an_upload_is_left_alone_where_the_call_is_stopped(rig: UpstreamRig) -> None:
    file = BytesIO(b"uploaded")
    rig.upstream.send(_get(), MemoryReceiver(), HeldBody(file, 8)).stop()
    rig.settle()
    assert not file.tell(), "an upload was begun for a call that was stopped"


def _nothing_arrives_while_paused_and_all_after(rig: UpstreamRig) -> None:
    call, receiver = _sent(rig)
    rig.head(200, [])
    rig.settle()
    call.pause()
    call.pause()
    rig.body(b"held")
    rig.end()
    rig.settle()
    assert receiver.pieces == []
    assert not receiver.done
    call.resume()
    assert receiver.pieces == [], "called from inside resume"
    call.resume()
    rig.settle()
    assert receiver.data == b"held"
    assert receiver.complete


def _loss_while_paused_is_told_on_resume(rig: UpstreamRig) -> None:
    call, receiver = _sent(rig)
    rig.head(200, [])
    rig.settle()
    call.pause()
    rig.break_off()
    rig.settle()
    assert not receiver.done
    call.resume()
    rig.settle()
    assert isinstance(receiver.error, UpstreamBroke)


def _break_is_told_once(rig: UpstreamRig) -> None:
    call, receiver = _sent(rig)
    rig.head(200, [])
    rig.body(b"some")
    rig.break_off()
    rig.settle()
    assert receiver.data == b"some"
    assert isinstance(receiver.error, UpstreamBroke)
    assert receiver.error.reason
    call.stop()
    rig.settle()
    assert receiver.told[-1][0] == "failed"


def _stop_silences_at_any_time(rig: UpstreamRig) -> None:
    call, receiver = _sent(rig)
    rig.head(200, [])
    rig.body(b"some")
    rig.settle()
    call.stop()
    call.stop()
    rig.settle()
    assert rig.closed()
    rig.body(b"more")
    rig.break_off()
    rig.settle()
    assert [told[0] for told in receiver.told] == ["head", "body"]


def _stop_before_the_head(rig: UpstreamRig) -> None:
    receiver = MemoryReceiver()
    rig.upstream.send(_get(), receiver).stop()
    rig.settle()
    call, second = _sent(rig)
    call.stop()
    rig.settle()
    assert rig.closed()
    assert receiver.told == second.told == []


def _stop_while_paused(rig: UpstreamRig) -> None:
    call, receiver = _sent(rig)
    rig.head(200, [])
    rig.settle()
    call.pause()
    rig.body(b"held")
    rig.settle()
    call.stop()
    call.resume()
    rig.settle()
    assert rig.closed()
    assert [told[0] for told in receiver.told] == ["head"]


def _stop_from_inside_a_call(rig: UpstreamRig) -> None:
    for word, calls in (("head", ["head"]), ("body", ["head", "body"])):
        call, receiver = _sent(rig)

        def stop(
            told: tuple[Any, ...], word: str = word, call: IUpstreamCall = call
        ) -> None:
            if told[0] == word:
                call.stop()

        receiver.react = stop
        rig.head(200, [])
        rig.body(b"some")
        rig.end()
        rig.settle()
        assert [told[0] for told in receiver.told] == calls


_PROMISES = (
    _whole_answer_arrives_in_order,
    _an_upload_is_sent_in_place_of_the_body,
    _an_upload_is_left_alone_where_the_call_is_stopped,
    _nothing_arrives_while_paused_and_all_after,
    _loss_while_paused_is_told_on_resume,
    _break_is_told_once,
    _stop_silences_at_any_time,
    _stop_before_the_head,
    _stop_while_paused,
    _stop_from_inside_a_call,
)
