"""The dialect itself: its parts put together."""

from __future__ import annotations

from typing import Any

import msgspec
from zope.interface import implementer

from aigw.dialects import fields, openai_error
from aigw.errors import GatewayError
from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model import feature
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

from .error import error_event
from .parse import parse
from .reader import OpenAIResponsesReader
from .render import render
from .tap import OpenAIResponsesTap
from .words import NAME
from .writer import OpenAIResponsesWriter


@implementer(IChatDialect)
class OpenAIResponses:
    """OpenAI's Responses."""

    name = NAME
    framing = "sse"
    terminal = True
    private_headers = (b"openai-",)
    can = frozenset(
        {
            feature.SYSTEM_ANYWHERE,
            feature.DEVELOPER,
            feature.LOGPROBS,
            feature.IMAGES,
            feature.DOCUMENTS,
            feature.RESULT_MEDIA,
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
        return envelope.path.rstrip("/").endswith("/v1/responses")

    def streams(self, envelope: Envelope) -> bool:
        return envelope.stream

    def tap(self, collect: bool = False) -> ITap:
        return OpenAIResponsesTap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return openai_error.problem(error)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        # Which number it has is not known here; strict clients want one.
        told = error_event(error, 0)
        return [SSEFrame(type="error", data=msgspec.json.encode(told))]

    def prompt(self, envelope: Envelope) -> bytes | None:
        given = fields.raw(envelope, "input")
        return None if given is None else bytes(given)

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
        return OpenAIResponsesReader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return OpenAIResponsesWriter(call, now, request_id)
