"""
``/echo…``: answers with what came, to prove what reaches a provider. Method, target,
version, header fields in order and as spelled, and the body as text (None where it is
not UTF-8) and in base64.
"""

from __future__ import annotations

import base64
import json

from .knobs import BadKnob, Knobs
from .openai import OpenAI
from .request import Request
from .script import Asked, Script
from .seen import pairs


class Echo(OpenAI):
    """Any path below ``/echo``; its errors are OpenAI's."""

    def asked(self, request: Request) -> Asked | None:
        path = request.path
        if path != "/echo" and not path.startswith("/echo/"):
            return None
        return Asked(request, "echo")

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        raise BadKnob("an echo is never a stream")

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        request = asked.request
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            text = None
        echo = {
            "method": request.method,
            "target": request.target,
            "version": request.version,
            "headers": pairs(request.headers),
            "body": text,
            "body_base64": base64.b64encode(request.body).decode(),
        }
        return json.dumps(echo, indent=2).encode()
