"""
Anthropic's models on Vertex AI: Messages whose model stands in the path, and whose
version in the body (https://docs.claude.com/en/api/claude-on-vertex-ai).
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import unquote

from .anthropic import COUNT, MESSAGES, Anthropic
from .request import Request
from .script import Asked, Refused

_PATH: Final = re.compile(
    r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/"
    r"([^/]+):(rawPredict|streamRawPredict)\Z"
)
#: The one that the page tells, or a date, as newer clients send it.
_VERSION: Final = re.compile(r"vertex-2023-10-16\Z|\d{4}-\d\d-\d\d\Z")
#: What stands for a model in the path where tokens are counted.
_COUNTS: Final = "count-tokens"


class Vertex(Anthropic):
    """The raw predictions of one project; errors are Anthropic's."""

    def asked(self, request: Request) -> Asked | None:
        found = _PATH.match(unquote(request.path))
        if found is None:
            return None
        if request.method != "POST":
            raise Refused(405, "Method Not Allowed")
        if request.field(b"authorization") is None:
            raise Refused(401, "Request is missing required authentication credential.")
        try:
            body = json.loads(request.body)
        except ValueError as error:
            said = f"The request body is not valid JSON: {error}"
            raise Refused(400, said) from error
        if not isinstance(body, dict) or "anthropic_version" not in body:
            raise Refused(400, "anthropic_version: Field required")
        if not _VERSION.match(str(body["anthropic_version"])):
            raise Refused(400, "anthropic_version: Input should be vertex-2023-10-16")
        model = found[1]
        counts = model == _COUNTS
        if counts:
            model = str(body.get("model", ""))
        elif "model" in body:
            raise Refused(400, "model: Extra inputs are not permitted")
        for name in ("messages",) if counts else ("messages", "max_tokens"):
            if name not in body:
                raise Refused(400, f"{name}: Field required")
        operation = COUNT if counts else MESSAGES
        stream = not counts and body.get("stream") is True
        return Asked(request, operation, model, stream, body)
