"""
Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs): OpenAI-compatible
chat, ``predict``, Gemini's own verbs, and Anthropic's Messages as ``rawPredict`` and
``streamRawPredict``. The path names project, region, publisher and model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zope.interface import implementer

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Origin, Outbound
from aigw.model.outcome import Judgement

from . import judge as verdicts
from .address import origin_of, passed_target, queried_target, segment, unresolved
from .google import GENERATING, RAW, Call, call_of, generating, model_path
from .presets import Preset
from .request import model_of, request_of, spoken, streams

_PLACE = "/projects/{project}/locations/{region}"
_GOOGLE = f"{_PLACE}/publishers/google/models/{{model}}"
_ANTHROPIC = f"/v1{_PLACE}/publishers/anthropic/models/{{model}}"

PRESET = Preset(
    "vertex-ai",
    "{region}-aiplatform.googleapis.com",
    {
        "openai-chat": f"/v1beta1{_PLACE}/endpoints/openapi/chat/completions",
        "vertex-predict": f"/v1{_GOOGLE}:predict",
        "gemini": f"/v1{_GOOGLE}:generateContent",
        "anthropic-messages": f"{_ANTHROPIC}:rawPredict",
        "vertex-raw-predict": f"{_ANTHROPIC}:rawPredict",
    },
    {
        "openai-chat": "max_completion_tokens",
        "gemini": "generationConfig.maxOutputTokens",
        "anthropic-messages": "max_tokens",
        "vertex-raw-predict": "max_tokens",
    },
    renames={"openai-chat": "max_tokens"},
    # https://ai.google.dev/gemini-api/docs/thought-signatures
    extensions=frozenset({"extra_content"}),
)

#: Where tokens of a Messages request are counted: by Anthropic, and here.
_COUNT_TOKENS = (
    "/v1/messages/count_tokens",
    "/anthropic/models/count-tokens:rawPredict",
)
#: Vertex AI's own number of the Messages API, a field of the body.
_VERSION = {"anthropic_version": "vertex-2023-10-16"}
#: The Gemini API's versions, in Vertex AI's numbers.
_VERSIONS = {"v1beta": "v1beta1", "v1alpha": "v1beta1"}


#: Messages as clients of Vertex AI send them.
_RAW = "vertex-raw-predict"
_CLAUDE = ("anthropic-messages", _RAW)
_COMPATIBLE = ("openai-chat", "vertex-predict", "gemini")
_GEMINI = ("gemini", "openai-chat", "vertex-predict")


@dataclass(frozen=True, slots=True)
class _Way:
    """
    Where a request goes and under which rules.

    :ivar path: encoded; None for the client's own.
    :ivar stream: as the path says it; None where the body does.
    :ivar framing: as :class:`Outbound` has it.
    """

    path: str | None
    dialect: str
    query: bytes = b""
    removes: tuple[str, ...] = ()
    adds: Mapping[str, str] | None = None
    model: str = ""
    stream: bool | None = None
    framing: str = ""


@implementer(IProvider)
class Vertex:
    """See the module."""

    name = PRESET.name
    host = PRESET.host
    dialects: Mapping[str, str] = PRESET.paths
    caps: Mapping[str, str] = PRESET.caps
    extensions: frozenset[str] = PRESET.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        """
        Claude is asked in Messages alone. Of the others, those that are named as the
        OpenAI-compatible path wants it (``google/…``) are converted for that, Gemini's
        own names for its own API.
        """
        if _fixed(instance):
            return PRESET.spoken
        if model.startswith("claude"):
            return _CLAUDE
        return _GEMINI if model.startswith("gemini") else _COMPATIBLE

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        way = _way(envelope, spoken(envelope, dialect, PRESET.paths), instance)
        if way.path is None:
            target = passed_target(instance, envelope.target, envelope.query)
        else:
            target = queried_target(instance, way.path, way.query)
        outbound = request_of(
            envelope,
            way.dialect,
            instance,
            PRESET,
            _origin(instance),
            target,
            removes=way.removes,
            adds=way.adds,
            model=way.model,
            stream=way.stream,
        )
        outbound.framing = way.framing
        return outbound

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        return verdicts.judge(status, headers, body, _WORDS)


#: Claude's errors are in Anthropic's words, all others in Google's.
_WORDS = {**verdicts.ANTHROPIC, **verdicts.GOOGLE}


def _way(envelope: Envelope, dialect: str, instance: Instance) -> _Way:
    model = model_of(envelope, instance)
    if dialect == "openai-chat":
        path = f"/v1beta1{_place(instance)}/endpoints/openapi/chat/completions"
        return _Way(path, dialect)
    call = call_of(envelope, instance)
    if dialect == "anthropic-messages" or (call is None and dialect == _RAW):
        verb = "streamRawPredict" if streams(envelope, instance) else "rawPredict"
        path = _path("v1", "anthropic", model, verb, instance)
        return _Way(path, dialect, removes=("model",), adds=_VERSION, model=model)
    if dialect == "vertex-predict":
        path = _path("v1", "google", model, "predict", instance)
        return _Way(path, dialect, removes=("model",), model=model)
    if envelope.path.endswith(_COUNT_TOKENS):
        # Here alone the body names the model: "count-tokens" stands in its place.
        path = _path("v1", "anthropic", "count-tokens", "rawPredict", instance)
        return _Way(path, dialect, adds=_VERSION)
    if call is None and dialect == "gemini":
        call = generating(envelope, instance)
    return _Way(None, dialect) if call is None else _called(call, instance)


def _called(call: Call, instance: Instance) -> _Way:
    """A native call; the instance's project and region win over the client's."""
    version = _VERSIONS.get(call.version, call.version)
    publisher = call.publisher or "google"
    generates = call.verb in GENERATING
    return _Way(
        _path(version, publisher, call.model, call.verb, instance, call),
        _dialect(call),
        query=call.query,
        removes=("model", "stream") if generates else ("model",),
        model=call.model,
        stream=call.streams,
        framing=call.framing,
    )


def _dialect(call: Call) -> str:
    """Whose body rules hold for a native call."""
    if call.verb in GENERATING:
        return "gemini"
    claude = call.publisher == "anthropic" and call.verb in RAW
    return _RAW if claude else "passthrough"


def _path(
    version: str,
    publisher: str,
    model: str,
    verb: str,
    instance: Instance,
    call: Call | None = None,
) -> str:
    if _fixed(instance):
        return ""
    place = _place(instance, call)
    own = model_path("models", model, verb)
    return f"/{version}{place}/publishers/{segment(publisher)}/{own}"


def _place(instance: Instance, call: Call | None = None) -> str:
    """
    ``/projects/…/locations/…``.

    :raises BadRequest: neither the instance nor the client's path names both.
    """
    if _fixed(instance):
        return ""
    conf = instance.provider_conf
    project = conf.get("project_id") or (call.project if call is not None else "")
    region = conf.get("region") or (call.location if call is not None else "")
    if not project or not region:
        raise unresolved("vertex-ai needs a project and a region")
    return f"/projects/{segment(project)}/locations/{segment(region)}"


def _fixed(instance: Instance) -> bool:
    """Whether an endpoint's own path is sent, whatever is computed here."""
    return instance.endpoint is not None and bool(instance.endpoint.path)


def _origin(instance: Instance) -> Origin:
    """
    The region's host (https://cloud.google.com/vertex-ai/docs/general/locations);
    ``global`` is a region without a host of its own.
    """
    region = instance.provider_conf.get("region")
    if region is None:
        return origin_of(instance, None)
    own = "" if region == "global" else f"{region}-"
    return origin_of(instance, f"{own}aiplatform.googleapis.com")
