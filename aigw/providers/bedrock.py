"""
Amazon Bedrock's runtime: Converse, ConverseStream and the two invoke operations
(https://docs.aws.amazon.com/bedrock/latest/APIReference/). The path names the model,
by id or ARN, in one segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Origin, Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import origin_of, passed_target, segment, target_of
from .presets import Preset
from .request import TEMPLATE, model_of, request_of, streams

PRESET = Preset(
    "bedrock",
    "bedrock-runtime.{region}.amazonaws.com",
    {
        "bedrock-converse": "/model/{model}/converse",
        "bedrock-invoke": "/model/{model}/invoke",
    },
    {
        "bedrock-converse": "inferenceConfig.maxTokens",
        "bedrock-invoke": "max_tokens",
    },
    # Both stand in the path; ``stream`` is a way of asking that only gateways know.
    removes=("model", "stream"),
)

_CALL = re.compile(
    rb"/model/([^/]+)/(converse|converse-stream|invoke|invoke-with-response-stream)"
    rb"/?\Z"
)


@implementer(IProvider)
class Bedrock:
    """See the module."""

    name = PRESET.name
    host = PRESET.host
    dialects: Mapping[str, str] = PRESET.paths
    caps: Mapping[str, str] = PRESET.caps
    extensions: frozenset[str] = PRESET.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        """
        Converse first: every model takes it. Bodies for the invoke operations are
        each vendor's own.
        """
        return PRESET.spoken

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        called = _CALL.search(envelope.target.split(b"?", 1)[0])
        if called is not None and called[1] == TEMPLATE:
            called = None
        if called is None and dialect == "passthrough":
            target = passed_target(instance, envelope.target, envelope.query)
            origin = _origin(instance)
            return request_of(envelope, dialect, instance, PRESET, origin, target)
        named = ""
        operation = "invoke" if dialect == "bedrock-invoke" else "converse"
        if called is not None:
            named, operation = unquote(called[1].decode()), called[2].decode()
        if operation.startswith("converse"):
            dialect = "bedrock-converse"
            if streams(envelope, instance):
                operation = "converse-stream"
        elif not _for_claude(envelope):
            dialect = "passthrough"  # a body of whichever vendor's, with rules unknown
        elif called is None and streams(envelope, instance):
            operation = "invoke-with-response-stream"
        model = model_of(envelope, instance, named)
        target = _target(instance, model, operation)
        outbound = request_of(
            envelope,
            dialect,
            instance,
            PRESET,
            _origin(instance),
            target,
            model=model,
            stream=target.split(b"?", 1)[0].endswith(b"-stream"),
        )
        if outbound.stream:
            outbound.framing = "aws-eventstream"
        return outbound

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, verdicts.BEDROCK)


def _for_claude(envelope: Envelope) -> bool:
    """Whether the body of an invoke operation is one of Anthropic's."""
    return envelope.fields is not None and "anthropic_version" in envelope.fields


def _target(instance: Instance, model: str, operation: str) -> bytes:
    endpoint = instance.endpoint
    if endpoint is not None and endpoint.path:
        return target_of(instance, endpoint.path)
    return target_of(instance, f"/model/{segment(model)}/{operation}")


def _origin(instance: Instance) -> Origin:
    region = instance.provider_conf.get("region")
    host = None if region is None else f"bedrock-runtime.{region}.amazonaws.com"
    return origin_of(instance, host)
