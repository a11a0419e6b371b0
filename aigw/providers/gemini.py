"""
The Gemini API: OpenAI-compatible (https://ai.google.dev/gemini-api/docs/openai), and
its own (https://ai.google.dev/api/generate-content), where the path names the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers, first
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import based, origin_of, passed_target, queried_target, target_of
from .google import GENERATING, Call, call_of, generating, model_path
from .presets import Preset
from .request import request_of

_COMPATIBLE = "/v1beta/openai"

PRESET = Preset(
    "gemini",
    "generativelanguage.googleapis.com",
    {
        "openai-chat": f"{_COMPATIBLE}/chat/completions",
        "openai-embeddings": f"{_COMPATIBLE}/embeddings",
        "gemini": "/v1beta/models/{model}:generateContent",
    },
    {
        "openai-chat": "max_completion_tokens",
        "gemini": "generationConfig.maxOutputTokens",
    },
    renames={"openai-chat": "max_tokens"},
    base=_COMPATIBLE,
    # https://ai.google.dev/gemini-api/docs/thought-signatures
    extensions=frozenset({"extra_content"}),
)

#: The path says it; the API refuses fields it does not know.
_IN_PATH = ("model", "stream")
#: Versions by which a client of Vertex AI calls this API's.
_VERSIONS = {"v1beta1": "v1beta"}


#: The order where conversions go to the API's own dialect.
_NATIVE_FIRST = ("gemini", "openai-chat", "openai-embeddings")


@implementer(IProvider)
class Gemini:
    """See the module."""

    name = PRESET.name
    host = PRESET.host
    dialects: Mapping[str, str] = PRESET.paths
    caps: Mapping[str, str] = PRESET.caps
    extensions: frozenset[str] = PRESET.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        return _NATIVE_FIRST if _takes_native(instance) else PRESET.spoken

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        call = None
        if dialect in ("gemini", "passthrough"):
            call = call_of(envelope, instance)
        if call is None and dialect == "gemini":
            call = generating(envelope, instance)
        if call is not None:
            return self._call(call, envelope, instance)
        if dialect in PRESET.paths:
            target = target_of(instance, PRESET.paths[dialect])
        else:
            path = envelope.target
            if first(envelope.headers, b"x-goog-api-key") is None:
                path = based(path, _COMPATIBLE)  # no client of Google's own
            target = passed_target(instance, path, envelope.query)
        origin = origin_of(instance, self.host)
        return request_of(envelope, dialect, instance, PRESET, origin, target)

    def _call(self, call: Call, envelope: Envelope, instance: Instance) -> Outbound:
        version = _VERSIONS.get(call.version, call.version)
        path = f"/{version}/{model_path(call.kind, call.model, call.verb)}"
        outbound = request_of(
            envelope,
            "gemini" if call.verb in GENERATING else "passthrough",
            instance,
            PRESET,
            origin_of(instance, self.host),
            queried_target(instance, path, call.query),
            removes=_IN_PATH,
            model=call.model,
            stream=call.streams,
        )
        outbound.framing = call.framing
        return outbound

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, verdicts.GOOGLE)


@lru_cache(maxsize=1024)
def _takes_native(instance: Instance) -> bool:
    """
    Whether the instance's key is one that the API's own paths take: those that are
    compatible with OpenAI's take a bearer token.
    """
    endpoint = instance.endpoint
    if endpoint is not None and endpoint.path:
        return False  # it serves one path, the compatible one where nothing is said
    fields = (name for name, _ in instance.auth_headers)
    return "key" in instance.auth_query or b"x-goog-api-key" in fields
