"""
Azure OpenAI, in its two shapes
(https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle):

- ``/openai/v1``: as OpenAI's own API; the body names the deployment as the model;
- ``api-version`` in the query: the path names the deployment, the body no model.

An endpoint with a path is used as it is; one without is asked in the second shape where
its query (or ``auth.query``) has a dated ``api-version``, else in the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qs

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import based, origin_of, passed_target, segment, target_of
from .presets import Preset
from .request import model_of, request_of, spoken

_V1 = "/openai/v1"
#: Values of ``api-version`` that belong to the first shape.
_UNDATED = frozenset({"v1", "latest", "preview"})
#: What stands below a deployment in the second shape, and where models are named by the
#: body whatever the shape.
_OF_DEPLOYMENTS = frozenset({"openai-chat", "openai-embeddings"})
_NAMED_IN_BODY = (b"/openai/v1/", b"/openai/responses")

PRESET = Preset(
    "azure-openai",
    None,
    {
        "openai-chat": f"{_V1}/chat/completions",
        "openai-responses": f"{_V1}/responses",
        "openai-embeddings": f"{_V1}/embeddings",
    },
    {"openai-chat": "max_tokens", "openai-responses": "max_output_tokens"},
    base=_V1,
    extensions=frozenset({"file", "text_results"}),
)


@implementer(IProvider)
class Azure:
    """See the module."""

    name = PRESET.name
    host = PRESET.host
    dialects: Mapping[str, str] = PRESET.paths
    caps: Mapping[str, str] = PRESET.caps
    extensions: frozenset[str] = PRESET.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        return PRESET.spoken

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        origin = origin_of(instance, self.host)
        model = model_of(envelope, instance)
        instance = _without_base(instance)
        base = "/openai" if _dated(instance) else _V1
        if dialect in PRESET.paths:
            path = PRESET.paths[dialect].replace(_V1, base)
            if base != _V1 and dialect in _OF_DEPLOYMENTS:
                path = path.replace(base, f"{base}/deployments/{segment(model)}")
            target = target_of(instance, path)
        else:
            moved = based(envelope.target, base)
            target = passed_target(instance, moved, envelope.query)
            dialect = spoken(envelope, dialect, PRESET.paths)
        # Where no deployment stands in the path, the body alone says which is meant.
        removes = () if target.startswith(_NAMED_IN_BODY) else ("model",)
        return request_of(
            envelope,
            dialect,
            instance,
            PRESET,
            origin,
            target,
            removes=removes,
            model=model if removes else "",
        )

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, verdicts.OPENAI)


@lru_cache(maxsize=1024)
def _without_base(instance: Instance) -> Instance:
    """
    ``…/openai/v1`` is how Azure writes the first shape's base URL, and no path that
    serves anything: taken as no path.
    """
    endpoint = instance.endpoint
    if endpoint is None or endpoint.path.rstrip("/") != _V1:
        return instance
    return replace(instance, endpoint=replace(endpoint, path=""))


def _dated(instance: Instance) -> bool:
    """Whether an endpoint without a path is to be asked in the second shape."""
    endpoint = instance.endpoint
    if endpoint is None or endpoint.path:
        return False
    told = parse_qs(endpoint.query).get("api-version", [])
    own = instance.auth_query.get("api-version")
    version = own or (told[-1] if told else "")
    return bool(version) and version not in _UNDATED
