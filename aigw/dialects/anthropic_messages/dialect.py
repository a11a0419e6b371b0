"""The dialect itself: its parts put together."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from aigw.dialects import fields
from aigw.dialects.json_object import JSONObject
from aigw.errors import BadRequest, GatewayError
from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model import feature
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

from . import error as errors
from .parse import parse
from .reader import AnthropicMessagesReader
from .render import render
from .tap import AnthropicMessagesTap
from .words import NAME
from .writer import AnthropicMessagesWriter


@implementer(IChatDialect)
class AnthropicMessages:
    """Anthropic's Messages."""

    name = NAME
    framing = "sse"
    terminal = True
    private_headers = (b"anthropic-", b"x-api-key", b"x-stainless-")
    can = frozenset(
        {
            feature.SYSTEM_ANYWHERE,
            feature.TOP_K,
            feature.STOP,
            feature.STOP_SEQUENCE,
            feature.IMAGES,
            feature.DOCUMENTS,
            feature.RESULT_MEDIA,
            feature.RESULT_ERROR,
            feature.MIXED_RESULTS,
            feature.STRICT,
            feature.NO_PARALLEL,
            feature.THINKING,
            feature.SIGNATURES,
            feature.REDACTED,
            feature.BUDGET,
            feature.EFFORT,
            feature.CACHE,
            feature.SCHEMA,
            feature.CITATIONS,
            feature.USER,
        }
    )

    def detect(self, envelope: Envelope) -> bool:
        return envelope.path.rstrip("/").endswith("/v1/messages")

    def streams(self, envelope: Envelope) -> bool:
        return envelope.stream

    def tap(self, collect: bool = False) -> ITap:
        return AnthropicMessagesTap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return errors.problem(error, request_id)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return errors.broken(error, request_id)

    def prompt(self, envelope: Envelope) -> bytes | None:
        messages = fields.raw(envelope, "messages")
        return None if messages is None else bytes(messages)

    def tool_count(self, envelope: Envelope) -> int:
        return fields.length(envelope, "tools")

    def end_user(self, envelope: Envelope) -> str:
        metadata = fields.raw(envelope, "metadata")
        if metadata is None:
            return ""
        try:
            return JSONObject(metadata, "metadata").string("user_id") or ""
        except BadRequest:
            return ""

    def parse(self, envelope: Envelope) -> Call:
        return parse(envelope)

    def render(self, call: Call, target: Target) -> Rendered:
        return render(call, target)

    def reader(self, rendered: Rendered) -> IReader:
        return AnthropicMessagesReader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return AnthropicMessagesWriter(call, request_id)
