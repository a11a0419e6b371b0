"""
OpenAI's Responses: creating one, whole and streamed, getting it again, and counting the
tokens of its input (https://platform.openai.com/docs/api-reference/responses). Nothing
is kept: the answers all have one id, and that one can be asked for again.
"""

from __future__ import annotations

import json
from typing import Any, Final

from .fixtures import fixture
from .knobs import BadKnob, Knobs
from .openai import OpenAI, body_of
from .request import Request
from .responses_checks import checked, known_id
from .responses_stream import event_of, stream
from .script import Asked, Refused, Script

_CREATE: Final = "openai-responses"
_COUNT: Final = "openai-input_tokens"
_AGAIN: Final = "openai-responses-again"
_PATH: Final = "/v1/responses"
_FAILED: Final = "The server had an error while processing your request."
#: Settings that an answer tells as they were given.
_TOLD: Final = (
    "instructions max_output_tokens max_tool_calls metadata parallel_tool_calls "
    "previous_response_id prompt_cache_key safety_identifier store temperature "
    "tool_choice tools top_logprobs top_p truncation user"
).split()


class Responses(OpenAI):
    """The Responses of one host; errors and fields are OpenAI's."""

    def asked(self, request: Request) -> Asked | None:
        path = request.path
        if path != _PATH and not path.startswith(f"{_PATH}/"):
            return None
        if request.method in ("GET", "HEAD") and path != _PATH:
            return _again(request, path.removeprefix(f"{_PATH}/"))
        if request.method != "POST" or path not in (_PATH, f"{_PATH}/input_tokens"):
            said = f"Invalid URL ({request.method} {path})"
            raise Refused(404, said, "unknown_url")
        body = body_of(request)
        model = body.get("model")
        if not isinstance(model, str):
            said = "Missing required parameter: 'model'."
            raise Refused(400, said, "missing_required_parameter", "model")
        if path != _PATH:
            return Asked(request, _COUNT, model, body=body)
        return Asked(request, _CREATE, model, body.get("stream") is True, body)

    def script(self, asked: Asked, knobs: Knobs) -> Script:
        if knobs.noterm:
            raise BadKnob("noterm: this stream has no event behind its finish")
        end = b"\r\n" if knobs.crlf else b"\r" if knobs.cr else b"\n"
        made = stream(_answer(asked, knobs), end, knobs)
        error = {"code": "server_error", "message": _FAILED, "param": None}
        return Script(
            b"text/event-stream; charset=utf-8",
            made.events,
            made.more,
            error=event_of("error", error, knobs.error or 0, end),
            malformed=b'event: response.output_text.delta\ndata: {"type":'.replace(
                b"\n", end
            )
            + end * 2,
            comment=b": ping" + end * 2,
        )

    def whole(self, asked: Asked, knobs: Knobs) -> bytes:
        if asked.operation == _COUNT:
            return fixture(_COUNT, "text", "json")
        if asked.operation == _AGAIN:
            return fixture(_CREATE, "text", "json")
        if knobs.error is not None:
            return self.problem(500, _FAILED)[1]
        told = stream(_answer(asked, knobs), b"\n", knobs)
        return json.dumps(told.answer, indent=2).encode()


def _again(request: Request, wanted: str) -> Asked:
    if wanted != known_id():
        said = f"Response with id '{wanted}' not found."
        raise Refused(404, said, "response_not_found")
    return Asked(request, _AGAIN, wanted)


def _answer(asked: Asked, knobs: Knobs) -> dict[str, Any]:
    """The whole answer, before any measure."""
    body = asked.body
    heard = checked(body)
    answer: dict[str, Any] = json.loads(fixture(_CREATE, knobs.scenario, "json"))
    told = heard.text() if knobs.scenario == "text" else None
    if told is not None:
        answer["output"][0]["content"][0]["text"] = told
    for name in _TOLD:
        if body.get(name) is not None:
            answer[name] = body[name]
    for name in ("reasoning", "text"):
        answer[name] = {**answer[name], **(body.get(name) or {})}
    reasoning = body.get("reasoning") or {}
    for item in answer["output"]:
        if item["type"] != "reasoning":
            continue
        # Told only to who asks for it.
        if not reasoning.get("summary"):
            item["summary"] = []
        if "reasoning.encrypted_content" not in (body.get("include") or ()):
            del item["encrypted_content"]
    if knobs.nousage:
        answer["usage"] = None
    return answer
