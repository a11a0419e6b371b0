"""
Vendors that speak OpenAI's API, and OpenAI itself
(https://platform.openai.com/docs/api-reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import based, origin_of, passed_target, target_of
from .presets import Preset
from .request import request_of, spoken


@implementer(IProvider)
class OpenAIStyle:
    """One vendor of :mod:`.presets`."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self.name = preset.name
        self.host = preset.host
        self.dialects: Mapping[str, str] = preset.paths
        self.caps: Mapping[str, str] = preset.caps
        self.extensions: frozenset[str] = preset.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        return self._preset.spoken

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        preset = self._preset
        if dialect in preset.paths:
            target = target_of(instance, preset.paths[dialect])
        else:
            path = based(envelope.target, preset.base)
            target = passed_target(instance, path, envelope.query)
            dialect = spoken(envelope, dialect, preset.paths)
        origin = origin_of(instance, preset.host)
        return request_of(envelope, dialect, instance, preset, origin, target)

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, verdicts.OPENAI)
