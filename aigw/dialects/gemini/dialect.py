"""The dialect itself: its parts put together."""

from __future__ import annotations

import re
from typing import Any

from zope.interface import implementer

from aigw.dialects import fields
from aigw.errors import BadRequest, GatewayError
from aigw.interfaces import IChatDialect, IReader, ITap, IWriter
from aigw.model import feature
from aigw.model.call import Call
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered, Target

from . import error as errors
from .parse import parse, streams
from .reader import GeminiReader
from .render import render
from .tap import GeminiTap
from .wire import Wire
from .words import NAME
from .writer import GeminiWriter

_PATH = re.compile(r"/(?:models|tunedModels)/.+:(?:g|streamG)enerateContent/?$")


@implementer(IChatDialect)
class Gemini:
    """Gemini's generateContent and streamGenerateContent."""

    name = NAME
    framing = "sse"
    terminal = False
    private_headers = (b"x-goog-",)
    can = frozenset(
        {
            feature.CHOICES,
            feature.LOGPROBS,
            feature.SEED,
            feature.PENALTIES,
            feature.TOP_K,
            feature.STOP,
            feature.IMAGES,
            feature.DOCUMENTS,
            feature.AUDIO,
            feature.VIDEO,
            feature.RESULT_MEDIA,
            feature.RESULT_ERROR,
            feature.MIXED_RESULTS,
            feature.THINKING,
            feature.SIGNATURES,
            feature.BUDGET,
            feature.EFFORT,
            feature.JSON,
            feature.SCHEMA,
            feature.CITATIONS,
        }
    )

    def detect(self, envelope: Envelope) -> bool:
        return _PATH.search(envelope.path) is not None

    def streams(self, envelope: Envelope) -> bool:
        return streams(envelope)

    def tap(self, collect: bool = False) -> ITap:
        return GeminiTap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return errors.problem(error)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return errors.broken(error)

    def prompt(self, envelope: Envelope) -> bytes | None:
        contents = fields.raw(envelope, "contents")
        return None if contents is None else bytes(contents)

    def tool_count(self, envelope: Envelope) -> int:
        """Declared functions, and tools of Google's own."""
        if fields.raw(envelope, "tools") is None:
            return 0
        count = 0
        try:
            for tool in Wire(envelope.fields or {}, "").several("tools"):
                given = Wire(*tool)
                count += len(given.several("functionDeclarations"))
                count += len(given.names())
        except BadRequest:
            pass
        return count

    def end_user(self, envelope: Envelope) -> str:
        return ""

    def parse(self, envelope: Envelope) -> Call:
        return parse(envelope)

    def render(self, call: Call, target: Target) -> Rendered:
        return render(call, target)

    def reader(self, rendered: Rendered) -> IReader:
        return GeminiReader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return GeminiWriter(call, request_id)
