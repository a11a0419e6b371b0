"""
What a dialect has to say, before any fault, and the play that is made of it: the steps
of one answer, in order, faults included. Pure; when a step is taken is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any, Protocol

from .knobs import BadKnob, Knobs
from .request import Request


class Kind(Enum):
    """What an event of a stream is for."""

    OTHER = "other"
    CONTENT = "content"
    FINISH = "finish"  # tells the finish reason
    USAGE = "usage"  # tells usage, and only if asked
    TERMINAL = "terminal"


class Ending(Enum):
    """How an answer goes on after its last step."""

    FINISH = "finish"  # the HTTP body is ended
    LINGER = "linger"  # it is not, though there is no more to say
    STALL = "stall"  # silence
    FIN = "fin"
    RST = "rst"


@dataclass(frozen=True, slots=True)
class Asked:
    """
    One request as its dialect understands it.

    :ivar operation: names the fixtures, ``openai-chat``.
    :ivar body: the JSON body; empty where there is none.
    """

    request: Request
    operation: str
    model: str = ""
    stream: bool = False
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """
    A stream as a fixture holds it.

    :ivar events: each with its framing, in order.
    :ivar more: the content event number i (from 0), made to the knobs' measure.
    :ivar error: the event that tells an error in the dialect's words.
    :ivar malformed: an event that cannot be read.
    :ivar corrupt: an event with a wrong checksum, where the framing has one.
    :ivar comment: what says nothing, where the framing has it.
    """

    content_type: bytes
    events: list[tuple[Kind, bytes]]
    more: Callable[[int], bytes]
    error: bytes
    malformed: bytes
    corrupt: Callable[[bytes], bytes] | None = None
    comment: bytes | None = None


class Refused(Exception):
    """
    The provider does not serve this; told in the dialect's words.

    :ivar code: the vendor's word for it, where its errors have one.
    :ivar param: which field of the request, likewise.
    """

    def __init__(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


class Dialect(Protocol):
    """One vendor's API. A new one is a module with its fixtures beside it."""

    def asked(self, request: Request) -> Asked | None:
        """
        What ``request`` asks for; None if its path is not of this dialect.

        :raises Refused: it is, but the vendor would refuse it.
        """

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        """The stream that answers."""

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        """The JSON that answers."""

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        """Fields and body of an error; the words as in :class:`Refused`."""

    def fields(self, number: int) -> list[tuple[str, str]]:
        """The fields the vendor sends with request ``number``."""


@dataclass(frozen=True, slots=True)
class Step:
    """
    Bytes to send.

    :ivar events: how many events they complete.
    :ivar alone: they are a chunk of their own.
    """

    data: bytes
    events: int = 1
    alone: bool = False


Play = Iterator[Step | Ending]


def play(script: Script, knobs: Knobs) -> Play:
    """
    The steps of a stream; the last item, and only that, is an Ending.

    :raises BadKnob: a knob that this framing cannot follow; before the first step.
    """
    if knobs.badcrc is not None and script.corrupt is None:
        raise BadKnob("badcrc: this framing has no checksum")
    if knobs.comments and script.comment is None:
        raise BadKnob("comments: this framing has none")
    return _play(script, knobs)


def whole(body: bytes, knobs: Knobs) -> Play:
    """
    The steps of an answer in one piece, which counts as one event; ``malformed0``
    leaves its last third away.

    :raises BadKnob: a knob that only a stream can follow.
    """
    for name in ("badcrc", "endless", "comments", "crlf", "cr", "noterm", "nofinish"):
        if getattr(knobs, name) not in (None, False):
            raise BadKnob(f"{name} needs a stream")
    if knobs.malformed == 0:
        body = body[: len(body) * 2 // 3]
    return _cut(iter([body]), knobs)


def _play(script: Script, knobs: Knobs) -> Play:
    steps = _cut(_faulty(script, knobs), knobs, script.error)
    if not knobs.comments or script.comment is None:
        yield from steps
        return
    comment = Step(script.comment, events=0, alone=True)
    for step in steps:
        while step is Ending.STALL:
            yield comment
        if isinstance(step, Step):
            yield comment
        yield step


def _cut(events: Iterator[bytes], knobs: Knobs, error: bytes = b"") -> Play:
    """``events`` up to the place where a knob breaks them off."""
    for sent in count():
        if sent == knobs.error and error:
            yield Step(error)
            yield Ending.FINISH
            return
        if sent == knobs.stall:
            yield Ending.STALL
            return
        if sent == knobs.rst:
            yield Ending.RST
            return
        if sent == knobs.fin:
            yield Ending.FIN
            return
        event = next(events, None)
        if event is None:
            yield Ending.LINGER if knobs.linger else Ending.FINISH
            return
        if sent == knobs.mid:
            yield Step(event[: len(event) // 2], events=0)
            yield Ending.FIN
            return
        yield Step(event)


def _faulty(script: Script, knobs: Knobs) -> Iterator[bytes]:
    """All events, those that cannot be read in the places of good ones."""
    for sent, event in enumerate(_wanted(script, knobs)):
        if sent == knobs.malformed:
            yield script.malformed
        elif sent == knobs.badcrc and script.corrupt is not None:
            yield script.corrupt(event)
        else:
            yield event


def _wanted(script: Script, knobs: Knobs) -> Iterator[bytes]:
    made = False
    for kind, event in script.events:
        if kind is Kind.CONTENT and knobs.made:
            if not made:
                made = True
                yield from map(script.more, _numbers(script, knobs))
        elif kind is Kind.FINISH and knobs.nofinish:
            continue
        elif kind is Kind.TERMINAL and (knobs.noterm or knobs.nofinish):
            continue
        else:
            yield event


def _numbers(script: Script, knobs: Knobs) -> Iterator[int]:
    if knobs.endless:
        return count()
    return iter(range(content_events(script.events, knobs)))


def content_events(events: list[tuple[Kind, bytes]], knobs: Knobs) -> int:
    """How many content events are sent: the fixture's, unless ``n`` says."""
    if knobs.n is not None:
        return knobs.n
    return sum(kind is Kind.CONTENT for kind, _ in events)
