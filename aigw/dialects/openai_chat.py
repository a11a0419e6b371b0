"""
OpenAI's chat completions, the dialect most servers speak
(https://platform.openai.com/docs/api-reference/chat).
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.errors import GatewayError
from aigw.interfaces import IDialect, ITap
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers

from . import fields, openai_error
from .openai_chat_tap import OpenAIChatTap


@implementer(IDialect)
class OpenAIChat:
    """See the module."""

    name = "openai-chat"
    framing = "sse"
    terminal = True

    def detect(self, envelope: Envelope) -> bool:
        return fields.opens(envelope, "messages", b"[{")

    def streams(self, envelope: Envelope) -> bool:
        return envelope.stream

    def tap(self, collect: bool = False) -> ITap:
        return OpenAIChatTap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return openai_error.problem(error)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return openai_error.broken(error)

    def prompt(self, envelope: Envelope) -> bytes | None:
        messages = fields.raw(envelope, "messages")
        return None if messages is None else bytes(messages)

    def tool_count(self, envelope: Envelope) -> int:
        return fields.length(envelope, "tools")

    def end_user(self, envelope: Envelope) -> str:
        return fields.string(envelope, "safety_identifier") or fields.string(
            envelope, "user"
        )
