"""Decides how a request is answered: by which dialect, with which faults. Pure."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from .chunks import Chunk, chunks
from .knobs import BadKnob, Knobs, from_field, from_name
from .request import Request
from .script import Asked, Dialect, Ending, Refused, play, whole

_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </mock.css>; rel=preload\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What to send.

    :ivar head: the bytes of the head, None where there never is one.
    :ivar chunked: whether the body goes in chunked coding.
    :ivar close: whether the connection is closed after the answer.
    """

    status: int
    head: bytes | None
    chunks: Iterator[Chunk | Ending]
    knobs: Knobs
    chunked: bool
    close: bool


def answer(
    request: Request,
    number: int,
    dialects: Sequence[Dialect],
    again: Callable[[str, int], bool],
) -> Answer:
    """
    The answer to ``request``.

    :param number: of the request.
    :param dialects: the first that knows the path answers; of the first are the errors
        of paths nobody knows.
    :param again: called with what was asked for and ``first``: whether that was asked
        for as often already.
    """
    dialect = dialects[0]
    try:
        for candidate in dialects:
            dialect = candidate
            asked = dialect.asked(request)
            if asked is not None:
                break
        else:
            dialect = dialects[0]
            raise Refused(404, f"Unknown request URL: {request.method} {request.path}.")
        given = request.field(b"x-mock")
        words = asked.model if given is None else given.decode("latin-1")
        knobs = from_name(words) if given is None else from_field(words)
        if knobs.first is not None and again(words, knobs.first):
            knobs = Knobs(n=knobs.n, s=knobs.s, scenario=knobs.scenario)
        return _answer(asked, knobs, dialect, number)
    except Refused as refused:
        return _problem(request, Knobs(), dialect, refused, number)
    except BadKnob as error:
        unfit = Refused(400, f"mock: {error}")
        return _problem(request, Knobs(), dialect, unfit, number)


def _answer(asked: Asked, knobs: Knobs, dialect: Dialect, number: int) -> Answer:
    request = asked.request
    if knobs.status is not None:
        said = f"The mock provider was asked for status {knobs.status}."
        return _problem(request, knobs, dialect, Refused(knobs.status, said), number)
    fields = dialect.fields(number)
    if not asked.stream or knobs.json:
        body = dialect.whole(asked, knobs)
        return _whole(request, knobs, 200, fields, body)
    script = dialect.script(asked, knobs)
    steps = chunks(play(script, knobs), knobs)
    fields = [
        ("Content-Type", script.content_type.decode()),
        ("Cache-Control", "no-cache"),
        *fields,
    ]
    return _headed(request, knobs, 200, fields, steps, None)


def _problem(
    request: Request,
    knobs: Knobs,
    dialect: Dialect,
    refused: Refused,
    number: int,
) -> Answer:
    fields, body = dialect.problem(
        refused.status, str(refused), refused.code, refused.param
    )
    fields = [*dialect.fields(number), *fields]
    return _whole(request, knobs, refused.status, fields, body)


def _whole(
    request: Request,
    knobs: Knobs,
    status: int,
    fields: list[tuple[str, str]],
    body: bytes,
) -> Answer:
    if status in (204, 304):
        body = b""
    if knobs.gzip:
        body = gzip.compress(body, mtime=0)
    # One event; what breaks it off does not change the length that was told.
    steps = whole(body, knobs)
    length = len(body) * 2 // 3 if knobs.malformed == 0 else len(body)
    fields = [("Content-Type", "application/json"), *fields]
    packed = chunks(steps, replace(knobs, gzip=False))
    return _headed(request, knobs, status, fields, packed, length)


def _headed(
    request: Request,
    knobs: Knobs,
    status: int,
    fields: list[tuple[str, str]],
    packed: Iterator[Chunk | Ending],
    length: int | None,
) -> Answer:
    eof = knobs.eof or (length is None and request.version == "HTTP/1.0")
    close = eof or knobs.close or not request.keep_alive
    chunked = length is None and not eof
    if chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    elif not eof and status != 204:
        fields.append(("Content-Length", str(length)))
    if knobs.gzip:
        fields.append(("Content-Encoding", "gzip"))
    if knobs.retry is not None:
        fields.append(("Retry-After", f"{knobs.retry:g}"))
    if close:
        fields.append(("Connection", "close"))
    if request.method == "HEAD":
        packed, chunked = iter([Ending.FINISH]), False
    lines = [f"HTTP/1.1 {status} {_reason(status)}", "Server: mock"]
    lines += [f"{name}: {value}" for name, value in fields]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return Answer(
        status,
        None if knobs.nohead else (_HINTS if knobs.hints else b"") + head,
        packed,
        knobs,
        chunked,
        close,
    )


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
