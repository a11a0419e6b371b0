"""
Knobs: how a request says what the mock provider shall do with it, by its model's name
(``mock-n100-d20-stall3``) or by an ``x-mock`` field (``n=100, d=20, stall=3``).

What is not understood is refused, never ignored: a test that asks for a fault which
then does not happen would pass for the wrong reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

#: ``mock`` as a word of its own, then the knobs, up to a byte no knob can hold. What
#: stands before it (``us.acme.``, an ARN) and behind it (``:0``) may be anything.
_NAME: Final = re.compile(r"(?<![A-Za-z0-9])mock((?:-[a-z0-9.]+)*)(?![a-z0-9])")
_KNOB: Final = re.compile(r"([a-z]+)(?:=?([0-9]+(?:\.[0-9]+)?))?\Z")


class BadKnob(ValueError):
    """A knob is unknown, lacks its number, or cannot go with this request."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """
    What to do with one request. Events are what the framing carries (SSE blocks,
    EventStream frames), counted from the first that is sent; comments are none.

    :ivar n: content events; None leaves the fixture's own.
    :ivar s: bytes of each content event, its framing included (a shorter one than an
        empty event is not possible); None leaves the fixture's texts.
    :ivar d: ms between chunks.
    :ivar b: events in a chunk.
    :ivar c: a chunk is cut so that none is larger than this many bytes.
    :ivar f: ms before the head.
    :ivar g: ms between the head and the first chunk.
    :ivar stall: events after which nothing comes any more.
    :ivar rst: events after which the connection is reset.
    :ivar fin: events after which the connection is closed, HTTP unfinished.
    :ivar mid: as ``fin``, with half of the next event sent before.
    :ivar error: events after which an error event ends the stream, HTTP well ended.
    :ivar malformed: events after which one comes that cannot be read.
    :ivar badcrc: events after which one comes whose checksum is wrong.
    :ivar status: answer with this status and the dialect's error.
    :ivar retry: seconds in a Retry-After field.
    :ivar first: the knobs hold for this many requests that ask for the same; later
        ones are answered plainly.
    :ivar endless: content events without end.
    :ivar gzip: the body is coded, whatever Accept-Encoding says.
    :ivar json: a whole answer although a stream was asked for.
    :ivar noterm: the terminal event is left out, HTTP well ended.
    :ivar nofinish: the event with the finish reason and the terminal one are left out.
    :ivar nohead: never answer.
    :ivar linger: after the last event the HTTP body is not ended.
    :ivar comments: a comment in a chunk of its own before each event, and with
        ``stall`` one after the other from then on (``d`` is then 100 unless given).
    :ivar crlf: lines end in CRLF; ``cr`` in CR.
    :ivar usage: the usage event is sent though not asked for; ``nousage``: never.
    :ivar eof: the body has no length and ends with the connection.
    :ivar close: ``Connection: close``, and the connection is closed after the answer.
    :ivar hints: a 103 response comes before the final one.
    :ivar scenario: which of the dialect's fixtures; any word that is no knob.
    """

    n: int | None = None
    s: int | None = None
    d: float = 0.0
    b: int = 1
    c: int | None = None
    f: float = 0.0
    g: float = 0.0
    stall: int | None = None
    rst: int | None = None
    fin: int | None = None
    mid: int | None = None
    error: int | None = None
    malformed: int | None = None
    badcrc: int | None = None
    status: int | None = None
    retry: float | None = None
    first: int | None = None
    endless: bool = False
    gzip: bool = False
    json: bool = False
    noterm: bool = False
    nofinish: bool = False
    nohead: bool = False
    linger: bool = False
    comments: bool = False
    crlf: bool = False
    cr: bool = False
    usage: bool = False
    nousage: bool = False
    eof: bool = False
    close: bool = False
    hints: bool = False
    scenario: str = "text"

    @property
    def pace(self) -> float:
        """Seconds between chunks."""
        endless_comments = self.comments and self.stall is not None
        return (self.d or (100.0 if endless_comments else 0.0)) / 1000

    @property
    def made(self) -> bool:
        """Whether content events are made, and not the fixture's own."""
        return self.n is not None or self.s is not None or self.endless


_TYPES: Final = {
    field.name: str(field.type) for field in fields(Knobs) if field.name != "scenario"
}

#: Every knob there is.
NAMES: Final = frozenset(_TYPES)


def from_name(model: str) -> Knobs:
    """
    The knobs in a model's name.

    :raises BadKnob: as :func:`from_field`.
    """
    found = _NAME.search(model)
    return _knobs(found[1].split("-")[1:]) if found else Knobs()


def from_field(value: str) -> Knobs:
    """
    The knobs in an ``x-mock`` field, ``n=100, stall=3, gzip``.

    :raises BadKnob: a knob is malformed, lacks its number, or has one it does not take.
    """
    return _knobs(part for item in value.split(",") if (part := item.strip()))


def _knobs(words: Iterator[str] | list[str]) -> Knobs:
    given: dict[str, object] = {}
    for word in words:
        match = _KNOB.match(word)
        if match is None:
            raise BadKnob(f"{word!r} is not a knob")
        name, number = match.groups()
        value: object = word
        if name in NAMES:
            value = _value(name, number)
        else:
            # Whether there is such a fixture, the dialect knows.
            name = "scenario"
        if name in given:
            raise BadKnob(f"{word!r}: {name} is there already")
        given[name] = value
    knobs = replace(Knobs(), **given)  # type: ignore[arg-type]  # typed by _value
    if knobs.b < 1 or knobs.c == 0:
        raise BadKnob("b and c are at least 1")
    return knobs


def _value(name: str, number: str | None) -> object:
    kind = _TYPES[name]
    if kind == "bool":
        if number is not None:
            raise BadKnob(f"{name} takes no number")
        return True
    if number is None:
        raise BadKnob(f"{name} needs a number, as in {name}3")
    if kind.startswith("float"):
        return float(number)
    if "." in number:
        raise BadKnob(f"{name} takes a whole number")
    return int(number)
