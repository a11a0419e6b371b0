"""
The stream of a chat completion, made of a whole one
(https://platform.openai.com/docs/api-reference/chat-streaming): a chunk with the role,
the pieces of each choice in turn, a finish for each, and the usage last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from .pieces import fragments, words

#: Texts of a message in the order a model comes to them.
_TEXTS: Final = ("reasoning_content", "content", "refusal")


def stream(answer: dict[str, Any]) -> Iterator[bytes]:
    """The SSE events that come to what ``answer`` says, without their ends."""
    ways = [_choice(choice) for choice in answer["choices"]]
    while ways:
        for way in list(ways):
            choice = next(way, None)
            if choice is None:
                ways.remove(way)
            else:
                yield _event(answer, [choice], None)
    yield _event(answer, [], answer["usage"])
    yield b"data: [DONE]"


def _choice(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message, index = choice["message"], choice["index"]
    begun = {"role": "assistant", "content": None if message["content"] is None else ""}
    yield _delta(index, {**begun, "refusal": None})
    for number, detail in enumerate(message.get("reasoning_details", ())):
        yield from _detail(index, number, detail)
    for name in _TEXTS:
        for word in words(message.get(name) or ""):
            yield _delta(index, {name: word})
    for number, call in enumerate(message.get("tool_calls", ())):
        function = {"name": call["function"]["name"], "arguments": ""}
        started = {"index": number, **call, "function": function}
        yield _delta(index, {"tool_calls": [started]})
        for piece in fragments(call["function"]["arguments"]):
            more = {"index": number, "function": {"arguments": piece}}
            yield _delta(index, {"tool_calls": [more]})
    yield _delta(index, {}, choice["finish_reason"])


def _detail(
    index: int, number: int, detail: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Signed reasoning, its text in pieces, as OpenRouter's API has it."""
    held = {key: detail[key] for key in ("type", "format")} | {"index": number}
    for word in words(detail["text"]):
        piece = {**held, "text": word}
        yield _delta(index, {"reasoning": word, "reasoning_details": [piece]})
    sealed = {**held, "signature": detail["signature"]}
    yield _delta(index, {"reasoning_details": [sealed]})


def _delta(index: int, delta: dict[str, Any], finish: Any = None) -> dict[str, Any]:
    # No space may stand between the keys: texts are found by what is before them.
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(answer: dict[str, Any], choices: list[Any], usage: Any) -> bytes:
    chunk = {
        "id": answer["id"],
        "object": "chat.completion.chunk",
        "created": answer["created"],
        "model": answer["model"],
        "service_tier": answer["service_tier"],
        "system_fingerprint": answer["system_fingerprint"],
        "choices": choices,
        "usage": usage,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode()
