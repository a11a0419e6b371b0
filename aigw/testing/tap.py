"""The promises every ``ITap`` keeps, and what its dialect says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from zope.interface.verify import verifyObject

from aigw.interfaces import IDialect, IFraming, ITap
from aigw.model import sight as sights
from aigw.model.usage import Usage
from aigw.streaming.passthrough import Passthrough

from . import odd


def check_tap(
    dialect: IDialect,
    framing: IFraming | None,
    streams: Sequence[bytes],
    answers: Sequence[bytes],
) -> None:
    """
    Hold the taps of ``dialect`` to what :class:`aigw.interfaces.ITap` says: they see
    the same however an answer is cut and whichever frames without marks are left out,
    and never raise. Part of :func:`aigw.testing.dialect.check_dialect`.

    :param framing: None where the dialect never streams.
    :param streams: as of ``check_dialect``.
    :param answers: likewise.
    :raises AssertionError: a promise is broken.
    """
    _check_whole(dialect, answers)
    if framing is not None:
        _check_streams(dialect, framing, streams)
        _check_odd(dialect, framing, streams)


def _state(tap: ITap) -> dict[str, Any]:
    """All that a tap tells; its types are looked at too."""
    assert tap.usage is None or isinstance(tap.usage, Usage), f"{tap.usage!r}"
    assert isinstance(tap.model, str), f"the model is {tap.model!r}"
    assert isinstance(tap.tool_calls, bool), f"tool_calls is {tap.tool_calls!r}"
    assert isinstance(tap.finished, bool), f"finished is {tap.finished!r}"
    assert tap.error is None or isinstance(tap.error, Mapping), f"{tap.error!r}"
    assert isinstance(tap.marks, tuple), f"marks are {tap.marks!r}"
    assert all(isinstance(mark, bytes) and mark for mark in tap.marks), tap.marks
    assert isinstance(tap.text(), str), f"the text is {tap.text()!r}"
    names = ("usage", "model", "tool_calls", "finished", "error")
    return {**{name: getattr(tap, name) for name in names}, "text": tap.text()}


def _check_whole(dialect: IDialect, answers: Sequence[bytes]) -> None:
    for body in answers:
        tap, again, collecting = dialect.tap(), dialect.tap(), dialect.tap(True)
        for each in (tap, again, collecting):
            verifyObject(ITap, each)
            fresh = _state(each)
            assert not any(fresh.values()), f"a fresh tap tells {fresh}"
            each.whole(body)
        assert tap.usage is not None, f"no usage is seen in {body!r}"
        assert _state(tap) == _state(again), "the same answer is seen in two ways"
        assert tap.text() == "", "nobody asked for the text"
        told, collected = _state(tap), _state(collecting)
        told["text"] = collected["text"]
        assert told == collected, "who collects the text sees another answer"
    for body in odd.bodies(answers, Random(2)):
        tap = dialect.tap(True)
        try:
            tap.whole(body)
            _state(tap)
        except Exception as error:
            raise AssertionError(f"{error!r} at the answer {body[:300]!r}") from error


def _check_streams(dialect: IDialect, cut: IFraming, streams: Sequence[bytes]) -> None:
    ended = told = False
    for stream in streams:
        seen, tap = _fed(dialect, cut, stream)
        told = told or tap.usage is not None
        ended = ended or any(each & sights.TERMINAL for each in seen)
        _check_cuts(dialect, cut, stream, seen, _state(tap))
    if dialect.terminal:
        assert ended, "no stream has a terminal frame; give one that has"
        assert told, "no stream tells usage; give one that does"


def _fed(dialect: IDialect, cut: IFraming, stream: bytes) -> tuple[list[int], ITap]:
    """
    Feed each frame to one tap, and to another only those that its marks ask for: both
    must see the same.
    """
    tap, other = dialect.tap(), dialect.tap()
    verifyObject(ITap, tap)
    seen: list[int] = []
    content = False
    for raw, frame in _pieces(cut, stream):
        sight = tap.feed(frame)
        assert isinstance(sight, int), f"feed() gave {sight!r}"
        if any(each & sights.TERMINAL for each in seen):
            assert not sight & sights.CONTENT, f"content behind the end: {frame!r}"
        seen.append(sight)
        if content and not any(mark in raw for mark in other.marks):
            # What is left out counts as content, which is progress too.
            more = sight & ~(sights.CONTENT | sights.PROGRESS)
            assert not more, f"no mark stands in {frame!r}, which has sight {more}"
        else:
            content = bool(other.feed(frame) & sights.CONTENT) or content
    whole, skipped = _state(tap), _state(other)
    assert whole == skipped, f"frames without marks tell something: {whole}, {skipped}"
    assert tap.text() == "", "nobody asked for the text"
    return seen, tap


def _pieces(cut: IFraming, stream: bytes) -> Iterable[tuple[bytes, Any]]:
    """The frames of ``stream``, each with the bytes that completed it."""
    decoder, begun = cut.decoder(), 0
    for at in range(1, len(stream) + 1):
        for frame in decoder.feed(stream[at - 1 : at]):
            yield stream[begun:at], frame
            begun = at
    for frame in decoder.end():
        yield stream[begun:], frame


def _check_cuts(
    dialect: IDialect,
    cut: IFraming,
    stream: bytes,
    seen: list[int],
    state: dict[str, Any],
) -> None:
    """However a stream is cut into reads, it is seen in the same way."""
    chance = Random(3)
    once = 0
    for sight in seen:
        once |= sight & (sights.TERMINAL | sights.ERROR)
    texts = set()
    for turn in range(30):
        places = sorted(chance.randrange(len(stream) + 1) for _ in range(turn))
        for collect in (False, True):
            tap = dialect.tap(collect)
            way = Passthrough(cut, tap, terminates=dialect.terminal, watch=collect)
            sight = 0
            for begin, end in zip([0, *places], [*places, len(stream)], strict=True):
                way.feed(stream[begin:end])
                sight |= way.sight
            way.end()
            sight |= way.sight
            found = _state(tap)
            if collect:
                texts.add(found["text"])
                found["text"] = state["text"]
            assert found == state, f"cut at {places}: {found} instead of {state}"
            assert sight & (sights.TERMINAL | sights.ERROR) == once, f"cut at {places}"
    assert len(texts) == 1, f"the text depends on the cut: {texts}"


def _check_odd(dialect: IDialect, cut: IFraming, streams: Sequence[bytes]) -> None:
    """Nothing that a frame can hold is too much for a tap."""
    for turn, stream in enumerate(streams):
        for collect in (False, True):
            tap = dialect.tap(collect)
            for frame in odd.frames(cut.decode_buf(stream)[0], Random(turn)):
                try:
                    sight = tap.feed(frame)
                    _state(tap)
                except Exception as error:
                    told = f"{error!r} at {repr(frame)[:300]}"
                    raise AssertionError(told) from error
                assert isinstance(sight, int), f"feed() gave {sight!r}"
