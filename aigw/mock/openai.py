"""
OpenAI's API: chat completions, completions, embeddings, moderations and models, after
the API reference and, for errors, the shapes its SDKs read.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from typing import Any, Final
from urllib.parse import unquote

from .fixtures import fixture, streamed
from .knobs import BadKnob, Knobs
from .measure import measured
from .openai_checks import checked
from .openai_stream import stream
from .request import Request
from .script import Asked, Kind, Refused, Script, content_events
from .vectors import vector

_POST: Final = {
    "/v1/chat/completions": ("openai-chat", "messages"),
    "/v1/completions": ("openai-completions", "prompt"),
    "/v1/embeddings": ("openai-embeddings", "input"),
    "/v1/moderations": ("openai-moderations", "input"),
}
_STREAMS: Final = ("openai-chat", "openai-completions")
_MODELS: Final = "openai-models"
_OTHERS: Final = (b"x-goog-api-key", b"anthropic-version")
_DEFAULTS: Final = {"openai-moderations": "omni-moderation-latest"}

#: The text in an event that carries some.
_TEXT: Final = re.compile(
    rb'("delta":\{"content":"|\{"text":")((?:[^"\\]|\\.)+)(?=")', re.DOTALL
)
#: What a content event can do without, so that small ones can be made.
_SPARE: Final = re.compile(
    rb',"(?:service_tier":"\w+"|system_fingerprint":"\w+"|logprobs":null)'
    rb"|(?<=cmpl-)\w{16}|-2024-07-18|:20230824-v2"
)
_FINISH: Final = re.compile(rb'"finish_reason":"')

#: status to (type, code), as the API answers.
_ERRORS: Final = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    409: ("invalid_request_error", None),
    413: ("invalid_request_error", None),
    422: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


class OpenAI:
    """The OpenAI dialects of one host."""

    def asked(self, request: Request) -> Asked | None:
        path = unquote(request.path)
        # Others list their models at the same path; their clients have other fields.
        if path.startswith("/v1/models") and any(map(request.field, _OTHERS)):
            return None
        if request.method in ("GET", "HEAD") and path == "/v1/models":
            return Asked(request, _MODELS)
        if request.method in ("GET", "HEAD") and path.startswith("/v1/models/"):
            return Asked(request, _MODELS, path.removeprefix("/v1/models/"))
        if path not in _POST:
            return None
        if request.method != "POST":
            raise Refused(405, f"Not allowed to {request.method} on {path}.")
        operation, needed = _POST[path]
        body = body_of(request)
        model = body.get("model", _DEFAULTS.get(operation))
        if not isinstance(model, str):
            raise Refused(400, "you must provide a model parameter")
        if needed not in body:
            raise Refused(400, f"Missing required parameter: '{needed}'.")
        stream = operation in _STREAMS and body.get("stream") is True
        return Asked(request, operation, model, stream, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        wanted = _usage_wanted(asked, knobs)
        events = []
        told = _told(asked, knobs)
        for event in streamed(asked.operation, knobs.scenario, told, stream):
            kind = _kind(event)
            if kind is Kind.USAGE and not wanted:
                continue
            if kind is not Kind.USAGE and not wanted:
                event = event.replace(b',"usage":null', b"")
            events.append((kind, event + b"\n\n"))
        if knobs.made:
            used = content_events(events, knobs)
            events = [
                (kind, _counted(event, used) if kind is Kind.USAGE else event)
                for kind, event in events
            ]
        ends = {"crlf": b"\r\n", "cr": b"\r"}
        end = next((ends[name] for name in ends if getattr(knobs, name)), b"\n")
        if knobs.s is not None:
            events = [(kind, _SPARE.sub(b"", event)) for kind, event in events]
        texts = [found for _, event in events if (found := _TEXT.search(event))]
        if knobs.made and not texts:
            raise BadKnob(f"n, s and endless: scenario {knobs.scenario!r} has no text")
        _, problem = self.problem(500, _SERVER_ERROR)
        return Script(
            b"text/event-stream; charset=utf-8",
            [(kind, event.replace(b"\n", end)) for kind, event in events],
            measured(knobs, texts, lambda event: event.replace(b"\n", end)),
            error=b"data: " + _compact(problem) + end * 2,
            malformed=b'data: {"id":"chatcmpl-mock","choices":[{"delta":' + end * 2,
            comment=b": ping" + end * 2,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if knobs.error is not None:
            return self.problem(500, _SERVER_ERROR)[1]
        data = _told(asked, knobs)
        if data is None:
            data = fixture(asked.operation, knobs.scenario, "json")
        if asked.operation == "openai-embeddings":
            return _embeddings(json.loads(data), asked.body)
        if asked.operation == _MODELS and asked.model:
            return _model(json.loads(data), asked.model)
        if asked.operation not in _STREAMS or not (knobs.made or knobs.nousage):
            return data
        answer = json.loads(data)
        if knobs.nousage:
            del answer["usage"]
        if not knobs.made:
            return json.dumps(answer, indent=2).encode()
        script = self.script(asked, knobs)
        used = content_events(script.events, knobs)
        said = [_TEXT.search(script.more(number)) for number in range(used)]
        choice = answer["choices"][0]
        held = choice["message"] if "message" in choice else choice
        text = b"".join(found[2] for found in said if found)
        held["content" if "message" in choice else "text"] = json.loads(b'"%b"' % text)
        usage = answer.get("usage")
        if usage is not None:
            usage["completion_tokens"] = used
            usage["total_tokens"] = usage["prompt_tokens"] + used
        return json.dumps(answer, indent=2).encode()

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        kind, usual = _ERRORS.get(status, ("server_error", None))
        error = {
            "message": message,
            "type": kind,
            "param": param or None,
            "code": code or usual,
        }
        return [], json.dumps({"error": error}, indent=2).encode()

    def fields(self, number: int) -> list[tuple[str, str]]:
        return [
            ("x-request-id", f"req_mock{number:028d}"),
            ("openai-processing-ms", "5"),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-remaining-requests", "9999"),
        ]


_SERVER_ERROR: Final = "The server had an error while processing your request."


def body_of(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        message = f"We could not parse the JSON body of your request. ({error})"
        raise Refused(400, message) from error
    if not isinstance(body, dict):
        raise Refused(400, "The JSON body is not an object.")
    return body


def _told(asked: Asked, knobs: Knobs) -> bytes | None:
    """An answer that depends on the request; None where the fixture is the answer."""
    if asked.operation != "openai-chat":
        return None
    text = checked(asked.body).text()
    number = asked.body.get("n") or 1
    if knobs.scenario != "text" or (text is None and number == 1):
        return None
    answer = json.loads(fixture(asked.operation, "text", "json"))
    (choice,) = answer["choices"]
    if text is not None:
        choice["message"]["content"] = text
    answer["choices"] = [{**choice, "index": index} for index in range(number)]
    return json.dumps(answer, indent=2).encode()


def _usage_wanted(asked: Asked, knobs: Knobs) -> bool:
    options = asked.body.get("stream_options")
    wanted = isinstance(options, dict) and options.get("include_usage") is True
    return (wanted or knobs.usage) and not knobs.nousage


def _kind(event: bytes) -> Kind:
    if event == b"data: [DONE]":
        return Kind.TERMINAL
    if b'"choices":[]' in event:
        return Kind.USAGE
    if _FINISH.search(event):
        return Kind.FINISH
    return Kind.CONTENT if _TEXT.search(event) else Kind.OTHER


def _counted(event: bytes, completion: int) -> bytes:
    prompt = re.search(rb'"prompt_tokens":(\d+)', event)
    total = completion + (int(prompt[1]) if prompt else 0)
    event = re.sub(rb'("completion_tokens":)\d+', rb"\g<1>%d" % completion, event)
    return re.sub(rb'("total_tokens":)\d+', rb"\g<1>%d" % total, event)


def _compact(data: bytes) -> bytes:
    return json.dumps(json.loads(data), separators=(",", ":")).encode()


def _embeddings(answer: dict[str, Any], body: dict[str, Any]) -> bytes:
    given = body["input"]
    # One text, or one list of tokens, or a list of either.
    many = isinstance(given, list) and not all(isinstance(item, int) for item in given)
    size = body.get("dimensions") or 16
    answer["data"] = []
    for index, item in enumerate(given if many else [given]):
        numbers = vector(json.dumps(item), size)
        packed = struct.pack(f"<{size}f", *numbers)
        coded = body.get("encoding_format") == "base64"
        embedding = base64.b64encode(packed).decode() if coded else numbers
        answer["data"].append(
            {"object": "embedding", "index": index, "embedding": embedding}
        )
    answer["model"] = body["model"]
    tokens = len(json.dumps(given).split())
    answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json.dumps(answer).encode()


def _model(answer: dict[str, Any], wanted: str) -> bytes:
    for model in answer["data"]:
        if model["id"] == wanted:
            return json.dumps(model).encode()
    raise Refused(404, f"The model '{wanted}' does not exist")
