"""The promises of an ``ICarriedDialect`` beside those of every chat dialect."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from aigw.interfaces import ICarriedDialect
from aigw.model.envelope import Envelope


def check_carried(
    dialect: ICarriedDialect, requests: Iterable[Envelope], frames: Iterable[Any]
) -> None:
    """
    Hold ``dialect`` to what :class:`aigw.interfaces.ICarriedDialect` says: what is put
    into its envelope comes out of it. Part of :func:`aigw.testing.chat.check_chat`.

    :param requests: requests of this dialect, their bodies opened.
    :param frames: of its streams.
    :raises AssertionError: a promise is broken.
    """
    assert dialect.carries, "it carries no dialect"
    assert dialect.carries != dialect.name, "it carries itself"
    for request in requests:
        _check_request(dialect, request)
    for frame in frames:
        held = dialect.unwrap(frame)
        wrapped = None if held is None else dialect.wrap(held, None)
        if wrapped is not None:
            again = dialect.unwrap(wrapped)
            assert again == held, f"{held!r} is wrapped as {again!r}"


def _check_request(dialect: ICarriedDialect, request: Envelope) -> None:
    before = copy.deepcopy(request)
    opened = dialect.opened(request)
    assert request == before, "the request was changed by opened()"
    assert opened.model == request.model, f"the model is {opened.model!r}"
    assert opened.stream is dialect.streams(request), "it streams, or does not"
    kept = copy.deepcopy(opened)
    closed = dialect.closed(opened)
    assert opened == kept, "the request was changed by closed()"
    again = copy.copy(request)
    again.open(closed.body)
    reopened = dialect.opened(again)
    assert reopened.fields == opened.fields, (
        f"{opened.body!r} comes out as {reopened.body!r}"
    )
