"""
OpenAI's endpoints that are no chat: files, batches, audio, pictures, and Cohere's
``/v1/rerank``, which many servers offer beside them
(https://platform.openai.com/docs/api-reference). What is uploaded is not kept: its size
and SHA-256 are told, and a file's id holds that hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final

from .knobs import Knobs
from .openai import OpenAI, body_of
from .request import Request
from .script import Asked, Kind, Refused, Script

#: Path to what the JSON body must have.
_JSON: Final = {
    "/v1/audio/speech": ("model", "input", "voice"),
    "/v1/images/generations": ("prompt",),
    "/v1/batches": ("input_file_id", "endpoint", "completion_window"),
    "/v1/rerank": ("model", "query", "documents"),
}
#: Path to what the form must have.
_FORM: Final = {
    "/v1/audio/transcriptions": ("file", "model"),
    "/v1/audio/translations": ("file", "model"),
    "/v1/images/edits": ("image", "prompt"),
    "/v1/images/variations": ("image",),
    "/v1/files": ("file", "purpose"),
}
_STORED: Final = re.compile(
    r"/v1/(files|batches)(?:/([\w-]+)(?:/(content|cancel))?)?/?\Z"
)
_CREATED: Final = 1_700_000_000
_PIXEL: Final = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
#: Bytes that no text is made of, so that whoever decodes them is found out.
_NOISE: Final = bytes(range(256))

Form = dict[str, tuple[str, bytes]]


class OpenAIFiles(OpenAI):
    """The endpoints of one host that are no chat; errors are OpenAI's."""

    def asked(self, request: Request) -> Asked | None:
        path, method = request.path, request.method
        if method == "POST" and path in _JSON:
            body = body_of(request)
            _need(_JSON[path], body)
            stream = path == "/v1/audio/speech"
            return Asked(request, path, str(body.get("model", "")), stream, body)
        if method == "POST" and path in _FORM:
            form = form_of(request)
            _need(_FORM[path], form)
            model = form["model"][1].decode() if "model" in form else ""
            return Asked(request, path, model)
        found = _STORED.match(path)
        if found is None:
            return None
        kind, name, act = found.groups()
        allowed = {
            None: ("GET", "HEAD", "DELETE") if name and kind == "files" else ("GET",),
            "content": ("GET", "HEAD") if kind == "files" else (),
            "cancel": ("POST",) if kind == "batches" else (),
        }[act]
        if method not in allowed:
            raise Refused(405, f"Not allowed to {method} on {path}.")
        return Asked(request, path, stream=act == "content")

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        """Bytes of no particular meaning, as many as the knobs say."""
        size = knobs.s or len(_NOISE)
        piece = (_NOISE * (size // len(_NOISE) + 1))[:size]
        _, problem = self.problem(500, "The server had an error.")
        count = knobs.n if knobs.n is not None else 4
        speech = asked.operation == "/v1/audio/speech"
        return Script(
            b"audio/mpeg" if speech else b"application/octet-stream",
            [(Kind.CONTENT, piece)] * count,
            lambda number: piece,
            error=problem,
            malformed=b"",
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        path = asked.operation
        if path in _FORM and asked.request.method == "POST":
            told = _formed(path, form_of(asked.request))
        elif path == "/v1/images/generations":
            told = {"created": _CREATED, "data": [{"b64_json": _PIXEL}]}
        elif path == "/v1/batches" and asked.request.method == "POST":
            told = _batch("batch_mock", asked.body["input_file_id"], "validating")
        elif path == "/v1/rerank":
            found = range(len(asked.body["documents"]))
            results = [{"index": n, "relevance_score": 1 / (n + 1)} for n in found]
            told = {"id": "rerank-mock", "results": results}
        else:
            told = _stored(asked)
        return json.dumps(told).encode()


def form_of(request: Request) -> Form:
    """
    A multipart form (RFC 7578): field to its file's name and its bytes.

    :raises Refused: the body is none.
    """
    kind = request.field(b"content-type") or b""
    whole = b"Content-Type: %b\r\n\r\n%b" % (kind, request.body)
    message = BytesParser(policy=HTTP).parsebytes(whole)
    if not message.is_multipart():
        raise Refused(400, "Could not parse multipart form")
    form: Form = {}
    for part in message.iter_parts():
        name = part["content-disposition"].params["name"]
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes), "decoded"
        form[name] = (part.get_filename() or "", data)
    return form


def _need(names: tuple[str, ...], held: dict[str, Any]) -> None:
    for name in names:
        if name not in held:
            said = f"Missing required parameter: '{name}'."
            raise Refused(400, said, "missing_required_parameter", name)


def _formed(path: str, form: Form) -> dict[str, Any]:
    """What answers an upload."""
    name, data = form["image" if "image" in form else "file"]
    digest = hashlib.sha256(data).hexdigest()
    if path == "/v1/files":
        return _file(f"file-{digest}", name, len(data), form["purpose"][1].decode())
    if path.startswith("/v1/images"):
        picture = {"b64_json": _PIXEL, "revised_prompt": f"{len(data)} {digest}"}
        return {"created": _CREATED, "data": [picture]}
    return {"text": f"{len(data)} {digest}"}


def _file(name: str, filename: str, size: int, purpose: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": size,
        "created_at": _CREATED,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }


def _batch(name: str, file: str, status: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": file,
        "completion_window": "24h",
        "status": status,
        "created_at": _CREATED,
    }


def _stored(asked: Asked) -> dict[str, Any]:
    """What is told of what stands at the provider."""
    found = _STORED.match(asked.operation)
    assert found is not None
    kind, name, act = found.groups()
    if kind == "files":
        if asked.request.method == "DELETE":
            return {"id": name, "object": "file", "deleted": True}
        one = _file(name or "file-mock", "mock.jsonl", 4, "batch")
    else:
        status = "cancelling" if act == "cancel" else "completed"
        one = _batch(name or "batch_mock", "file-mock", status)
    return one if name else {"object": "list", "data": [one], "has_more": False}
