"""
Anthropic's API, and servers that speak it
(https://docs.claude.com/en/api/overview, …/openai-sdk).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers, first
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import origin_of, passed_target, queried_target, target_of
from .presets import Preset
from .request import request_of, spoken

_VERSION = b"anthropic-version"
#: The version every client of this API that sends none was written for.
_DEFAULT_VERSION = b"2023-06-01"

#: Conversions go to the first: signed reasoning and cache markers stand in it alone.
_PATHS = {
    "anthropic-messages": "/v1/messages",
    "openai-chat": "/v1/chat/completions",
}
_CAPS = dict.fromkeys(_PATHS, "max_tokens")

PRESETS = (
    Preset("anthropic", "api.anthropic.com", _PATHS, _CAPS),
    Preset("anthropic-compatible", None, _PATHS, _CAPS),
)


@implementer(IProvider)
class Anthropic:
    """See the module. Its own paths are passed through, counting tokens among them."""

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
        dialect = spoken(envelope, dialect, _PATHS)
        query = envelope.query
        if dialect == "openai-chat":
            target = target_of(instance, _PATHS[dialect])
        elif dialect in _PATHS:
            # Clients of the beta endpoints write "?beta=true".
            target = queried_target(instance, _PATHS[dialect], query)
        else:
            target = passed_target(instance, envelope.target, query)
        return request_of(
            envelope,
            dialect,
            instance,
            self._preset,
            origin_of(instance, self._preset.host),
            target,
            headers=_version(envelope, dialect, instance),
        )

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, verdicts.ANTHROPIC)


def _version(envelope: Envelope, dialect: str, instance: Instance) -> Headers:
    """The version field, where neither the client nor the configuration sends one."""
    if dialect == "openai-chat" or first(instance.auth_headers, _VERSION) is not None:
        return []
    crosses = _VERSION not in instance.crossing.deny
    if crosses and first(envelope.headers, _VERSION) is not None:
        return []
    return [(_VERSION, _DEFAULT_VERSION)]
