"""
Anthropic's API: Messages and counting their tokens, after the API reference
(https://docs.claude.com/en/api/messages, …/streaming, …/errors).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .anthropic_checks import checked
from .anthropic_stream import stream
from .fixtures import fixture, streamed
from .knobs import BadKnob, Knobs
from .measure import measured
from .request import Request
from .script import Asked, Kind, Refused, Script, content_events

MESSAGES: Final = "anthropic-messages"
COUNT: Final = "anthropic-count_tokens"
_MODELS: Final = "anthropic-models"
_POST: Final = {
    "/v1/messages": (MESSAGES, ("model", "messages", "max_tokens")),
    "/v1/messages/count_tokens": (COUNT, ("model", "messages")),
}

#: The text in an event that carries some.
_TEXT: Final = re.compile(
    rb'("delta":\{"type":"text_delta","text":")((?:[^"\\]|\\.)+)(?=")', re.DOTALL
)
_KINDS: Final = {b"message_delta": Kind.FINISH, b"message_stop": Kind.TERMINAL}
_NAME: Final = re.compile(rb"event: (\w+)\n")

_ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OVERLOADED: Final = 529


class Anthropic:
    """The Messages endpoints of one host."""

    def asked(self, request: Request) -> Asked | None:
        if request.path.startswith("/v1/models") and request.method == "GET":
            # Others list their models there too.
            if request.field(b"anthropic-version") is None:
                return None
            return Asked(request, _MODELS, request.path.removeprefix("/v1/models"))
        if request.path not in _POST:
            return None
        if request.method != "POST":
            raise Refused(405, "Method Not Allowed")
        if request.field(b"anthropic-version") is None:
            raise Refused(400, "anthropic-version: header is required")
        operation, needed = _POST[request.path]
        try:
            body = json.loads(request.body)
        except ValueError as error:
            said = f"The request body is not valid JSON: {error}"
            raise Refused(400, said) from error
        if not isinstance(body, dict):
            raise Refused(400, "Input should be a valid dictionary")
        for name in needed:
            if name not in body:
                raise Refused(400, f"{name}: Field required")
        stream = operation == MESSAGES and body.get("stream") is True
        return Asked(request, operation, str(body["model"]), stream, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        told = _told(asked, knobs)
        blocks = streamed(asked.operation, knobs.scenario, told, stream)
        events = [(_kind(block), block + b"\n\n") for block in blocks]
        if knobs.made or knobs.nousage:
            used = content_events(events, knobs) if knobs.made else None
            events = [(kind, _counted(event, used, knobs)) for kind, event in events]
        ends = {"crlf": b"\r\n", "cr": b"\r"}
        end = next((ends[name] for name in ends if getattr(knobs, name)), b"\n")
        texts = [found for _, event in events if (found := _TEXT.search(event))]
        if knobs.made and not texts:
            raise BadKnob(f"n, s and endless: scenario {knobs.scenario!r} has no text")
        error = b"event: error\ndata: " + self.problem(_OVERLOADED, "Overloaded")[1]
        return Script(
            b"text/event-stream; charset=utf-8",
            [(kind, event.replace(b"\n", end)) for kind, event in events],
            measured(knobs, texts, lambda event: event.replace(b"\n", end)),
            error=(error + b"\n\n").replace(b"\n", end),
            malformed=b'event: content_block_delta\ndata: {"type":'.replace(b"\n", end)
            + end * 2,
            comment=b": ping" + end * 2,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if knobs.error is not None:
            return self.problem(_OVERLOADED, "Overloaded")[1]
        if asked.operation == _MODELS:
            return _models(asked.model.removeprefix("/"))
        scenario = knobs.scenario if asked.operation == MESSAGES else "text"
        data = _told(asked, knobs) if asked.operation == MESSAGES else None
        if data is None:
            data = fixture(asked.operation, scenario, "json")
        if knobs.nousage and asked.operation == MESSAGES:
            data = _without_usage(data)
        if asked.operation == COUNT or not knobs.made:
            return data
        script = self.script(asked, knobs)
        used = content_events(script.events, knobs)
        said = [_TEXT.search(script.more(number)) for number in range(used)]
        answer = json.loads(data)
        text = b"".join(found[2] for found in said if found)
        answer["content"] = [{"type": "text", "text": json.loads(b'"%b"' % text)}]
        if "usage" in answer:
            answer["usage"]["output_tokens"] = used
        return json.dumps(answer).encode()

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        error = {"type": _ERRORS.get(status, "api_error"), "message": message}
        body = {"type": "error", "error": error, "request_id": "req_mock"}
        return [], json.dumps(body, separators=(",", ":")).encode()

    def fields(self, number: int) -> list[tuple[str, str]]:
        return [
            ("request-id", f"req_mock{number:020d}"),
            ("anthropic-ratelimit-requests-limit", "4000"),
            ("anthropic-ratelimit-requests-remaining", "3999"),
            ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
        ]


def _without_usage(data: bytes) -> bytes:
    answer = json.loads(data)
    del answer["usage"]
    return json.dumps(answer, separators=(",", ":")).encode()


def _models(wanted: str) -> bytes:
    listed = fixture(_MODELS, "text", "json")
    if not wanted:
        return listed
    for model in json.loads(listed)["data"]:
        if model["id"] == wanted:
            return json.dumps(model).encode()
    raise Refused(404, f"model: {wanted}")


def _told(asked: Asked, knobs: Knobs) -> bytes | None:
    """An answer that depends on the request; None where the fixture is the answer."""
    text = checked(asked.body).text()
    if text is None or knobs.scenario != "text":
        return None
    answer = json.loads(fixture(asked.operation, "text", "json"))
    answer["content"] = [{"type": "text", "text": text}]
    return json.dumps(answer, separators=(",", ":")).encode()


def _kind(block: bytes) -> Kind:
    found = _NAME.match(block)
    kind = _KINDS.get(found[1]) if found else None
    if kind is not None:
        return kind
    return Kind.CONTENT if _TEXT.search(block) else Kind.OTHER


def _counted(event: bytes, used: int | None, knobs: Knobs) -> bytes:
    """The event with the usage of what is sent."""
    head, mark, data = event.partition(b"\ndata: ")
    held: dict[str, Any] = json.loads(data)
    place = held.get("message", held)
    if "usage" not in place:
        return event
    if knobs.nousage:
        del place["usage"]
    elif used is not None and held["type"] == "message_delta":
        place["usage"]["output_tokens"] = used
    return head + mark + json.dumps(held, separators=(",", ":")).encode() + b"\n\n"
