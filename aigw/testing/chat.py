"""The promises every ``IChatDialect`` keeps, and its ``IReader`` and ``IWriter``."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from random import Random
from typing import Any

from zope.interface.verify import verifyObject

from aigw import framing as framings
from aigw.errors import BadRequest
from aigw.interfaces import (
    ICarriedDialect,
    IChatDialect,
    IFraming,
    IReader,
    IWriter,
)
from aigw.model import event as events
from aigw.model import sight as sights
from aigw.model.answer import Answer
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.event import Event
from aigw.model.rendered import Rendered, Target

from . import odd
from .carried import check_carried
from .dialect import check_dialect

_NOW = 1_800_000_000.0


def check_chat(
    dialect: IChatDialect,
    requests: Iterable[Envelope],
    *,
    streams: Sequence[bytes],
    answers: Sequence[bytes],
    framing: IFraming | None = None,
) -> None:
    """
    Hold ``dialect`` to what :class:`aigw.interfaces.IChatDialect` says, with its reader
    and writer, and all of it to :func:`aigw.testing.dialect.check_dialect`.

    That what one dialect says arrives in another needs both; it is not looked at here.

    :param requests: as of ``check_dialect``; each can be parsed.
    :param streams: likewise; one at least is complete, and is no error.
    :param answers: likewise.
    :param framing: likewise.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(IChatDialect, dialect)
    requests = list(requests)
    check_dialect(dialect, requests, streams=streams, answers=answers, framing=framing)
    for word in dialect.can:
        assert isinstance(word, str), f"{word!r} is no word for what it can"
    for prefix in dialect.private_headers:
        assert prefix == prefix.lower(), f"{prefix!r} is not in lower case"
    calls = [_check_parse(dialect, request) for request in requests]
    for request in requests:
        _check_odd_requests(dialect, request)
    cut = framing or framings.get(dialect.framing)
    if ICarriedDialect.providedBy(dialect):
        held = chain.from_iterable(cut.decode_buf(stream)[0] for stream in streams)
        check_carried(dialect, requests, held)
    complete = 0
    for turn, stream in enumerate(streams):
        frames = cut.decode_buf(stream)[0]
        told = _check_reader(dialect, frames)
        _check_odd_frames(dialect, frames, Random(turn))
        if told and isinstance(told[-1], events.Ended):
            complete += 1
            _check_writer(dialect, cut, calls[0], told)
    assert complete, "give a stream that is complete"
    for answer in answers:
        _check_answer(dialect, calls[0], answer)
    _check_odd_answers(dialect, answers)


# -- requests


def _check_parse(dialect: IChatDialect, request: Envelope) -> Call:
    before = copy.deepcopy(request)
    call = dialect.parse(request)
    assert isinstance(call, Call), f"parse() gave {call!r}"
    carries = ICarriedDialect.providedBy(dialect)
    origin = ICarriedDialect(dialect).carries if carries else dialect.name
    assert call.origin == origin, f"its origin is {call.origin!r}"
    assert call == dialect.parse(request), "the same request is parsed in two ways"
    assert request == before, "the request was changed"
    kept = copy.deepcopy(call)
    rendered = dialect.render(call, Target(model="another"))
    assert call == kept, "the call was changed"
    assert isinstance(rendered, Rendered), f"render() gave {rendered!r}"
    body = json.loads(rendered.body)
    assert isinstance(body, dict), f"a request is an object, not {rendered.body!r}"
    assert rendered == dialect.render(call, Target(model="another")), "rendered twice"
    assert not rendered.dropped, f"it cannot say its own: {rendered.dropped}"
    again = copy.copy(request)
    again.open(rendered.body)
    assert dialect.detect(again), f"not taken for its own: {rendered.body!r}"
    assert dialect.parse(again).messages == call.messages, "messages were changed"
    return call


def _check_odd_requests(dialect: IChatDialect, request: Envelope) -> None:
    """What has the wrong type is refused with its name, or carried; never more."""
    for body in odd.bodies([request.body], Random(4), 200):
        other = copy.copy(request)
        try:
            other.open(body)
        except BadRequest:
            continue
        if not dialect.detect(other):
            continue
        try:
            call = dialect.parse(other)
            dialect.render(call, Target(model="another"))
        except BadRequest as error:
            if error.message:
                continue
            raise AssertionError(f"why {body!r} is refused is not said") from error
        except Exception as error:
            raise AssertionError(f"{error!r} at the request {body!r}") from error


# -- answers, read


def _reader(dialect: IChatDialect) -> IReader:
    return dialect.reader(Rendered(b"{}"))


def _check_reader(dialect: IChatDialect, frames: Sequence[Any]) -> list[Event]:
    reader = _reader(dialect)
    verifyObject(IReader, reader)
    told = _read(reader, frames)
    again = _read(_reader(dialect), frames)
    assert told == again, "the same stream is read in two ways"
    return told


def _read(reader: IReader, frames: Iterable[Any]) -> list[Event]:
    """All events, the end's too; nothing may follow the last."""
    told: list[Event] = []
    over = False
    for frame in frames:
        given = reader.feed(frame)
        assert isinstance(given, list), f"feed() gave {given!r}"
        assert not (over and given), f"after the end {frame!r} told {given}"
        told += given
        over = any(isinstance(each, events.Ended | events.Failed) for each in told)
    given = reader.end()
    assert not (over and given), f"after the end, end() told {given}"
    told += given
    for place, event in enumerate(told):
        assert isinstance(event, Event), f"{event!r} is no event"
        if isinstance(event, events.Ended | events.Failed):
            assert place == len(told) - 1, f"{told[place + 1]} behind {event}"
    return told


def _check_odd_frames(
    dialect: IChatDialect, frames: Sequence[Any], chance: Random
) -> None:
    """Each frame behind those that stand before it, changed; then the rest."""
    for frame in odd.frames(frames, chance):
        place = chance.randrange(len(frames) + 1)
        reader = _reader(dialect)
        try:
            _read(reader, [*frames[:place], frame, *frames[place:]])
        except AssertionError:
            raise
        except Exception as error:
            told = f"{error!r} at {repr(frame)[:300]}, frame {place}"
            raise AssertionError(told) from error


def _check_odd_answers(dialect: IChatDialect, answers: Sequence[bytes]) -> None:
    for body in odd.bodies(answers, Random(5)):
        shown = repr(body)[:300]
        try:
            whole = _reader(dialect).whole(body)
            failed = _reader(dialect).problem(418, [(b"retry-after", b"x")], body)
        except Exception as error:
            raise AssertionError(f"{error!r} at the answer {shown}") from error
        assert isinstance(whole, Answer | events.Failed), f"{whole!r} from {shown}"
        assert isinstance(failed, events.Failed), f"problem() told {failed!r}"
        assert failed.status == 418, f"status 418 is told as {failed.status}"


# -- answers, written


def _write(writer: IWriter, told: Iterable[Event]) -> list[Any]:
    frames = [frame for event in told for frame in writer.feed(event)]
    return frames + writer.end()


def _seen(dialect: IChatDialect, frames: Iterable[Any]) -> list[int]:
    tap = dialect.tap()
    return [tap.feed(frame) for frame in frames]


def _check_writer(
    dialect: IChatDialect, cut: IFraming, call: Call, told: list[Event]
) -> None:
    call = replace(call, messages=())
    writer = dialect.writer(call, _NOW, "req-1")
    verifyObject(IWriter, writer)
    frames = _write(writer, told)
    encoded = b"".join(cut.encode(frame) for frame in frames)
    assert cut.decode(encoded) == frames, "the frames written cannot be carried"
    if dialect.terminal:
        seen = _seen(dialect, frames)
        assert seen[-1] & sights.TERMINAL, f"the last frame is {frames[-1]!r}"
        ends = sum(bool(each & sights.TERMINAL) for each in seen)
        assert ends == 1, f"{ends} terminal frames were written"
    again = _read(_reader(dialect), frames)
    assert isinstance(again[-1], events.Ended), f"read again it ends by {again[-1]}"
    assert _text(again) == _text(told), "read again the text is another"
    failed = events.Failed("overloaded", 503, "it is too much", 1.5)
    for place in range(len(told)):
        # An event may come in any state; what came before it must not end well.
        writer = dialect.writer(call, _NOW, "req-1")
        frames = _write(writer, [*told[:place], failed])
        seen = _seen(dialect, frames)
        assert not any(each & sights.TERMINAL for each in seen), (
            f"failed behind {place} events, it looks complete: {frames[-1]!r}"
        )
        writer = dialect.writer(call, _NOW, "req-1")
        for event in told[:place]:
            writer.feed(event)
        left = writer.end()
        assert not left, f"broken off behind {place} events, it is ended by {left!r}"


def _text(told: Iterable[Event]) -> str:
    return "".join(event.text for event in told if isinstance(event, events.Text))


def _check_answer(dialect: IChatDialect, call: Call, body: bytes) -> None:
    answer = _reader(dialect).whole(body)
    assert isinstance(answer, Answer), f"{body!r} is read as {answer!r}"
    written = dialect.writer(call, _NOW, "req-1").whole(answer)
    assert isinstance(json.loads(written), dict), f"an answer is no {written!r}"
    again = _reader(dialect).whole(written)
    assert isinstance(again, Answer), f"{written!r} is read as {again!r}"
    assert again.usage == answer.usage, f"usage became {again.usage}"
    finishes = [choice.finish for choice in answer.choices]
    assert [choice.finish for choice in again.choices] == finishes, "another finish"
