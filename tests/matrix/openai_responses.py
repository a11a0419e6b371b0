"""The ``openai`` package's Responses."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from .openai_chat import WORDS, raising, sdk
from .turns import (
    SCHEMA,
    SCHEMA_NAME,
    TOOLS,
    Asking,
    Called,
    Failed,
    Failure,
    Told,
    Usage,
)


class OpenAIResponses:
    """See :class:`.turns.Client`."""

    name = "openai (responses)"
    dialect = "openai-responses"
    words = replace(
        WORDS,
        stop="completed",
        length="incomplete: max_output_tokens",
        tool_calls="completed",
        filtered="incomplete: content_filter",
        refusal="completed",
        broken={**WORDS.broken, "native": "error"},
    )

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._sdk = sdk(base, headers)

    def close(self) -> None:
        self._sdk.close()

    def count(self, model: str, prompt: str) -> int:
        return raising(
            lambda: self._sdk.responses.input_tokens.count(model=model, input=prompt)
        ).input_tokens

    def ask(self, asking: Asking) -> Told:
        return raising(lambda: self._ask(asking))

    def _ask(self, asking: Asking) -> Told:
        body: dict[str, Any] = {
            "model": asking.model,
            "input": _items(asking),
            # Nothing is kept for us, so reasoning has to come along, and go back.
            "store": False,
        }
        if asking.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": name,
                    "description": about,
                    "parameters": schema,
                    "strict": False,
                }
                for name, (about, schema) in TOOLS.items()
            ]
        if asking.think:
            body["reasoning"] = {"effort": "low", "summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        if asking.schema:
            named = {"name": SCHEMA_NAME, "schema": SCHEMA, "strict": True}
            body["text"] = {"format": {"type": "json_schema", **named}}
        if not asking.stream:
            return _told(self._sdk.responses.create(**body))
        with self._sdk.responses.stream(**body) as stream:
            events = list(stream)
            return _streamed(events)


def _items(asking: Asking) -> list[Any]:
    content: list[Any] = [{"type": "input_text", "text": asking.prompt}]
    if asking.image:
        data = base64.b64encode(asking.image).decode()
        url = f"data:image/png;base64,{data}"
        content.append({"type": "input_image", "image_url": url, "detail": "auto"})
    items: list[Any] = [{"role": "user", "content": content}]
    if asking.before is not None:
        items += asking.before.kept
    items += [
        {"type": "function_call_output", "call_id": call, "output": text}
        for call, text in asking.results.items()
    ]
    if asking.then:
        items.append({"role": "user", "content": asking.then})
    return items


def _streamed(events: list[Any]) -> Told:
    # The helper itself knows no other end than a completed answer.
    last = events[-1]
    if last.type == "error":
        # Without an object ``error`` in it, it is told as any other event.
        raise Failed(Failure("error", None, last.message))
    final = last.response
    assert last.type == f"response.{final.status}"
    told = _told(final)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == [
        "response.created",
        "response.in_progress",
    ]
    texts = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(texts) == told.text
    told.pieces = len(texts)
    places = [
        event.output_index
        for event in events
        if event.type == "response.output_item.added"
        and event.item.type == "function_call"
    ]
    assert len(places) == len(told.calls)
    for place, call in zip(places, told.calls, strict=True):
        pieces = [
            event.delta
            for event in events
            if event.type == "response.function_call_arguments.delta"
            and event.output_index == place
        ]
        assert "".join(pieces) == call.arguments
        call.pieces = sum(bool(piece) for piece in pieces)
    return told


def _told(answer: Any) -> Told:
    stop = answer.status
    if answer.incomplete_details is not None:
        stop += f": {answer.incomplete_details.reason}"
    calls = [
        Called(item.call_id, item.name, item.arguments, 1)
        for item in answer.output
        if item.type == "function_call"
    ]
    thoughts = [item for item in answer.output if item.type == "reasoning"]
    usage = answer.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    cached = usage.input_tokens_details.cached_tokens
    return Told(
        text=answer.output_text,
        pieces=1,
        thought="".join(part.text for item in thoughts for part in item.summary),
        calls=calls,
        stop=stop,
        usage=Usage(
            usage.input_tokens - cached,
            cached,
            usage.output_tokens,
            usage.output_tokens_details.reasoning_tokens,
        ),
        kept=[item.model_dump(exclude_none=True) for item in answer.output],
    )
