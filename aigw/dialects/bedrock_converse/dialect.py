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
from .parse import parse, streams
from .reader import BedrockConverseReader
from .render import render
from .tap import BedrockConverseTap
from .words import NAME
from .writer import BedrockConverseWriter


@implementer(IChatDialect)
class BedrockConverse:
    """Amazon Bedrock's Converse."""

    name = NAME
    framing = "aws-eventstream"
    terminal = True
    private_headers = (b"x-amz-", b"x-amzn-", b"amz-sdk-")
    can = frozenset(
        {
            feature.SYSTEM_ANYWHERE,
            feature.TOP_K,
            feature.STOP,
            feature.STOP_SEQUENCE,
            feature.IMAGES,
            feature.DOCUMENTS,
            feature.AUDIO,
            feature.VIDEO,
            feature.RESULT_MEDIA,
            feature.RESULT_ERROR,
            feature.MIXED_RESULTS,
            feature.STRICT,
            feature.THINKING,
            feature.SIGNATURES,
            feature.REDACTED,
            feature.BUDGET,
            feature.EFFORT,
            feature.CACHE,
            feature.SCHEMA,
            feature.CITATIONS,
            feature.METADATA,
        }
    )

    def detect(self, envelope: Envelope) -> bool:
        return envelope.path.rstrip("/").endswith(("/converse", "/converse-stream"))

    def streams(self, envelope: Envelope) -> bool:
        return streams(envelope)

    def tap(self, collect: bool = False) -> ITap:
        return BedrockConverseTap(collect)

    def problem(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, Headers, bytes]:
        return errors.problem(error, request_id)

    def broken(self, error: GatewayError, request_id: str) -> list[Any]:
        return errors.broken(error)

    def prompt(self, envelope: Envelope) -> bytes | None:
        messages = fields.raw(envelope, "messages")
        return None if messages is None else bytes(messages)

    def tool_count(self, envelope: Envelope) -> int:
        """Markers among the tools are none."""
        config = fields.raw(envelope, "toolConfig")
        if config is None:
            return 0
        try:
            tools = JSONObject(config, "toolConfig").objects("tools")
        except BadRequest:
            return 0
        return sum(tool.look("cachePoint") is None for tool in tools)

    def end_user(self, envelope: Envelope) -> str:
        """Converse has no place for one."""
        return ""

    def parse(self, envelope: Envelope) -> Call:
        return parse(envelope)

    def render(self, call: Call, target: Target) -> Rendered:
        return render(call, target)

    def reader(self, rendered: Rendered) -> IReader:
        return BedrockConverseReader(rendered)

    def writer(self, call: Call, now: float, request_id: str) -> IWriter:
        return BedrockConverseWriter()
