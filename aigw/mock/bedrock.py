"""
Amazon Bedrock Runtime: Converse and ConverseStream, after its API reference; errors by
status, ``x-amzn-errortype`` and ``{"message"}``, in a stream as exception frames.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import unquote

from . import eventstream
from .bedrock_checks import checked
from .bedrock_stream import stream
from .fixtures import fixture
from .knobs import BadKnob, Knobs
from .measure import measured
from .request import Request
from .script import Asked, Kind, Refused, Script, content_events

_PATH: Final = re.compile(r"/model/([^/]+)/(converse|converse-stream|count-tokens)\Z")
_OPERATION: Final = "bedrock-converse"
_COUNT: Final = "bedrock-count_tokens"
_TEXT: Final = re.compile(rb'("delta":\{"text":")((?:[^"\\]|\\.)*)(?=")')
_KINDS: Final = {b"messageStop": Kind.FINISH, b"metadata": Kind.TERMINAL}
_ERRORS: Final = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_STREAM_ERROR: Final = "The system encountered an unexpected error. Try again."


def posted(request: Request) -> Any:
    """The JSON that was posted; the runtime knows no other request."""
    if request.method != "POST":
        raise Refused(405, f"{request.method} is not allowed here.")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}") from error


class Bedrock:
    """The Bedrock Runtime endpoint of one region."""

    def asked(self, request: Request) -> Asked | None:
        found = _PATH.match(request.path)
        if found is None:
            return None
        body = posted(request)
        if isinstance(body, dict) and found[2] == "count-tokens":
            if len(body.get("input", ())) != 1:
                raise Refused(400, "1 validation error: 'input' has exactly one member")
            return Asked(request, _COUNT, unquote(found[1]), False, body)
        if not isinstance(body, dict) or "messages" not in body:
            raise Refused(400, "1 validation error: 'messages' must not be null")
        stream = found[2] == "converse-stream"
        return Asked(request, _OPERATION, unquote(found[1]), stream, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        if knobs.crlf or knobs.cr:
            raise BadKnob("crlf and cr: this framing has no lines")
        frames = list(stream(_answer(asked, knobs)))
        events = [(_kind(frame), frame) for frame in frames]
        used = content_events(events, knobs)
        events = [
            (kind, _counted(frame, used, knobs) if kind is Kind.TERMINAL else frame)
            for kind, frame in events
        ]
        payloads = (eventstream.payload_of(frame) for frame in frames)
        texts = [found for payload in payloads if (found := _TEXT.search(payload))]
        if knobs.made and not texts:
            raise BadKnob(f"n, s and endless: scenario {knobs.scenario!r} has no text")
        like = next((frame for kind, frame in events if kind is Kind.CONTENT), b"")
        exception = {
            ":message-type": "exception",
            ":exception-type": "internalServerException",
            ":content-type": "application/json",
        }
        return Script(
            b"application/vnd.amazon.eventstream",
            events,
            measured(knobs, texts, lambda data: eventstream.with_payload(like, data)),
            error=eventstream.frame(exception, self.problem(500, _STREAM_ERROR)[1]),
            malformed=eventstream.impossible(),
            corrupt=eventstream.corrupt,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if knobs.error is not None:
            return self.problem(500, _STREAM_ERROR)[1]
        if asked.operation == _COUNT:
            return fixture(_COUNT, "text", "json")
        answer = _answer(asked, knobs)
        if knobs.nousage:
            del answer["usage"]
        if not knobs.made:
            return json.dumps(answer).encode()
        script = self.script(asked, knobs)
        used = content_events(script.events, knobs)
        payloads = (eventstream.payload_of(script.more(i)) for i in range(used))
        answer["output"]["message"]["content"] = [
            {"text": "".join(json.loads(data)["delta"]["text"] for data in payloads)}
        ]
        usage = answer.get("usage")
        if usage is not None:
            usage["outputTokens"] = used
            usage["totalTokens"] = usage["inputTokens"] + used
        return json.dumps(answer).encode()

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        kind = _ERRORS.get(status, "InternalServerException")
        return [("x-amzn-errortype", kind)], json.dumps({"message": message}).encode()

    def fields(self, number: int) -> list[tuple[str, str]]:
        return [("x-amzn-requestid", f"00000000-0000-4000-8000-{number:012d}")]


def _answer(asked: Asked, knobs: Knobs) -> dict[str, Any]:
    text = checked(asked.body).text()
    answer: dict[str, Any] = json.loads(
        fixture(asked.operation, knobs.scenario, "json")
    )
    if text is not None and knobs.scenario == "text":
        answer["output"]["message"]["content"] = [{"text": text}]
    return answer


def _kind(frame: bytes) -> Kind:
    for name, kind in _KINDS.items():
        if name in frame[:64]:
            return kind
    return Kind.CONTENT if _TEXT.search(eventstream.payload_of(frame)) else Kind.OTHER


def _counted(frame: bytes, used: int, knobs: Knobs) -> bytes:
    """The metadata frame with the usage of what is sent."""
    payload = json.loads(eventstream.payload_of(frame))
    if knobs.nousage:
        del payload["usage"]
    elif knobs.made:
        usage = payload["usage"]
        usage["outputTokens"] = used
        usage["totalTokens"] = usage["inputTokens"] + used
    else:
        return frame
    data = json.dumps(payload, separators=(",", ":")).encode()
    return eventstream.with_payload(frame, data)
