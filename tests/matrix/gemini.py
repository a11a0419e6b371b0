"""The ``google-genai`` package: generate_content and generate_content_stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

from google import genai
from google.genai import errors, types

from .turns import SCHEMA, TOOLS, Asking, Called, Failed, Failure, Told, Usage, Words

Result = TypeVar("Result")

#: Gemini need not give calls an id: then their order tells which is which.
_NAMELESS: Final = "call without an id "


def _raising(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except errors.APIError as error:
        name = f"{type(error).__name__} {error.status}"
        raise Failed(Failure(name, error.code, str(error.message))) from error


#: See :class:`.turns.Words`.
WORDS: Final = Words(
    stop="STOP",
    length="MAX_TOKENS",
    tool_calls="STOP",
    filtered="SAFETY",
    refusal="SAFETY",
    errors={
        400: "ClientError INVALID_ARGUMENT",
        401: "ClientError UNAUTHENTICATED",
        403: "ClientError PERMISSION_DENIED",
        404: "ClientError NOT_FOUND",
        429: "ClientError RESOURCE_EXHAUSTED",
        500: "ServerError INTERNAL",
        503: "ServerError UNAVAILABLE",
        529: "ServerError UNAVAILABLE",
    },
    overloaded=503,
    broken={
        "server": "ServerError INTERNAL",
        "overloaded": "ServerError UNAVAILABLE",
    },
)


class Gemini:
    """See :class:`.turns.Client`."""

    name = "google-genai"
    dialect = "gemini"
    words = WORDS

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._sdk = genai.Client(
            api_key="client",
            http_options=types.HttpOptions(
                base_url=base, headers=headers, timeout=20_000
            ),
        )

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        counted = _raising(
            lambda: self._sdk.models.count_tokens(model=model, contents=prompt)
        )
        assert counted.total_tokens is not None
        return counted.total_tokens

    def ask(self, asking: Asking) -> Told:
        return _raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        config = types.GenerateContentConfig(max_output_tokens=4000)
        if asking.tools:
            declared = [
                types.FunctionDeclaration(
                    name=name, description=about, parameters_json_schema=schema
                )
                for name, (about, schema) in TOOLS.items()
            ]
            config.tools = [types.Tool(function_declarations=declared)]
        if asking.think:
            config.thinking_config = types.ThinkingConfig(
                include_thoughts=True, thinking_budget=1024
            )
        if asking.schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = SCHEMA
        given: Any = {
            "model": asking.model,
            "contents": _contents(asking),
            "config": config,
        }
        models = self._sdk.models
        if not asking.stream:
            return _told([models.generate_content(**given)])
        return _told(list(models.generate_content_stream(**given)))


def _contents(asking: Asking) -> list[Any]:
    parts = [types.Part(text=asking.prompt)]
    if asking.image:
        parts.append(types.Part.from_bytes(data=asking.image, mime_type="image/png"))
    contents = [types.Content(role="user", parts=parts)]
    if asking.before is not None:
        contents.append(types.Content(role="model", parts=asking.before.kept))
    more = [
        types.Part(
            function_response=types.FunctionResponse(
                id=None if call.startswith(_NAMELESS) else call,
                name=asking.name_of(call),
                response={"output": text},
            )
        )
        for call, text in asking.results.items()
    ]
    if asking.then:
        more.append(types.Part(text=asking.then))
    if more:
        contents.append(types.Content(role="user", parts=more))
    return contents


def _told(answers: list[Any]) -> Told:
    told = Told(kept=[])
    for answer in answers:
        for candidate in answer.candidates or ():
            if candidate.finish_reason is not None:
                told.stop = candidate.finish_reason.name
            for part in (candidate.content and candidate.content.parts) or ():
                _take(told, part)
    usage = answers[-1].usage_metadata
    cached = usage.cached_content_token_count or 0
    thoughts = usage.thoughts_token_count or 0
    output = (usage.candidates_token_count or 0) + thoughts
    assert usage.total_token_count == usage.prompt_token_count + output
    told.usage = Usage(
        usage.prompt_token_count - cached,
        cached,
        output,
        usage.thoughts_token_count,
    )
    return told


def _take(told: Told, part: Any) -> None:
    """One part, as it came: so it goes back."""
    told.kept.append(part)
    if part.function_call is not None:
        call = part.function_call
        id = call.id or f"{_NAMELESS}{len(told.calls)}"
        told.calls.append(Called(id, call.name, json.dumps(call.args), 1))
    elif part.text and part.thought:
        told.thought += part.text
    elif part.text:
        told.text += part.text
        told.pieces += 1
