"""What dialects have in common that carry another's bodies."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

_VERSION: Final = b"anthropic-version"
_DATE: Final = re.compile(rb'"(\d{4}-\d\d-\d\d)"\Z')


def request_of(
    headers: Headers, body: dict[str, msgspec.Raw], model: str, stream: bool
) -> Envelope:
    """A request at no path yet, made of raw fields."""
    return Envelope(
        method="POST",
        path="/",
        target=b"/",
        query=b"",
        headers=headers,
        body=msgspec.json.encode(body),
        fields=body,
        model=model,
        stream=stream,
    )


def dated(headers: Headers, version: msgspec.Raw) -> Headers:
    """
    ``headers`` with the version that a body names. The clouds have numbers of their
    own, which mean nothing elsewhere; some clients send the API's date in their place.
    """
    found = _DATE.match(version)
    if found is None:
        return headers
    others = [pair for pair in headers if pair[0] != _VERSION]
    return [*others, (_VERSION, found[1])]


class Carrying:
    """
    The methods of an :class:`aigw.interfaces.ICarriedDialect` that are those of the
    dialect carried, behind ``opened`` or before ``closed``.
    """

    def __init__(self, carried: IChatDialect) -> None:
        self._carried = carried
        self.carries = carried.name
        self.can = carried.can

    def opened(self, envelope: Envelope) -> Envelope:
        raise NotImplementedError

    def closed(self, envelope: Envelope) -> Envelope:
        raise NotImplementedError

    def tap(self, collect: bool = False) -> ITap:
        return self._carried.tap(collect)

    def prompt(self, envelope: Envelope) -> bytes | None:
        return self._carried.prompt(envelope)

    def tool_count(self, envelope: Envelope) -> int:
        return self._carried.tool_count(envelope)

    def end_user(self, envelope: Envelope) -> str:
        return self._carried.end_user(envelope)

    def parse(self, envelope: Envelope) -> Call:
        return self._carried.parse(self.opened(envelope))

    def render(self, call: Call, target: Target) -> Rendered:
        rendered = self._carried.render(call, target)
        plain = Envelope("POST", "/", b"/", b"", list(rendered.headers))
        plain.open(rendered.body)
        sent = self.closed(plain)
        return Rendered(
            sent.body, rendered.model, sent.headers, rendered.names, rendered.dropped
        )

    def reader(self, rendered: Rendered) -> IReader:
        return self._carried.reader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return self._carried.writer(call, now, request_id)
