"""
Anthropic's Messages as Vertex AI's raw predictions
(https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude):
the path names the model and says whether it streams, the body says the version; the
answers are those of Messages.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects import fields
from aigw.dialects.carried import Carrying, dated, request_of
from aigw.errors import BadRequest, GatewayError
from aigw.interfaces import ICarriedDialect, IChatDialect
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.usage import Usage

#: Tokens are counted at the name of a model that is none.
_PATH: Final = re.compile(
    r"/publishers/anthropic/models/(?!count-tokens:).+:(rawPredict|streamRawPredict)/?\Z"
)
_VERSION: Final = "anthropic_version"
VERTEX: Final = "vertex-2023-10-16"

_encode = msgspec.json.encode


@implementer(ICarriedDialect)
class RawPredict(Carrying):
    """
    See the module.

    :param messages: Anthropic's Messages.
    """

    name = "vertex-raw-predict"
    framing = "sse"
    terminal = True

    def __init__(self, messages: IChatDialect) -> None:
        super().__init__(messages)
        self._errors = messages
        self.private_headers = (*messages.private_headers, b"x-goog-")

    def detect(self, envelope: Envelope) -> bool:
        return _PATH.search(envelope.path) is not None

    def streams(self, envelope: Envelope) -> bool:
        found = _PATH.search(envelope.path)
        return found is not None and found[1] == "streamRawPredict"

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return self._errors.problem(error, request_id)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return self._errors.broken(error, request_id)

    def opened(self, envelope: Envelope) -> Envelope:
        """:raises BadRequest: the body says no version, and so is no Messages body."""
        version = fields.raw(envelope, _VERSION)
        if version is None:
            raise BadRequest(f"{_VERSION}: missing")
        kept = {
            name: raw
            for name, raw in (envelope.fields or {}).items()
            if name not in (_VERSION, "stream")
        }
        kept["model"] = msgspec.Raw(_encode(envelope.model))
        stream = self.streams(envelope)
        if stream:
            kept["stream"] = msgspec.Raw(b"true")
        headers = dated(envelope.headers, version)
        return request_of(headers, kept, envelope.model, stream)

    def closed(self, envelope: Envelope) -> Envelope:
        given = dict(envelope.fields or {})
        given.setdefault(_VERSION, msgspec.Raw(_encode(VERTEX)))
        return request_of(envelope.headers, given, envelope.model, envelope.stream)

    def unwrap(self, frame: Any) -> Any:
        return frame

    def wrap(self, frame: Any, usage: Usage | None) -> Any:
        return frame
