"""
Google's Gemini API, and what Vertex AI has of it: generating and streaming content,
counting tokens, embeddings and the list of models (https://ai.google.dev/api), errors
as google.rpc.Status in JSON (https://cloud.google.com/apis/design/errors).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from .fixtures import fixture
from .gemini_checks import camel, checked
from .gemini_stream import Framing, stream
from .knobs import BadKnob, Knobs
from .request import Request
from .script import Asked, Refused, Script, content_events
from .vectors import vector

_PATH: Final = re.compile(
    r"/v1(?:alpha|beta1?)?/(?:projects/[^/]+/locations/[^/]+/publishers/google/)?"
    r"models/([^/]+):(\w+)\Z"
)
_MODELS: Final = re.compile(r"/v1(?:alpha|beta1?)?/models(?:/([^/:]+))?\Z")
_GENERATE: Final = "gemini"
_COUNT: Final = "gemini-count"
_EMBED: Final = "gemini-embed"
_EMBED_MANY: Final = "gemini-embed-many"
_LIST: Final = "gemini-models"
_OPERATIONS: Final = {
    "generateContent": _GENERATE,
    "streamGenerateContent": _GENERATE,
    "countTokens": _COUNT,
    "embedContent": _EMBED,
    "batchEmbedContents": _EMBED_MANY,
}
_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}
_NO_KEY: Final = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
_INTERNAL: Final = "An internal error has occurred. Please retry."


class Gemini:
    """The Gemini endpoints of one host."""

    def asked(self, request: Request) -> Asked | None:
        path = unquote(request.path)
        listed = _MODELS.match(path)
        found = _PATH.match(path)
        if listed is None and found is None:
            return None
        keyed = "key" in parse_qs(request.query) or request.field(b"x-goog-api-key")
        if path.startswith("/v1/models") and listed and not keyed:
            # Others list their models there too.
            return None
        if not keyed and not request.field(b"authorization"):
            raise Refused(403, _NO_KEY)
        if listed is not None:
            if request.method not in ("GET", "HEAD"):
                raise Refused(404, f"{request.method} is not supported for {path}.")
            return Asked(request, _LIST, listed[1] or "")
        assert found is not None
        model, method = found.groups()
        if method not in _OPERATIONS or request.method != "POST":
            raise Refused(404, f"The method {method} is not found for {model}.")
        operation = _OPERATIONS[method]
        body = _body(request)
        streamed = method == "streamGenerateContent"
        return Asked(request, operation, model, streamed, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        array = not _sse(asked)
        if array and (knobs.crlf or knobs.cr or knobs.comments):
            raise BadKnob("crlf, cr and comments: a JSON array has no lines")
        if knobs.noterm and not array:
            raise BadKnob("noterm: this stream has no event behind its finish")
        end = b"" if array else b"\r" if knobs.cr else b"\r\n"
        framing = Framing(end)
        answer = _answer(asked, knobs)
        made = stream(answer, framing, knobs)
        if knobs.made:
            used = content_events(made.events, knobs)
            made = stream(_counted(answer, used), framing, knobs)
        problem = json.dumps(json.loads(self.problem(500, _INTERNAL)[1]))
        told = problem.encode() + (b"]" if array else b"")
        return Script(
            b"application/json; charset=UTF-8" if array else b"text/event-stream",
            made.events,
            made.more,
            error=framing.frame(told, last=True),
            malformed=framing.frame(b'{"candidates": [{"content": {"parts": '),
            comment=None if array else b": ping" + end * 2,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if knobs.error is not None:
            return self.problem(500, _INTERNAL)[1]
        return json.dumps(self._said(asked, knobs), indent=2).encode()

    def _said(self, asked: Asked, knobs: Knobs) -> Any:
        if asked.operation == _LIST:
            return _models(asked.model)
        if asked.operation == _COUNT:
            return json.loads(fixture(_COUNT, "text", "json"))
        if asked.operation == _EMBED:
            return {"embedding": _embedding(asked.body)}
        if asked.operation == _EMBED_MANY:
            asks = asked.body.get("requests")
            if not asks:
                said = "BatchEmbedContentsRequest.requests: requests is not specified"
                raise Refused(400, f"* {said}\n")
            return {"embeddings": [_embedding(ask) for ask in asks]}
        answer = _answer(asked, knobs)
        if knobs.made:
            # Sized as the events of a stream would be.
            told = stream(answer, Framing(b"\r\n"), knobs)
            used = content_events(told.events, knobs)
            answer = _counted(answer, used)
            text = "".join(told.text(number) for number in range(used))
            answer["candidates"][0]["content"]["parts"] = [{"text": text}]
        if knobs.nousage:
            del answer["usageMetadata"]
        return [answer] if asked.stream and not _sse(asked) else answer

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        name = _STATUSES.get(status, "UNAVAILABLE" if status > 500 else "UNKNOWN")
        error = {"code": status, "message": message, "status": code or name}
        return [], json.dumps({"error": error}, indent=2).encode()

    def fields(self, number: int) -> list[tuple[str, str]]:
        return [
            ("Vary", "Origin"),
            ("X-Content-Type-Options", "nosniff"),
            ("Server-Timing", f"gfet4t7; dur={number}"),
        ]


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        said = f"Invalid JSON payload received. {error}"
        raise Refused(400, said) from error
    if not isinstance(body, dict):
        raise Refused(400, "Invalid JSON payload received. Root is not a message.")
    plain: dict[str, Any] = camel(body)
    return plain


def _sse(asked: Asked) -> bool:
    return parse_qs(asked.request.query).get("alt") == ["sse"]


def _answer(asked: Asked, knobs: Knobs) -> dict[str, Any]:
    """The whole answer, before any measure."""
    heard = checked(asked.body, asked.model)
    answer: dict[str, Any] = json.loads(fixture(_GENERATE, knobs.scenario, "json"))
    told = heard.text() if knobs.scenario == "text" else None
    if told is not None:
        answer["candidates"][0]["content"]["parts"] = [{"text": told}]
    settings = asked.body.get("generationConfig", {})
    if knobs.scenario == "text":
        first = answer["candidates"][0]
        count = settings.get("candidateCount", 1)
        answer["candidates"] = [{**first, "index": index} for index in range(count)]
    thinking = settings.get("thinkingConfig", {})
    if not thinking.get("includeThoughts"):
        # Thoughts are told only to who asks for them; their signatures always come.
        for candidate in answer.get("candidates", ()):
            parts = candidate["content"].get("parts", [])
            parts[:] = [part for part in parts if not part.get("thought")]
    return answer


def _counted(answer: dict[str, Any], used: int) -> dict[str, Any]:
    usage = dict(answer["usageMetadata"])
    usage["candidatesTokenCount"] = used
    thoughts = usage.get("thoughtsTokenCount", 0)
    usage["totalTokenCount"] = usage["promptTokenCount"] + used + thoughts
    return {**answer, "usageMetadata": usage}


def _embedding(asked: dict[str, Any]) -> dict[str, Any]:
    parts = (asked.get("content") or {}).get("parts")
    if not parts:
        raise Refused(400, "* EmbedContentRequest.content: content is not specified\n")
    text = "".join(str(part.get("text", "")) for part in parts)
    return {"values": vector(json.dumps(text), asked.get("outputDimensionality") or 16)}


def _models(wanted: str) -> Any:
    listed = json.loads(fixture(_LIST, "text", "json"))
    if not wanted:
        return listed
    for model in listed["models"]:
        if model["name"] == f"models/{wanted}":
            return model
    raise Refused(404, f"Model is not found: models/{wanted} for api version v1beta")
