"""The promises every ``IDialect`` keeps, and its ``ITap``."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from random import Random
from typing import Any

from zope.interface.verify import verifyObject

from aigw import errors
from aigw.errors import GatewayError
from aigw.framing import get
from aigw.interfaces import IDialect, IFraming
from aigw.model import sight as sights
from aigw.model.envelope import Envelope
from aigw.model.headers import first

from . import odd
from .tap import check_tap

_WHY = "it said \"no\" <\\>\n\t'é\u2028\U0001f600'"
_ASCII = "plain words"
_SECRET = "what only the log may hold"


def check_dialect(
    dialect: IDialect,
    requests: Iterable[Envelope],
    *,
    streams: Sequence[bytes] = (),
    answers: Sequence[bytes] = (),
    framing: IFraming | None = None,
) -> None:
    """
    Hold ``dialect`` and its tap to what :class:`aigw.interfaces.IDialect` and
    :class:`aigw.interfaces.ITap` say. A second or two.

    :param requests: requests of this dialect, their bodies opened.
    :param streams: bodies of streamed answers, complete or not. Of a dialect whose
        streams end with a terminal frame one at least ends so, and one tells usage.
    :param answers: bodies of JSON answers that tell what they used.
    :param framing: the framing of its streams where that is a third party's.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(IDialect, dialect)
    assert dialect.name, "a dialect has a name"
    requests = list(requests)
    assert requests, "give at least one request"
    for request in requests:
        _check_request(dialect, request)
    for error in some_errors():
        _check_problem(dialect, error)
    if dialect.framing:
        framing = framing or get(dialect.framing)
        assert framing.name == dialect.framing, f"a framing named {dialect.framing!r}?"
        _check_broken(dialect, framing, streams)
    else:
        assert not streams, "a dialect without a framing has no streams"
    check_tap(dialect, framing, streams, answers)


def some_errors() -> list[GatewayError]:
    """Errors of every kind of word, with and without a wait, told in odd words."""
    made = [
        kind(text, detail=_SECRET)
        for text in (_WHY, _ASCII)
        for kind in (
            *(GatewayError, errors.BadRequest, errors.BodyTooLarge),
            *(errors.UpstreamBroke, errors.UpstreamTimeout, errors.NotSupported),
            *(errors.Unavailable, errors.DeadlinePassed, errors.AllFailed),
        )
    ]
    return [
        *made,
        GatewayError("", detail=_SECRET),
        errors.AllThrottled(_ASCII, retry_after=1.2, detail=_SECRET),
        errors.UpstreamError(_WHY, status=503, kind="overloaded", retry_after=0.0),
        errors.UpstreamError(_WHY, status=429, kind="rate_limit", key="error_msg"),
        GatewayError(_ASCII, status=418, kind="a kind nobody knows"),
    ]


# -- requests and errors


def _check_request(dialect: IDialect, request: Envelope) -> None:
    """What a request says is read, the same each time, and nothing is changed."""
    before = copy.deepcopy(request)
    told = []
    for _ in range(2):
        assert dialect.detect(request) is True, f"not taken for its own: {request!r}"
        streams = dialect.streams(request)
        assert isinstance(streams, bool), f"streams() gave {streams!r}"
        assert dialect.framing or not streams, "it asks for a stream without framing"
        told.append((streams, *_check_looks(dialect, request)))
    assert told[0] == told[1], "the same request is read in two ways"
    assert request == before, "the request was changed"
    for body in odd.bodies([request.body], Random(1)):
        other = copy.copy(request)
        other.body, other.fields = b"", None
        try:
            other.open(body)
        except errors.BadRequest:
            continue
        try:
            dialect.detect(other)
            _check_looks(dialect, other)
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"{error!r} was raised at {body[:300]!r}") from error


def _check_looks(dialect: IDialect, request: Envelope) -> tuple[object, ...]:
    prompt = dialect.prompt(request)
    if prompt is not None:
        assert isinstance(prompt, bytes), f"the prompt is {type(prompt).__name__}"
        try:
            json.loads(prompt)
        except ValueError:
            raise AssertionError(f"the prompt is no JSON: {prompt!r}") from None
    tools = dialect.tool_count(request)
    assert isinstance(tools, int), f"tool_count() gave {tools!r}"
    assert tools >= 0, f"tool_count() gave {tools!r}"
    user = dialect.end_user(request)
    assert isinstance(user, str), f"end_user() gave {user!r}"
    return prompt, tools, user


def _check_problem(dialect: IDialect, error: GatewayError) -> None:
    status, headers, body = dialect.problem(error, "req-1")
    assert 400 <= status < 600, f"{status} is no error"
    assert status // 100 == error.status // 100, f"{error.status} became {status}"
    for name, value in headers:
        assert name == name.lower(), f"{name!r} is not in lower case"
        assert not {0, 0x0D, 0x0A} & {*name, *value}, f"{name!r} ends its line"
        assert name != b"content-length", "the length is the front's to tell"
    assert first(headers, b"content-type") == b"application/json", headers
    if error.retry_after is not None:
        wait = first(headers, b"retry-after")
        least = ceil(error.retry_after)
        assert wait is not None, "the wait is not told"
        assert wait.isdigit(), f"retry-after: {wait!r}"
        assert int(wait) >= least, f"{wait!r} is told, the wait is {least}"
    try:
        told = json.loads(body)
    except ValueError:
        raise AssertionError(f"an error's body is no JSON: {body!r}") from None
    assert isinstance(told, dict), f"an error is an object, not {body!r}"
    assert _says(told, error.message), f"{error.message!r} is not told: {body!r}"
    assert not _says(told, _SECRET), "it tells what only the log may hold"


def _says(told: Any, text: str) -> bool:
    """Whether ``text`` stands in one of the values."""
    if isinstance(told, str):
        return text in told
    if isinstance(told, Mapping):
        return any(_says(value, text) for value in told.values())
    return isinstance(told, list) and any(_says(value, text) for value in told)


def _check_broken(dialect: IDialect, cut: IFraming, streams: Sequence[bytes]) -> None:
    """An error in a stream is read as one, and never as the stream's proper end."""
    for error in some_errors():
        frames = dialect.broken(error, "req-1")
        assert frames, "an error in a stream is told by a frame at least"
        encoded = b"".join(cut.encode(frame) for frame in frames)
        assert cut.decode(encoded) == frames, f"{frames!r} cannot be carried"
        assert _SECRET.encode() not in encoded, "it tells what only the log may hold"
        if error.message == _ASCII:
            assert _ASCII.encode() in encoded, f"the message is not told: {encoded!r}"
        for stream in (b"", *streams[:3]):
            tap = dialect.tap()
            before = cut.decode_buf(stream[: len(stream) // 2])[0]
            for frame in before:
                tap.feed(frame)
            known = tap.error
            seen = 0
            for frame in frames:
                seen |= tap.feed(frame)
            assert not seen & sights.TERMINAL, f"{frames!r} look like a proper end"
            if dialect.terminal:
                assert seen & sights.ERROR, f"{frames!r} are not read as an error"
                assert tap.error, "the tap saw an error and does not tell it"
                assert known is None or tap.error == known, "the first error counts"
