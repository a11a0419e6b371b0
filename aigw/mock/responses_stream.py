"""
The stream of OpenAI's Responses, made of a whole answer, in the order the API reference
gives its events (https://platform.openai.com/docs/api-reference/responses-streaming).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from .knobs import Knobs
from .pieces import fragments, made, words
from .script import Kind

#: An event before its number: its kind, its type, its members.
Event = tuple[Kind, str, dict[str, Any]]

_ENDS: Final = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """
    :ivar answer: the whole answer, with the text and the usage of what is sent.
    :ivar more: content event number i, from 0.
    """

    answer: dict[str, Any]
    events: list[tuple[Kind, bytes]]
    more: Callable[[int], bytes]


def stream(answer: dict[str, Any], end: bytes, knobs: Knobs) -> Stream:
    """
    The stream that comes to what ``answer`` says.

    :param end: of a line.
    """
    own = words(_text(answer))
    steps = list(_steps(answer, own))
    contents = [step for step in steps if step[0] is Kind.CONTENT]
    before = next((at for at, step in enumerate(steps) if step[0] is Kind.CONTENT), 0)

    def event(number: int, text: str) -> bytes:
        _, name, members = contents[0]
        return event_of(name, {**members, "delta": text}, before + number, end)

    text = made(knobs, own, lambda number: len(event(number, "")))
    number_sent = knobs.n if knobs.n is not None else len(own)
    if knobs.made:
        answer = _counted(answer, "".join(map(text, range(number_sent))), number_sent)
        steps = list(_steps(answer, own))
    # Those that are left out or doubled shift the numbers of the ones behind them.
    shift = number_sent - len(own)
    events = []
    for at, (kind, name, members) in enumerate(steps):
        number = at + (shift if at >= before + len(own) else 0)
        events.append((kind, event_of(name, members, number, end)))
    return Stream(answer, events, lambda number: event(number, text(number)))


def event_of(name: str, members: dict[str, Any], number: int, end: bytes) -> bytes:
    """One event in its framing."""
    held = {"type": name, **members, "sequence_number": number}
    data = json.dumps(held, separators=(",", ":")).encode()
    return b"event: " + name.encode() + end + b"data: " + data + end * 2


def _text(answer: dict[str, Any]) -> str:
    """The text of the only message, if that is one."""
    for item in answer["output"]:
        if item["type"] == "message":
            return str(item["content"][0].get("text", ""))
    return ""


def _counted(answer: dict[str, Any], text: str, used: int) -> dict[str, Any]:
    told: dict[str, Any] = deepcopy(answer)
    message = next(item for item in told["output"] if item["type"] == "message")
    message["content"][0]["text"] = text
    usage = told["usage"]
    if usage is not None:
        hidden = usage["output_tokens_details"]["reasoning_tokens"]
        usage["output_tokens"] = used + hidden
        usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    return told


def _steps(answer: dict[str, Any], own: list[str]) -> Iterator[Event]:
    begun = {
        **answer,
        "status": "in_progress",
        "output": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
    }
    yield Kind.OTHER, "response.created", {"response": begun}
    yield Kind.OTHER, "response.in_progress", {"response": begun}
    for index, item in enumerate(answer["output"]):
        place = {"output_index": index}
        started = {**item, **_EMPTY[item["type"]]}
        if "status" in item:
            started["status"] = "in_progress"
        yield Kind.OTHER, "response.output_item.added", {**place, "item": started}
        inside = {"item_id": item["id"], **place}
        if item["type"] == "message":
            yield from _message(item, inside, own)
        else:
            yield from _INSIDE[item["type"]](item, inside)
        yield Kind.OTHER, "response.output_item.done", {**place, "item": item}
    # The last event is the one that tells how it ended, and there is none behind it.
    yield Kind.FINISH, _ENDS[answer["status"]], {"response": answer}


def _message(
    item: dict[str, Any], place: dict[str, Any], own: list[str]
) -> Iterator[Event]:
    for index, part in enumerate(item["content"]):
        here = {**place, "content_index": index}
        refusal = part["type"] == "refusal"
        key = "refusal" if refusal else "text"
        empty = {**part, key: ""}
        if not refusal:
            empty["annotations"] = []
        name = "response.refusal" if refusal else "response.output_text"
        more: dict[str, Any] = {} if refusal else {"logprobs": []}
        yield Kind.OTHER, "response.content_part.added", {**here, "part": empty}
        kind = Kind.OTHER if refusal else Kind.CONTENT
        for word in words(part[key]) if refusal else own:
            yield kind, f"{name}.delta", {**here, "delta": word, **more}
        for number, note in enumerate(part.get("annotations", ())):
            noted = {**here, "annotation_index": number, "annotation": note}
            yield Kind.OTHER, "response.output_text.annotation.added", noted
        yield Kind.OTHER, f"{name}.done", {**here, key: part[key], **more}
        yield Kind.OTHER, "response.content_part.done", {**here, "part": part}


def _reasoning(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    for index, part in enumerate(item["summary"]):
        here = {**place, "summary_index": index}
        name = "response.reasoning_summary"
        empty = {**part, "text": ""}
        yield Kind.OTHER, f"{name}_part.added", {**here, "part": empty}
        for word in words(part["text"]):
            yield Kind.OTHER, f"{name}_text.delta", {**here, "delta": word}
        yield Kind.OTHER, f"{name}_text.done", {**here, "text": part["text"]}
        yield Kind.OTHER, f"{name}_part.done", {**here, "part": part}


def _function(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    name = "response.function_call_arguments"
    for piece in fragments(item["arguments"]):
        yield Kind.OTHER, f"{name}.delta", {**place, "delta": piece}
    done = {**place, "name": item["name"], "arguments": item["arguments"]}
    yield Kind.OTHER, f"{name}.done", done


def _custom(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    name = "response.custom_tool_call_input"
    for piece in fragments(item["input"]):
        yield Kind.OTHER, f"{name}.delta", {**place, "delta": piece}
    yield Kind.OTHER, f"{name}.done", {**place, "input": item["input"]}


def _search(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Event]:
    for state in ("in_progress", "searching", "completed"):
        yield Kind.OTHER, f"response.web_search_call.{state}", place


_INSIDE: Final = {
    "reasoning": _reasoning,
    "function_call": _function,
    "custom_tool_call": _custom,
    "web_search_call": _search,
}
#: What an item does not have yet when it is added.
_EMPTY: Final[dict[str, dict[str, Any]]] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
    "web_search_call": {},
}
