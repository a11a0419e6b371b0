"""OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.errors import GatewayError
from aigw.interfaces import IDialect, ITap
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers

from . import fields, openai_error
from .usage_tap import UsageTap


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
        return UsageTap()

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
