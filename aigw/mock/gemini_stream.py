"""
The stream of Gemini's streamGenerateContent, made of a whole answer: each chunk is an
answer of its own with the usage so far (https://ai.google.dev/api/generate-content).
With ``alt=sse`` chunks are SSE events whose lines end in CRLF, as Google sends them;
without, the elements of one JSON array.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .knobs import Knobs
from .pieces import made, words
from .script import Kind

_MADE_UP: Final = ("thoughtsTokenCount", "candidatesTokenCount")


@dataclass(frozen=True, slots=True)
class Framing:
    """
    How chunks follow each other.

    :ivar end: the end of an SSE line; empty for the JSON array.
    """

    end: bytes

    def frame(self, data: bytes, last: bool = False) -> bytes:
        """One chunk."""
        if self.end:
            return b"data: " + data + self.end * 2
        return data if last else data + b",\r\n"

    @property
    def open(self) -> bytes:
        """What begins the array; empty where nothing does."""
        return b"" if self.end else b"["

    @property
    def close(self) -> bytes:
        """What ends the array; empty where nothing does."""
        return b"" if self.end else b"\n]\n"


@dataclass(frozen=True, slots=True)
class Stream:
    """
    :ivar text: the text of content event number i, from 0.
    :ivar more: that event.
    """

    events: list[tuple[Kind, bytes]]
    text: Callable[[int], str]
    more: Callable[[int], bytes]


def stream(answer: dict[str, Any], framing: Framing, knobs: Knobs) -> Stream:
    """The stream that comes to what ``answer`` says."""
    steps = list(_steps(answer))
    own = [_text(chunk) for kind, chunk in steps if kind is Kind.CONTENT]
    like = next((chunk for kind, chunk in steps if kind is Kind.CONTENT), answer)

    def event(text: str) -> bytes:
        index = like["candidates"][0]["index"]
        chunk = _chunk(answer, index, [{"text": text}], last=False)
        return framing.frame(_packed(chunk, knobs))

    text = made(knobs, own, lambda number: len(event("")))
    events = [
        (kind, framing.frame(_packed(chunk, knobs), number == len(steps)))
        for number, (kind, chunk) in enumerate(steps, 1)
    ]
    if framing.open:
        events.insert(0, (Kind.OTHER, framing.open))
        events.append((Kind.TERMINAL, framing.close))
    return Stream(events, text, lambda number: event(text(number)))


def _steps(answer: dict[str, Any]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Chunks, those of several candidates in turn."""
    if "candidates" not in answer:
        yield Kind.FINISH, answer
        return
    ways = [_candidate(answer, candidate) for candidate in answer["candidates"]]
    held = list(ways)
    while held:
        for way in list(held):
            step = next(way, None)
            if step is None:
                held.remove(way)
            else:
                yield step


def _candidate(
    answer: dict[str, Any], candidate: dict[str, Any]
) -> Iterator[tuple[Kind, dict[str, Any]]]:
    index = candidate["index"]
    parts = candidate["content"].get("parts", [])
    last: dict[str, Any] = {"text": ""}
    for part in parts:
        if "text" not in part:
            yield Kind.OTHER, _chunk(answer, index, [part], last=False)
            continue
        kind = Kind.OTHER if part.get("thought") else Kind.CONTENT
        for word in words(part["text"]):
            piece = {**part, "text": word}
            piece.pop("thoughtSignature", None)
            yield kind, _chunk(answer, index, [piece], last=False)
        # A signature of a text comes behind it, in a part that has no text.
        if "thoughtSignature" in part:
            last["thoughtSignature"] = part["thoughtSignature"]
    chunk = _chunk(answer, index, [last] if parts else [], last=True)
    ended = chunk["candidates"][0]
    ended.update(
        {key: candidate[key] for key in candidate if key not in ("content", "index")}
    )
    yield Kind.FINISH, chunk


def _chunk(
    answer: dict[str, Any], index: int, parts: list[Any], *, last: bool
) -> dict[str, Any]:
    content = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    usage = dict(answer["usageMetadata"])
    if not last:
        for name in _MADE_UP:
            usage.pop(name, None)
        usage["totalTokenCount"] = usage["promptTokenCount"]
    return {
        "candidates": [{"content": content, "index": index}],
        "usageMetadata": usage,
        "modelVersion": answer["modelVersion"],
        "responseId": answer["responseId"],
    }


def _text(chunk: dict[str, Any]) -> str:
    text: str = chunk["candidates"][0]["content"]["parts"][0]["text"]
    return text


def _packed(chunk: dict[str, Any], knobs: Knobs) -> bytes:
    if knobs.nousage:
        chunk = {key: chunk[key] for key in chunk if key != "usageMetadata"}
    return json.dumps(chunk, separators=(",", ":")).encode()
