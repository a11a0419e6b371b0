"""
OpenAI's chat completions, the dialect most servers speak
(https://platform.openai.com/docs/api-reference/chat).
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.dialects import fields, openai_error
from aigw.errors import GatewayError
from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model import feature
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

from .parse import parse
from .reader import OpenAIChatReader
from .render import render
from .tap import OpenAIChatTap
from .words import NAME
from .writer import OpenAIChatWriter


@implementer(IChatDialect)
class OpenAIChat:
    """See the module."""

    name = NAME
    framing = "sse"
    terminal = True
    private_headers = (b"openai-",)
    can = frozenset(
        {
            feature.SYSTEM_ANYWHERE,
            feature.DEVELOPER,
            feature.NAMES,
            feature.CHOICES,
            feature.LOGPROBS,
            feature.SEED,
            feature.PENALTIES,
            feature.STOP,
            feature.IMAGES,
            feature.DOCUMENTS,
            feature.AUDIO,
            feature.AUDIO_OUTPUT,
            feature.STRICT,
            feature.CUSTOM_TOOLS,
            feature.NO_PARALLEL,
            feature.THINKING,
            feature.SIGNATURES,
            feature.REDACTED,
            feature.EFFORT,
            feature.CACHE,
            feature.JSON,
            feature.SCHEMA,
            feature.REFUSALS,
            feature.CITATIONS,
            feature.METADATA,
            feature.USER,
        }
    )

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

    def parse(self, envelope: Envelope) -> Call:
        return parse(envelope)

    def render(self, call: Call, target: Target) -> Rendered:
        return render(call, target)

    def reader(self, rendered: Rendered) -> IReader:
        return OpenAIChatReader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return OpenAIChatWriter(call, now, request_id)
