"""
A call on its way through another dialect than its client's: rendered in a dialect that
the provider speaks, its answer read in that and written in the client's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aigw.errors import AnsweredError
from aigw.interfaces import IProvider
from aigw.interfaces.chat import IChatDialect
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.rendered import Rendered, Target
from aigw.streaming.convert import Converted, ConvertedWhole
from aigw.streaming.ending import error_of
from aigw.streaming.way import Way

from .translation import Answered


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    A :class:`aigw.exchange.translation.Translation`.

    :ivar client: the client's dialect.
    :ivar target: the one the provider is spoken to in.
    :ivar call: the request in neutral words.
    :ivar rendered: the request in ``target``'s.
    """

    client: IChatDialect
    target: IChatDialect
    call: Call
    rendered: Rendered

    def problem(self, status: int, headers: Headers, body: bytes) -> AnsweredError:
        reader = self.target.reader(self.rendered)
        return error_of(reader.problem(status, headers, body), "provider_error")

    def way(self, answered: Answered) -> Way:
        reader = self.target.reader(self.rendered)
        # A prompt need not be held as long as its answer takes.
        asked = replace(self.call, messages=())
        writer = self.client.writer(asked, answered.now, answered.request_id)
        source, wanted, collect = answered.source, answered.wanted, answered.collect
        if source is not None and wanted is not None:
            limit = answered.limit
            return Converted(
                source, reader, writer, wanted, limit=limit, collect=collect
            )
        answered.whole()
        return ConvertedWhole(reader, writer, wanted, collect=collect)

    def envelope(self, envelope: Envelope, path: str) -> Envelope:
        private = self.client.private_headers
        sent = Envelope(
            method="POST",
            path=path,
            target=path.encode("ascii"),
            query=b"",
            headers=[
                *(pair for pair in envelope.headers if not pair[0].startswith(private)),
                *self.rendered.headers,
            ],
        )
        sent.open(self.rendered.body)
        return sent


def convert(
    dialect: IChatDialect,
    target: IChatDialect,
    call: Call,
    instance: Instance,
    provider: IProvider,
) -> Conversion:
    """
    Render ``call`` for ``instance``, one of ``provider``.

    :raises BadRequest: it holds what ``target`` cannot express and cannot be without.
    """
    settings: dict[str, Any] = {"extensions": provider.extensions}
    model, most = instance.options.get("model"), instance.options.get("max_tokens")
    if isinstance(model, str):
        settings["model"] = model
    if type(most) is int and most > 0:
        settings["max_tokens"] = most
    if cap := provider.caps.get(target.name):
        settings["cap"] = cap
    return Conversion(dialect, target, call, target.render(call, Target(**settings)))
