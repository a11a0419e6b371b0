"""
A call on its way through another dialect than its client's: rendered in a dialect that
the provider speaks, its answer read in that and written in the client's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigw import dialects
from aigw.errors import AnsweredError
from aigw.interfaces import IDialect, IProvider, IReader, IWriter
from aigw.interfaces.chat import IChatDialect
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.rendered import Rendered, Target
from aigw.streaming.ending import error_of


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    :ivar client: the client's dialect.
    :ivar target: the one the provider is spoken to in.
    :ivar call: the request in neutral words.
    :ivar rendered: the request in ``target``'s.
    """

    client: IChatDialect
    target: IChatDialect
    call: Call
    rendered: Rendered

    def reader(self) -> IReader:
        """A reader of the provider's answer."""
        return self.target.reader(self.rendered)

    def writer(self, now: float, request_id: str) -> IWriter:
        """A writer of the client's answer."""
        return self.client.writer(self.call, now, request_id)

    def problem(self, status: int, headers: Headers, body: bytes) -> AnsweredError:
        """The provider's error answer, to be told in the client's dialect."""
        failed = self.reader().problem(status, headers, body)
        return error_of(failed, "provider_error")

    def envelope(self, envelope: Envelope, path: str) -> Envelope:
        """
        The request to prepare for the provider.

        :param envelope: the client's.
        :param path: where the provider speaks ``target``.
        """
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


def target_of(dialect: IDialect, provider: IProvider) -> IChatDialect | None:
    """
    The dialect to speak with ``provider`` where it does not speak the client's: the
    first of its own that can be converted to; None where there is none.
    """
    if not IChatDialect.providedBy(dialect):
        return None
    for name in provider.dialects:
        if name in dialects.known():
            spoken = dialects.get(name)
            if IChatDialect.providedBy(spoken):
                return spoken
    return None


def convert(
    dialect: IChatDialect,
    target: IChatDialect,
    call: Call,
    instance: Instance,
    cap: str,
) -> Conversion:
    """
    Render ``call`` for ``instance``.

    :param cap: the provider's name for the cap on output tokens, ``""`` for the usual.
    :raises BadRequest: it holds what ``target`` cannot express and cannot be without.
    """
    settings: dict[str, Any] = {}
    model, most = instance.options.get("model"), instance.options.get("max_tokens")
    if isinstance(model, str):
        settings["model"] = model
    if type(most) is int and most > 0:
        settings["max_tokens"] = most
    if cap:
        settings["cap"] = cap
    return Conversion(dialect, target, call, target.render(call, Target(**settings)))
