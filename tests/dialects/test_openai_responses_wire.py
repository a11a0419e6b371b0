"""What Responses' writer writes, held to the official client's own types."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, get_args

import msgspec
import pytest
from openai.types.responses import Response, ResponseStreamEvent

from aigw.dialects.failures import error_of
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.frame import SSEFrame
from aigw.model.rendered import Rendered
from aigw.streaming.gather import events_of

from .streams import bytes_of, call_of, chat, fixtures, frames_of, read, write

NAME = "openai-responses"
STREAMS = fixtures(".sse")
WHOLE = fixtures(".json")

#: The client's class for each event, by the one value its ``type`` may have.
KNOWN: dict[str, Any] = {
    get_args(one.model_fields["type"].annotation)[0]: one
    for one in get_args(get_args(ResponseStreamEvent)[0])
}


def told(frames: list[Any]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame.data) for frame in frames]


def written(dialect: str, name: str) -> list[Any]:
    """A provider's stream as a client of Responses gets it."""
    data = bytes_of(dialect, name, ".sse")
    return write(NAME, read(dialect, frames_of(dialect, data)))


def check(frames: list[Any]) -> None:
    """The promises of the dialect that no type holds."""
    added: list[Any] = []
    done: list[Any] = []
    pieces: dict[tuple[str, int], str] = defaultdict(str)
    for number, (frame, event) in enumerate(zip(frames, told(frames), strict=True)):
        kind = event["type"]
        assert KNOWN[kind].model_validate(event)
        assert frame.type == kind
        assert event["sequence_number"] == number
        if kind == "response.output_item.added":
            assert event["output_index"] == len(added)
            added.append(event["item"])
        elif kind == "response.output_item.done":
            assert event["item"].get("id") == added[event["output_index"]].get("id")
            done.append((event["output_index"], event["item"]))
        elif kind.endswith(".delta"):
            pieces[kind.removesuffix(".delta"), event["output_index"]] += event["delta"]
        elif (kind.removesuffix(".done"), event.get("output_index")) in pieces:
            whole = pieces[kind.removesuffix(".done"), event["output_index"]]
            fields = ("text", "refusal", "arguments", "input")
            assert [event[one] for one in fields if one in event] == [whole]
        elif kind in ("response.completed", "response.incomplete"):
            assert number == len(frames) - 1
            assert [item for _, item in sorted(done, key=lambda one: one[0])] == (
                event["response"]["output"]
            )
            assert len(done) == len(added)


@pytest.mark.parametrize(("dialect", "name"), STREAMS)
def test_every_event_is_one_the_official_client_knows(dialect: str, name: str) -> None:
    frames = written(dialect, name)
    assert frames
    check(frames)


@pytest.mark.parametrize(("dialect", "name"), WHOLE)
def test_whole_answers_are_what_the_official_client_knows(
    dialect: str, name: str
) -> None:
    answer = chat(dialect).reader(Rendered(b"")).whole(bytes_of(dialect, name, ".json"))
    assert isinstance(answer, Answer)
    body = chat(NAME).writer(call_of(NAME), 1, "req-1").whole(answer)
    whole = Response.model_validate_json(body)
    assert whole.usage is not None
    frames = write(NAME, events_of(answer))
    check(frames)
    last = Response.model_validate(told(frames)[-1]["response"])
    assert last.output_text == whole.output_text
    assert last.output == whole.output
    assert last.usage == whole.usage


def test_error_event_is_flat_as_documented_and_nested_as_sent() -> None:
    failed = events.Failed("rate_limit", 429, "slow down")
    (frame,) = write(NAME, [failed])
    (before,) = chat(NAME).broken(error_of(failed), "r")
    for event in told([frame, before]):
        assert KNOWN["error"].model_validate(event)
        for place in (event, event["error"]):
            assert place["code"] == "rate_limit_exceeded"
            assert place["message"] == "slow down"
            assert place["param"] is None


@pytest.mark.parametrize(
    "more",
    [
        {"error": {"code": "rate_limit_exceeded", "message": "slow down"}},
        {"code": "rate_limit_exceeded", "message": "slow down"},
        {"message": "slow down", "error": {"type": "too_many_requests"}},
    ],
)
def test_errors_are_read_wherever_their_fields_stand(more: dict[str, Any]) -> None:
    data = msgspec.json.encode({"type": "error", "sequence_number": 2, **more})
    (failed,) = read(NAME, [SSEFrame("error", data)])
    assert isinstance(failed, events.Failed)
    assert (failed.kind, failed.status) == ("rate_limit", 429)
    assert failed.message == "slow down"


def test_log_probabilities_go_with_their_text() -> None:
    def chunk(word: str, logprob: float) -> SSEFrame:
        one = {"token": word, "logprob": logprob, "bytes": None, "top_logprobs": []}
        choice = {
            "index": 0,
            "delta": {"content": word},
            "logprobs": {"content": [one], "refusal": None},
        }
        return SSEFrame(data=msgspec.json.encode({"id": "c", "choices": [choice]}))

    stop = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    given = [chunk("Hé", -0.5), chunk("!", -1.0), SSEFrame(data=stop)]
    frames = write(NAME, read("openai-chat", given))
    check(frames)
    deltas = [one for one in told(frames) if one["type"].endswith("text.delta")]
    assert [
        [(one["delta"], entry["token"], entry["logprob"]) for entry in one["logprobs"]]
        for one in deltas
    ] == [[("Hé", "Hé", -0.5)], [("!", "!", -1.0)]]
    last = Response.model_validate(told(frames)[-1]["response"])
    part: Any = last.output[0]
    probable = part.content[0].logprobs
    assert [(one.token, bytes(one.bytes).decode()) for one in probable] == [
        ("Hé", "Hé"),
        ("!", "!"),
    ]


def test_log_probabilities_of_a_whole_answer_are_kept() -> None:
    entry = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    given = {
        "id": "c",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "a"},
                "logprobs": {"content": [entry]},
                "finish_reason": "stop",
            }
        ],
    }
    answer = chat("openai-chat").reader(Rendered(b"")).whole(msgspec.json.encode(given))
    assert isinstance(answer, Answer)
    body = chat(NAME).writer(call_of(NAME), 1, "req-1").whole(answer)
    whole: Any = Response.model_validate_json(body)
    assert whole.output[0].content[0].logprobs[0].logprob == -0.5
    frames = write(NAME, events_of(answer))
    assert told(frames)[-1]["response"]["output"] == msgspec.json.decode(body)["output"]


def done(output: int, item: dict[str, Any]) -> SSEFrame:
    event = {"type": "response.output_item.done", "output_index": output, "item": item}
    return SSEFrame("response.output_item.done", msgspec.json.encode(event))


ITEMS: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAAA",
    },
    {
        "type": "message",
        "id": "msg_1",
        "content": [
            {"type": "output_text", "text": "Let me see.", "annotations": []},
            {"type": "refusal", "refusal": "no"},
        ],
    },
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
    {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "text"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
]


def test_items_that_no_delta_told_are_read_once_from_what_closes_them() -> None:
    response = {"id": "resp_1", "model": "m", "output": ITEMS, "status": "completed"}
    whole = chat(NAME).reader(Rendered(b"")).whole(msgspec.json.encode(response))
    assert isinstance(whole, Answer)
    last = SSEFrame(
        "response.completed",
        msgspec.json.encode({"type": "response.completed", "response": response}),
    )
    singly = [done(output, item) for output, item in enumerate(ITEMS)]
    for given in ([last], [*singly, last]):
        frames = read(NAME, given)
        parts = [
            (event.kind, event.id, event.name)
            for event in frames
            if isinstance(event, events.BlockOpened)
        ]
        assert parts == [
            ("thinking", "", ""),
            ("text", "", ""),
            ("refusal", "", ""),
            ("tool", "c1", "f"),
            ("tool", "c2", "g"),
            ("opaque", "", "web_search_call"),
        ]
        said = [
            getattr(event, "text", None) or getattr(event, "json", None)
            for event in frames
            if isinstance(
                event,
                events.Text | events.Thinking | events.Refusal | events.Arguments,
            )
        ]
        assert said == ["hm", "Let me see.", "no", '{"a":1}', "text"]
        finished = [one for one in frames if isinstance(one, events.Finished)]
        assert [one.reason for one in finished] == [whole.choices[0].finish]


def part(step: str, content: int, **more: Any) -> SSEFrame:
    kind = f"response.content_part.{step}"
    event = {"type": kind, "output_index": 0, "content_index": content, "part": more}
    return SSEFrame(kind, msgspec.json.encode(event))


@pytest.mark.parametrize("closed", [True, False])
def test_parts_that_no_delta_told_are_read_once_from_what_closes_them(
    closed: bool,
) -> None:
    given = []
    for place, one in enumerate(ITEMS[1]["content"]):
        given.append(part("added", place, type=one["type"]))
        given += [part("done", place, **one)] if closed else []
    frames = read(NAME, [*given, done(0, ITEMS[1])])
    opened = [one.kind for one in frames if isinstance(one, events.BlockOpened)]
    assert opened == ["text", "refusal"]
    said = [one.text for one in frames if isinstance(one, events.Text | events.Refusal)]
    assert said == ["Let me see.", "no"]


def test_events_without_a_type_in_their_data_are_known_by_name() -> None:
    response = {"incomplete_details": {"reason": "max_output_tokens"}}
    data = msgspec.json.encode({"response": response})
    last = read(NAME, [SSEFrame("response.incomplete", data)])
    finished = [one for one in last if isinstance(one, events.Finished)]
    assert [one.reason for one in finished] == ["length"]


USAGE = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


@pytest.mark.parametrize("end", ["completed", "incomplete", "failed"])
@pytest.mark.parametrize("named", [True, False])
def test_usage_is_told_however_it_ends(end: str, named: bool) -> None:
    kind = f"response.{end}"
    response = {"status": end, "usage": USAGE, "output": [ITEMS[2]], "model": "m"}
    data = msgspec.json.encode({"type": kind, "response": response})
    frame = SSEFrame(kind if named else "message", data)
    tap = chat(NAME).tap()
    tap.feed(frame)
    reports = [
        one.usage for one in read(NAME, [frame]) if isinstance(one, events.UsageReport)
    ]
    assert tap.usage is not None
    assert [tap.usage] == reports
    assert (tap.usage.input, tap.usage.output, tap.usage.all) == (7, 3, 10)
    assert tap.tool_calls
    assert tap.finished == (end != "failed")
    assert (tap.error is not None) == (end == "failed")
