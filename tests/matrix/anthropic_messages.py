"""The ``anthropic`` package's Messages, with its stream helper."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

import anthropic

from .turns import SCHEMA, TOOLS, Asking, Called, Failed, Failure, Told, Usage, Words

Result = TypeVar("Result")


def _raising(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except anthropic.APIError as error:
        status = getattr(error, "status_code", None)
        raise Failed(Failure(type(error).__name__, status, error.message)) from error


#: See :class:`.turns.Words`.
WORDS: Final = Words(
    stop="end_turn",
    length="max_tokens",
    tool_calls="tool_use",
    filtered="end_turn",
    refusal="refusal",
    errors={
        400: "BadRequestError",
        401: "AuthenticationError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        429: "RateLimitError",
        500: "InternalServerError",
        503: "ServiceUnavailableError",
        529: "OverloadedError",
    },
    overloaded=529,
    broken={"server": "APIStatusError", "overloaded": "APIStatusError"},
)


class AnthropicMessages:
    """See :class:`.turns.Client`."""

    name = "anthropic"
    dialect = "anthropic-messages"
    words = WORDS

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._sdk = anthropic.Anthropic(
            api_key="sk-client",
            base_url=base,
            default_headers=headers,
            max_retries=0,
            timeout=20,
        )

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        asked: Any = [{"role": "user", "content": prompt}]
        count = self._sdk.messages.count_tokens
        return _raising(lambda: count(model=model, messages=asked)).input_tokens

    def ask(self, asking: Asking) -> Told:
        return _raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        body: dict[str, Any] = {
            "model": asking.model,
            "max_tokens": 4000,
            "messages": messages(asking),
        }
        if asking.tools:
            body["tools"] = tools()
        if asking.think:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if asking.schema:
            form = {"type": "json_schema", "schema": SCHEMA}
            body["output_config"] = {"format": form}
        if not asking.stream:
            return _told(self._sdk.messages.create(**body))
        with self._sdk.messages.stream(**body) as stream:
            events = list(stream)
            return _streamed(events, stream.get_final_message())


def tools() -> list[Any]:
    """The tools as Messages defines them."""
    return [
        {"name": name, "description": about, "input_schema": schema}
        for name, (about, schema) in TOOLS.items()
    ]


def messages(asking: Asking) -> list[Any]:
    """The conversation as Messages has it."""
    content: list[Any] = [{"type": "text", "text": asking.prompt}]
    if asking.image:
        data = base64.b64encode(asking.image).decode()
        source = {"type": "base64", "media_type": "image/png", "data": data}
        content.append({"type": "image", "source": source})
    told: list[Any] = [{"role": "user", "content": content}]
    if asking.before is not None:
        told.append({"role": "assistant", "content": asking.before.kept})
    more: list[Any] = [
        {"type": "tool_result", "tool_use_id": call, "content": text}
        for call, text in asking.results.items()
    ]
    if asking.then:
        more.append({"type": "text", "text": asking.then})
    if more:
        told.append({"role": "user", "content": more})
    return told


def _streamed(events: list[Any], message: Any) -> Told:
    told = _told(message)
    # The helper adds events of its own; these are the API's.
    deltas = [event for event in events if event.type == "content_block_delta"]
    texts = [e.delta.text for e in deltas if e.delta.type == "text_delta"]
    assert "".join(texts) == told.text
    told.pieces = sum(bool(text) for text in texts)
    indexes = [event.index for event in events if event.type == "content_block_start"]
    assert indexes == list(range(len(indexes)))
    calls = [i for i, b in enumerate(message.content) if b.type == "tool_use"]
    for index, call in zip(calls, told.calls, strict=True):
        pieces = [
            event.delta.partial_json
            for event in deltas
            if event.index == index and event.delta.type == "input_json_delta"
        ]
        assert json.loads("".join(pieces)) == json.loads(call.arguments)
        call.pieces = sum(bool(piece) for piece in pieces)
    return told


def _told(message: Any) -> Told:
    blocks = message.content
    assert message.role == "assistant"
    usage = message.usage
    return Told(
        text="".join(block.text for block in blocks if block.type == "text"),
        pieces=1,
        thought="".join(b.thinking for b in blocks if b.type == "thinking"),
        calls=[
            Called(block.id, block.name, json.dumps(block.input), 1)
            for block in blocks
            if block.type == "tool_use"
        ],
        stop=message.stop_reason,
        usage=Usage(
            usage.input_tokens + (usage.cache_creation_input_tokens or 0),
            usage.cache_read_input_tokens or 0,
            usage.output_tokens,
        ),
        kept=[block.model_dump(exclude_none=True) for block in blocks],
    )
