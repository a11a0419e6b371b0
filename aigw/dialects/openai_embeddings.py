"""OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from zope.interface import implementer

from aigw.errors import GatewayError
from aigw.interfaces import IDialect, ITap
from aigw.model import sight as sights
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.usage import Usage

from . import fields, openai_error, openai_usage
from .tokens import Counts


class _Answer(msgspec.Struct):
    """The vectors are skipped, not decoded."""

    model: Any = None
    usage: Any = None
    error: Any = None


_answers = msgspec.json.Decoder(_Answer)


@implementer(ITap)
class OpenAIEmbeddingsTap:
    """Usage of a JSON answer; there are no streams."""

    marks: tuple[bytes, ...] = ()

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.model = ""
        self.tool_calls = False
        self.finished = False
        self.error: Mapping[str, Any] | None = None

    def feed(self, frame: Any) -> int:
        return sights.CONTENT

    def whole(self, body: bytes) -> None:
        try:
            answer = _answers.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if isinstance(answer.model, str):
            self.model = answer.model
        if isinstance(answer.usage, dict):
            counts = Counts()
            counts.merge(answer.usage, openai_usage.PATHS)
            self.usage = openai_usage.usage_of(counts)
        if answer.error is not None:
            told = answer.error
            self.error = told if isinstance(told, dict) else {"message": str(told)}

    def text(self) -> str:
        return ""


@implementer(IDialect)
class OpenAIEmbeddings:
    """See the module."""

    name = "openai-embeddings"
    framing = ""
    terminal = False

    def detect(self, envelope: Envelope) -> bool:
        return fields.raw(envelope, "input") is not None

    def streams(self, envelope: Envelope) -> bool:
        return False

    def tap(self, collect: bool = False) -> ITap:
        return OpenAIEmbeddingsTap()

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return openai_error.problem(error)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return openai_error.broken(error)

    def prompt(self, envelope: Envelope) -> bytes | None:
        given = fields.raw(envelope, "input")
        return None if given is None else bytes(given)

    def tool_count(self, envelope: Envelope) -> int:
        return 0

    def end_user(self, envelope: Envelope) -> str:
        return fields.string(envelope, "user")
