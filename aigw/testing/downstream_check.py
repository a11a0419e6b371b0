"""The promises every ``IDownstream`` keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from aigw.errors import BodyTooLarge
from aigw.interfaces import IBodySource, IDownstream
from aigw.model.headers import Headers


class DownstreamRig(Protocol):
    """
    What :func:`check_downstream` needs: a request, and the client that sent it: a POST
    of ``/v1/a%20b?x=%2F`` with the body ``12345``.
    """

    @property
    def downstream(self) -> IDownstream:
        """What is checked; nothing was done with it."""

    def fill(self) -> None:
        """The client takes nothing more: the transport is full."""

    def empty(self) -> None:
        """The client has taken all."""

    def leave(self) -> None:
        """The client goes."""

    def settle(self) -> None:
        """Let happen all that is under way."""

    def answer(self) -> tuple[int, Headers, bytes]:
        """The answer as far as the client has it: status (0 before), fields, body."""

    def end(self) -> str:
        """
        How the answer ended for the client: ``complete``, ``broken`` (it cannot look
        complete), or ``""`` as long as it has not.
        """


@implementer(IPushProducer)
class Producer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


def check_downstream(make: Callable[[], DownstreamRig]) -> None:
    """
    Hold a downstream to what :class:`aigw.interfaces.IDownstream` says, as the client
    and the producer behind an answer see it.

    :param make: makes a fresh rig for each promise.
    :raises AssertionError: a promise is broken.
    """
    for promise in _PROMISES:
        promise(make())


def _told(awaitable: Awaitable[Any]) -> Any:
    """What is ready, or its error."""

    async def wait() -> Any:
        return await awaitable

    told: list[Any] = []
    Deferred.fromCoroutine(wait()).addBoth(told.append)
    assert told, "the body was sent, and is not read"
    return told[0].value if isinstance(told[0], Failure) else told[0]


def _the_request_is_told_as_it_was_sent(rig: DownstreamRig) -> None:
    here = rig.downstream
    verifyObject(IDownstream, here)
    for name, sent in (
        ("method", "POST"),
        ("target", b"/v1/a%20b?x=%2F"),
        ("path", "/v1/a b"),
        ("query", b"x=%2F"),
        ("length", 5),
        ("lost", False),
        ("on_lost", None),
    ):
        told = getattr(here, name)
        assert told == sent, f"{name} is {told!r} instead of {sent!r}"
    assert here.scheme in ("http", "https"), f"the scheme is {here.scheme!r}"
    assert here.peer, "the client has an address"
    for field, _ in here.headers:
        assert field == field.lower(), f"{field!r} is not in lower case"
    assert _told(here.read(5)) == b"12345", "the body is another"


def _a_body_over_the_limit_is_refused(rig: DownstreamRig) -> None:
    error = _told(rig.downstream.read(4))
    assert isinstance(error, BodyTooLarge), f"5 bytes read with a limit of 4: {error!r}"


def _the_body_is_a_source_too(rig: DownstreamRig) -> None:
    verifyObject(IBodySource, rig.downstream.source())


def _a_whole_answer_arrives(rig: DownstreamRig) -> None:
    here = rig.downstream
    here.start(201, [(b"x-a", b"1"), (b"x-b", b"2")])
    for piece in (b"one", b"two"):
        here.write(piece)
        rig.settle()
    assert rig.answer()[2] == b"onetwo", f"the client has {rig.answer()[2]!r}"
    assert rig.end() == "", "it ended before its end"
    here.finish()
    rig.settle()
    status, headers, body = rig.answer()
    assert status == 201, f"the status is {status}"
    assert {(b"x-a", b"1"), (b"x-b", b"2")} <= set(headers), f"fields: {headers}"
    assert body == b"onetwo", f"the body is {body!r}"
    assert rig.end() == "complete", f"finished, its end is {rig.end()!r}"


def _an_answer_may_have_no_body(rig: DownstreamRig) -> None:
    here = rig.downstream
    here.start(200, [(b"content-length", b"0")])
    here.finish()
    rig.settle()
    assert (rig.answer()[2], rig.end()) == (b"", "complete")


def _cut_delivers_and_does_not_look_complete(rig: DownstreamRig) -> None:
    here = rig.downstream
    here.start(200, [])
    rig.fill()
    here.write(b"half")
    here.cut()
    rig.empty()
    rig.settle()
    body = rig.answer()[2]
    assert body == b"half", f"what was queued did not arrive: {body!r}"
    assert rig.end() == "broken", f"cut, its end is {rig.end()!r}"


def _abort_does_not_look_complete(rig: DownstreamRig) -> None:
    here = rig.downstream
    here.start(200, [])
    here.write(b"half")
    here.abort()
    rig.settle()
    assert rig.end() == "broken", f"aborted, its end is {rig.end()!r}"


def _a_producer_is_paused_and_resumed(rig: DownstreamRig) -> None:
    here, producer = rig.downstream, Producer()
    here.register(producer)
    here.start(200, [])
    here.write(b"x")
    assert producer.calls == [], f"it starts unpaused, and was told {producer.calls}"
    rig.fill()
    assert producer.calls == ["pause"], f"full, the producer was told {producer.calls}"
    rig.empty()
    assert producer.calls == ["pause", "resume"], f"emptied: {producer.calls}"
    here.unregister()
    here.unregister()
    rig.fill()
    rig.empty()
    rig.leave()
    assert producer.calls == ["pause", "resume"], f"unregistered: {producer.calls}"


def _who_registers_late_is_paused_at_once(rig: DownstreamRig) -> None:
    producer = Producer()
    rig.fill()
    rig.downstream.register(producer)
    assert producer.calls == ["pause"], f"full already: {producer.calls}"
    rig.empty()
    assert producer.calls == ["pause", "resume"], f"emptied: {producer.calls}"


def _leaves(begun: bool) -> Callable[[DownstreamRig], None]:
    def promise(rig: DownstreamRig) -> None:
        """That a client leaves is noticed, once, and every later call accepted."""
        here, producer, lost = rig.downstream, Producer(), list[bool]()
        here.on_lost = lambda: lost.append(here.lost)
        here.register(producer)
        if begun:
            here.start(200, [])
            here.write(b"x")
        rig.leave()
        rig.settle()
        assert lost == [True], f"on_lost was called with lost {lost}"
        assert set(producer.calls) <= {"stop"}, f"the producer: {producer.calls}"
        _every_call_is_accepted(here)
        rig.settle()
        assert lost == [True], "on_lost was called again"

    return promise


def _every_call_is_accepted(here: IDownstream) -> None:
    try:
        here.start(200, [])
        here.write(b"x")
        here.register(Producer())
        here.unregister()
        here.finish()
        here.cut()
        here.abort()
    except Exception as error:
        told = f"after the client has gone a call raised {error!r}"
        raise AssertionError(told) from error


def _who_reads_when_the_client_has_gone_is_told(rig: DownstreamRig) -> None:
    rig.leave()
    rig.settle()
    assert rig.downstream.lost, "the client has gone"
    error = _told(rig.downstream.read(5))
    assert isinstance(error, CancelledError), f"read() told {error!r}"


def _ended(end: str) -> Callable[[DownstreamRig], None]:
    def promise(rig: DownstreamRig) -> None:
        """After its end an answer is nobody's business."""
        here, producer, lost = rig.downstream, Producer(), list[int]()
        here.on_lost = lambda: lost.append(1)
        here.register(producer)
        here.start(200, [])
        here.write(b"x")
        getattr(here, end)()
        rig.settle()
        rig.leave()
        rig.settle()
        assert not lost, f"on_lost was called after {end}"
        assert not producer.calls, f"after {end} the producer: {producer.calls}"

    return promise


_PROMISES: tuple[Callable[[DownstreamRig], None], ...] = (
    _the_request_is_told_as_it_was_sent,
    _a_body_over_the_limit_is_refused,
    _the_body_is_a_source_too,
    _a_whole_answer_arrives,
    _an_answer_may_have_no_body,
    _cut_delivers_and_does_not_look_complete,
    _abort_does_not_look_complete,
    _a_producer_is_paused_and_resumed,
    _who_registers_late_is_paused_at_once,
    *(_leaves(begun) for begun in (False, True)),
    _who_reads_when_the_client_has_gone_is_told,
    *(_ended(end) for end in ("finish", "cut", "abort")),
)
