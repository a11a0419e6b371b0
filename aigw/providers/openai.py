"""
Vendors that speak OpenAI's API, and OpenAI itself
(https://platform.openai.com/docs/api-reference).
"""

from __future__ import annotations

from collections.abc import Mapping

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import origin_of, passed_target, target_of
from .body import build
from .presets import Preset

_JSON = (b"content-type", b"application/json")


@implementer(IProvider)
class OpenAIStyle:
    """One vendor of :mod:`.presets`."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self.name = preset.name
        self.host = preset.host
        self.dialects: Mapping[str, str] = preset.paths

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        native = dialect in self.dialects
        method = "POST" if native else envelope.method
        if native:
            target = target_of(instance, self.dialects[dialect])
        else:
            target = passed_target(instance, envelope.target, envelope.query)
        outbound = Outbound(
            origin=origin_of(instance, self._preset.host),
            method=method,
            target=target,
            headers=list(instance.auth_headers),
            body=envelope.body,
            patience=instance.patience,
            keepalive=instance.keepalive,
            model=envelope.model,
        )
        if envelope.fields is not None:
            body = build(
                envelope.fields, envelope.body, dialect, instance, self._preset
            )
            outbound.body = body.encode()
            outbound.headers.append(_JSON)
            outbound.stream = body.true("stream")
            outbound.hides_usage = (
                body.asked_usage and instance.streaming.usage == "hide"
            )
            if body.changed and not self._preset.removes_model:
                outbound.model = body.string("model")
        return outbound

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers)
