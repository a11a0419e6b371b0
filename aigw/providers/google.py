"""
Google's way of naming a model and what to do with it in one path, as the Gemini API
(https://ai.google.dev/api) and Vertex AI (https://cloud.google.com/vertex-ai/docs/reference/rest)
share it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from aigw.model.envelope import Envelope
from aigw.model.instance import Instance

from .address import segment
from .request import TEMPLATE, model_of, streams

#: ``…/models/{model}:{verb}``, as the client encoded it.
_CALL = re.compile(
    rb"/(v1(?:alpha|beta)?[0-9]*)(?:/projects/([^/]+)/locations/([^/]+))?"
    rb"(?:/publishers/([^/]+))?/(models|tunedModels)/([^/]+?)(?::|%3A)([A-Za-z]+)/?\Z"
)

_SSE = re.compile(rb"(?:\A|&)(?:%24|\$)?alt=sse(?:&|\Z)")

#: Verbs that answer as the ``gemini`` dialect does, and those that stream.
GENERATING = frozenset({"generateContent", "streamGenerateContent"})
#: Verbs that answer as the models' own vendors do.
RAW = frozenset({"rawPredict", "streamRawPredict"})
_STREAMING = frozenset({"streamGenerateContent", "streamRawPredict"})


@dataclass(frozen=True, slots=True)
class Call:
    """
    What a path asks for.

    :ivar version: ``v1beta`` and the like.
    :ivar project: as decoded; ``""`` where the path names none.
    :ivar publisher: ``google``, ``anthropic``…; ``""`` where the path names none.
    :ivar kind: ``models``, or ``tunedModels`` of the Gemini API.
    :ivar verb: ``generateContent``, ``countTokens``…
    :ivar query: the query that goes with it.
    """

    version: str
    project: str
    location: str
    publisher: str
    kind: str
    model: str
    verb: str
    query: bytes

    @property
    def framing(self) -> str:
        """
        The framing of the answer as :attr:`aigw.model.outbound.Outbound.framing` says
        it: a stream that nobody asked to have as SSE is one JSON array.
        """
        if self.verb != "streamGenerateContent" or _SSE.search(self.query):
            return ""
        return "json"

    @property
    def streams(self) -> bool:
        return self.verb in _STREAMING


def call_of(envelope: Envelope, instance: Instance) -> Call | None:
    """What the client's path asks for; None if it is no such path."""
    found = _CALL.search(envelope.target.split(b"?", 1)[0])
    if found is None or found[6] == TEMPLATE:
        return None
    texts = [unquote((group or b"").decode("ascii")) for group in found.groups()]
    version, project, location, publisher, kind, model, verb = texts
    model = model_of(envelope, instance, model)
    query = envelope.query
    return Call(version, project, location, publisher, kind, model, verb, query)


def generating(envelope: Envelope, instance: Instance) -> Call:
    """
    The call that an envelope whose path says nothing asks for. Its query is none of
    this API either; without ``alt=sse`` a stream would be one JSON array.
    """
    model = model_of(envelope, instance).removeprefix("models/")
    if streams(envelope, instance):
        verb, query = "streamGenerateContent", b"alt=sse"
    else:
        verb, query = "generateContent", b""
    return Call("v1beta", "", "", "", "models", model, verb, query)


def model_path(kind: str, model: str, verb: str) -> str:
    """
    ``models/{model}:{verb}``, encoded.

    :raises BadRequest: no path can hold the model.
    """
    return f"{kind}/{segment(model)}:{verb}"
