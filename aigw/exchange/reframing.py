"""
A call whose client and provider speak the same dialect, at least one of them within
another API's envelope: nothing is parsed, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigw import dialects
from aigw.errors import AnsweredError
from aigw.interfaces import ICarriedDialect, IChatDialect, IDialect
from aigw.model.envelope import Envelope
from aigw.model.event import Failed
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage
from aigw.streaming.convert import ConvertedWhole
from aigw.streaming.ending import error_of
from aigw.streaming.passthrough import Passthrough
from aigw.streaming.reframe import Reframed, ReframedWhole
from aigw.streaming.way import Way

from .translation import Answered


def carried(dialect: IDialect) -> str:
    """The dialect of its bodies: its own name, or that of the one it carries."""
    if ICarriedDialect.providedBy(dialect):
        return dialect.carries
    return dialect.name


def reframe(client: IChatDialect, target: IChatDialect, asked: Envelope) -> Reframing:
    """
    Put the request ``asked`` into another envelope.

    :raises BadRequest: its body is not of the dialect both speak.
    """
    plain = client.opened(asked) if ICarriedDialect.providedBy(client) else asked
    sent = target.closed(plain) if ICarriedDialect.providedBy(target) else plain
    return Reframing(client, target, asked, sent)


@dataclass(frozen=True, slots=True)
class Reframing:
    """
    A :class:`aigw.exchange.translation.Translation`.

    :ivar client: the client's dialect.
    :ivar target: the one the provider is spoken to in.
    :ivar asked: the request as it came.
    :ivar sent: the request to the provider, at no path yet.
    """

    client: IChatDialect
    target: IChatDialect
    asked: Envelope
    sent: Envelope

    @property
    def rendered(self) -> Rendered:
        return Rendered(self.sent.body, self.sent.model)

    def envelope(self, envelope: Envelope, path: str) -> Envelope:
        sent = self.sent
        return Envelope(
            method="POST",
            path=path,
            target=path.encode("ascii"),
            query=b"",
            headers=sent.headers,
            body=sent.body,
            fields=sent.fields,
            model=sent.model,
            stream=sent.stream,
        )

    def problem(self, status: int, headers: Headers, body: bytes) -> AnsweredError:
        reader = self.target.reader(self.rendered)
        return error_of(reader.problem(status, headers, body), "provider_error")

    def way(self, answered: Answered) -> Way:
        client, target = self.client, self.target
        source, wanted = answered.source, answered.wanted
        tap = dialects.get(carried(client)).tap(answered.collect)
        if source is not None and wanted is not None:
            if source.name == wanted.name:
                idle = answered.instance.deadlines.idle is not None
                return Passthrough(
                    source,
                    tap,
                    terminates=True,
                    limit=answered.limit,
                    watch=answered.collect or idle,
                )

            def broken(failed: Failed) -> list[Any]:
                error = error_of(failed, "error_in_stream")
                return client.broken(error, answered.request_id)

            return Reframed(
                source,
                wanted,
                target.unwrap if ICarriedDialect.providedBy(target) else _same,
                client.wrap if ICarriedDialect.providedBy(client) else _held,
                tap,
                target.reader(self.rendered),
                broken,
                limit=answered.limit,
            )
        answered.whole()
        if wanted is None:
            return ReframedWhole(tap, target.reader(self.rendered))
        # A stream was asked for, and the provider answered whole.
        call = client.parse(self.asked)
        writer = client.writer(call, answered.now, answered.request_id)
        reader = target.reader(self.rendered)
        return ConvertedWhole(reader, writer, wanted, collect=answered.collect)


def _same(frame: Any) -> Any:
    return frame


def _held(frame: Any, usage: Usage | None) -> Any:
    return frame
