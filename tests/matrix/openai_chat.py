"""The ``openai`` package's Chat Completions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final, TypeVar

import openai

from .turns import (
    SCHEMA,
    SCHEMA_NAME,
    TOOLS,
    Asking,
    Called,
    Failed,
    Failure,
    Told,
    Words,
)
from .turns import Usage as Tokens

Result = TypeVar("Result")

#: See :class:`.turns.Words`.
WORDS: Final = Words(
    stop="stop",
    length="length",
    tool_calls="tool_calls",
    filtered="content_filter",
    refusal="content_filter",
    errors={
        400: "BadRequestError",
        401: "AuthenticationError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        429: "RateLimitError",
        500: "InternalServerError",
        503: "InternalServerError",
        529: "InternalServerError",
    },
    overloaded=503,
    # In a stream there is no status.
    broken={"server": "APIError", "overloaded": "APIError"},
)


def raising(call: Callable[[], Result]) -> Result:
    """What ``call`` gives, the client's errors in our words."""
    try:
        return call()
    except openai.APIError as error:
        status = getattr(error, "status_code", None)
        raise Failed(Failure(type(error).__name__, status, error.message)) from error


def sdk(base: str, headers: dict[str, str]) -> openai.OpenAI:
    """The client, for the gateway at ``base``."""
    return openai.OpenAI(
        api_key="sk-client",
        base_url=f"{base}/v1",
        default_headers=headers,
        max_retries=0,
        timeout=20,
    )


class OpenAIChat:
    """See :class:`.turns.Client`."""

    name = "openai (chat)"
    dialect = "openai-chat"
    words = WORDS

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._sdk = sdk(base, headers)

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        raise NotImplementedError("Chat Completions counts no tokens")

    def ask(self, asking: Asking) -> Told:
        return raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        body: dict[str, Any] = {"model": asking.model, "messages": _messages(asking)}
        if asking.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": name,
                        "description": about,
                        "parameters": schema,
                    },
                }
                for name, (about, schema) in TOOLS.items()
            ]
        if asking.think:
            body["reasoning_effort"] = "low"
        if asking.schema:
            named = {"name": SCHEMA_NAME, "schema": SCHEMA, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        completions = self._sdk.chat.completions
        if not asking.stream:
            return _whole(completions.create(**body))
        options = {"include_usage": True}
        with completions.create(**body, stream=True, stream_options=options) as stream:
            return _streamed(stream)


def _messages(asking: Asking) -> list[Any]:
    content: Any = asking.prompt
    if asking.image:
        data = base64.b64encode(asking.image).decode()
        content = [
            {"type": "text", "text": asking.prompt},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{data}"},
            },
        ]
    messages: list[Any] = [{"role": "user", "content": content}]
    if asking.before is not None:
        messages.append(asking.before.kept)
    messages += [
        {"role": "tool", "tool_call_id": call, "content": text}
        for call, text in asking.results.items()
    ]
    if asking.then:
        messages.append({"role": "user", "content": asking.then})
    return messages


def _whole(answer: Any) -> Told:
    (choice,) = answer.choices
    message = choice.message
    calls = [
        Called(one.id, one.function.name, one.function.arguments, 1)
        for one in message.tool_calls or ()
    ]
    return Told(
        text=message.content or "",
        pieces=1,
        thought=_reasoning(message),
        calls=calls,
        stop=choice.finish_reason,
        usage=_usage(answer.usage),
        kept=message.model_dump(exclude_none=True),
    )


def _streamed(stream: Any) -> Told:
    told = Told()
    details: list[Any] = []
    chunks, usages = [], []
    for chunk in stream:
        chunks.append(chunk)
        if chunk.usage is not None:
            usages.append(chunk.usage)
        for choice in chunk.choices:
            assert choice.index == 0
            told.stop = choice.finish_reason or told.stop
            delta = choice.delta
            if delta.content:
                told.text += delta.content
                told.pieces += 1
            told.thought += _reasoning(delta)
            for detail in getattr(delta, "reasoning_details", None) or ():
                _add(details, detail)
            for call in delta.tool_calls or ():
                if call.index == len(told.calls):
                    told.calls.append(Called(call.id, call.function.name))
                told.calls[call.index].add(call.function.arguments or "")
    assert len({chunk.id for chunk in chunks}) == 1, "the stream has several ids"
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len(usages) == 1, f"{len(usages)} chunks have usage"
    told.usage = _usage(usages[0])
    told.kept = _kept(told, details)
    return told


def _reasoning(said: Any) -> str:
    """Vendors do not agree on the name."""
    for name in ("reasoning_content", "reasoning"):
        if text := getattr(said, name, None):
            return str(text)
    return ""


def _add(details: list[Any], detail: dict[str, Any]) -> None:
    """Pieces of one detail have its index."""
    if detail["index"] == len(details):
        details.append(dict(detail))
        return
    held = details[detail["index"]]
    held.update(detail, text=held.get("text", "") + detail.get("text", ""))


def _kept(told: Told, details: list[Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {"role": "assistant", "content": told.text or None}
    if told.calls:
        kept["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in told.calls
        ]
    if told.thought:
        kept["reasoning_content"] = told.thought
    if details:
        kept["reasoning_details"] = details
    return kept


def _usage(usage: Any) -> Tokens:
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    read = usage.prompt_tokens_details
    cached = (read.cached_tokens or 0) if read else 0
    made = usage.completion_tokens_details
    return Tokens(
        usage.prompt_tokens - cached,
        cached,
        usage.completion_tokens,
        made.reasoning_tokens if made else None,
    )
