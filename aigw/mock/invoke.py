"""
Amazon Bedrock's InvokeModel and InvokeModelWithResponseStream of Anthropic's models,
after the user guide ("Anthropic Claude Messages API"): Messages, of which the path says
model and stream; a stream's events stand in ``chunk`` messages, the last with what the
service measured.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any, Final
from urllib.parse import unquote

from . import eventstream
from .anthropic import Anthropic
from .bedrock import Bedrock, posted
from .knobs import BadKnob, Knobs
from .request import Request
from .script import Asked, Kind, Refused, Script

_PATH: Final = re.compile(r"/model/([^/]+)/invoke(-with-response-stream)?\Z")
_HEADERS: Final = {
    ":event-type": "chunk",
    ":content-type": "application/json",
    ":message-type": "event",
}


class Invoke:
    """The invoke operations of one region; errors are Bedrock's own."""

    def __init__(self) -> None:
        self._messages = Anthropic()
        self._bedrock = Bedrock()

    def asked(self, request: Request) -> Asked | None:
        found = _PATH.match(request.path)
        if found is None:
            return None
        body = posted(request)
        if not isinstance(body, dict) or not body.get("anthropic_version"):
            raise Refused(400, "anthropic_version: Field required")
        for name in ("messages", "max_tokens"):
            if name not in body:
                raise Refused(400, f"{name}: Field required")
        for name in ("model", "stream"):
            if name in body:
                raise Refused(400, f"{name}: Extra inputs are not permitted")
        betas = body.get("anthropic_beta", [])
        if not isinstance(betas, list):
            raise Refused(400, "anthropic_beta: Input should be a valid list")
        stream = found[2] is not None
        return Asked(request, "anthropic-messages", unquote(found[1]), stream, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        if knobs.crlf or knobs.cr:
            raise BadKnob("crlf and cr: this framing has no lines")
        held = self._messages.script(asked, knobs)
        told = self._bedrock.problem(500, "The system encountered an unexpected error.")
        exception = {
            ":message-type": "exception",
            ":exception-type": "internalServerException",
            ":content-type": "application/json",
        }
        used = _Used()
        return Script(
            b"application/vnd.amazon.eventstream",
            [
                (kind, _chunk(used.see(event, kind)))
                for kind, event in held.events
                if not event.startswith(b"event: ping")
            ],
            lambda number: _chunk(_data(held.more(number))),
            error=eventstream.frame(exception, told[1]),
            malformed=eventstream.impossible(),
            corrupt=eventstream.corrupt,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if knobs.error is not None:
            return self._bedrock.whole(asked, knobs)
        return self._messages.whole(asked, knobs)

    def problem(
        self, status: int, message: str, code: str = "", param: str = ""
    ) -> tuple[list[tuple[str, str]], bytes]:
        return self._bedrock.problem(status, message, code, param)

    def fields(self, number: int) -> list[tuple[str, str]]:
        return self._bedrock.fields(number)


class _Used:
    """What the events of an answer tell of the use."""

    def __init__(self) -> None:
        self._counts: dict[str, Any] = {}

    def see(self, event: bytes, kind: Kind) -> bytes:
        """The event's data; the last with the service's own figures."""
        data = _data(event)
        told = json.loads(data)
        self._counts |= told.get("usage", told.get("message", {}).get("usage", {}))
        if kind is not Kind.TERMINAL:
            return data
        told["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": self._counts.get("input_tokens", 0),
            "outputTokenCount": self._counts.get("output_tokens", 0),
            "invocationLatency": 420,
            "firstByteLatency": 210,
        }
        return json.dumps(told, separators=(",", ":")).encode()


def _data(event: bytes) -> bytes:
    return event.partition(b"\ndata: ")[2].rstrip(b"\n")


def _chunk(data: bytes) -> bytes:
    # As the service does, so that the length does not give the text away.
    padding = "abcdefghijklmnopqrstuvwxyz"[: 4 + len(data) % 7]
    payload = {"bytes": b64encode(data).decode(), "p": padding}
    return eventstream.frame(
        _HEADERS, json.dumps(payload, separators=(",", ":")).encode()
    )
