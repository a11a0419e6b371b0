"""botocore as the judge: what Bedrock's own client sends, takes and raises."""

from __future__ import annotations

from base64 import b64decode
from functools import cache
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from aigw import framing
from aigw.errors import AllThrottled, BadRequest, GatewayError, UpstreamBroke
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.rendered import Rendered, Target

from .bodies import BODIES
from .requests import request
from .streams import (
    bytes_of,
    call_of,
    chat,
    fixtures,
    frame_of,
    frames_of,
    read,
    stream_of,
    streams,
    write,
)
from .test_round_trips import bodies, relaxed
from .test_streams import check_grammar

NAME = "bedrock-converse"
FRAMING = framing.get("aws-eventstream")


@cache
def operation(name: str) -> OperationModel:
    session = botocore.session.Session()
    return session.get_service_model("bedrock-runtime").operation_model(name)


class Body:
    """The body of an answer as botocore's parsers read it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: object) -> list[bytes]:
        return [self._data[at : at + 50] for at in range(0, len(self._data), 50)]

    def close(self) -> None:
        """Nothing is open."""


def streamed(data: bytes) -> list[dict[str, Any]]:
    """The events botocore's client makes of the bytes of a stream."""
    name = "ConverseStream"
    shape = operation(name).output_shape.members["stream"]
    parser = create_parser("rest-json")._event_stream_parser
    return list(EventStream(Body(data), shape, parser, name))


def whole(status: int, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    parser = create_parser("rest-json")
    given = {"status_code": status, "headers": headers, "body": body}
    parsed: dict[str, Any] = parser.parse(given, operation("Converse").output_shape)
    return parsed


def bytes_in(value: Any, shape: Shape) -> Any:
    """JSON of the wire as botocore's callers write it: blobs are bytes."""
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        if not isinstance(value, dict):
            return value
        members = shape.members
        return {
            key: bytes_in(one, members[key]) if key in members else one
            for key, one in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [bytes_in(one, shape.member) for one in value]
    return b64decode(value) if kind == "blob" else value


def sent(body: dict[str, Any]) -> dict[str, Any]:
    """
    What botocore sends for a rendered body, after checking it against the service
    model: types, required members, unions of one, and no member that it does not know.
    """
    known = dict(body)
    known.pop("stream", None)
    model = known.pop("model", None)
    input_shape = operation("Converse").input_shape
    told = bytes_in({**known, "modelId": model or "m"}, input_shape)
    serializer = create_serializer("rest-json", include_validation=True)
    made = serializer.serialize_to_request(told, operation("Converse"))
    again: dict[str, Any] = msgspec.json.decode(made["body"])
    return again


# -- requests


@relaxed
@given(bodies().filter(lambda one: one[0] != NAME))
def test_requests_are_what_the_service_model_takes(
    given: tuple[str, dict[str, Any]],
) -> None:
    name, body = given
    call = chat(name).parse(request(BODIES[name][0], msgspec.json.encode(body)))
    try:
        rendered = chat(NAME).render(call, Target())
    except BadRequest:
        return
    # Base64 that is none stays the client's mistake, for Bedrock to tell.
    data = rendered.body.replace(b'"bytes":"AA"', b'"bytes":"AAAA"')
    told = msgspec.json.decode(data)
    own = {key: one for key, one in told.items() if key not in ("model", "stream")}
    assert sent(told) == own


def test_what_botocore_sends_is_read_whole() -> None:
    made = create_serializer("rest-json", include_validation=True).serialize_to_request(
        {
            "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "system": [{"text": "s"}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": "t"},
                        {"image": {"format": "png", "source": {"bytes": b"\0\xff"}}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"redactedContent": b"EmwKAhgB"}},
                        {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "t", "content": [{"text": "r"}]}}
                    ],
                },
            ],
            "inferenceConfig": {"maxTokens": 9},
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]
            },
        },
        operation("ConverseStream"),
    )
    call = chat(NAME).parse(request(made["url_path"], made["body"]))
    assert call.stream
    assert len(call.messages) == 4
    image = call.messages[1].parts[1]
    assert image.value == "AP8="  # type: ignore[union-attr]
    rendered = chat("anthropic-messages").render(call, Target())
    assert rendered.dropped == ()
    hidden = msgspec.json.decode(rendered.body)["messages"][1]["content"][0]
    assert hidden == {"type": "redacted_thinking", "data": "EmwKAhgB"}


# -- answers


@pytest.mark.parametrize(("dialect", "name"), streams(without="error"))
def test_streams_are_what_the_official_client_knows(dialect: str, name: str) -> None:
    told = read(dialect, frames_of(dialect, stream_of(dialect, name)))
    if not isinstance(told[-1], events.Ended):
        told.append(events.Ended())
    frames = write(NAME, told)
    seen = streamed(b"".join(FRAMING.encode(frame) for frame in frames))
    assert [list(one) for one in seen] == [
        [frame.headers[":event-type"]] for frame in frames
    ]
    for one, frame in zip(seen, frames, strict=True):
        payload = msgspec.json.decode(frame.payload)
        ((kind, event),) = one.items()
        shape = operation("ConverseStream").output_shape.members["stream"]
        # Nothing was written that its parser leaves out.
        assert event == bytes_in(payload, shape.members[kind])
    assert "stopReason" in seen[-2]["messageStop"]
    assert seen[-1]["metadata"]["usage"]["totalTokens"] >= 0


@pytest.mark.parametrize(("dialect", "name"), fixtures(".json"))
def test_whole_answers_are_what_the_official_client_knows(
    dialect: str, name: str
) -> None:
    answer = chat(dialect).reader(Rendered(b"")).whole(bytes_of(dialect, name, ".json"))
    assert isinstance(answer, Answer)
    body = chat(NAME).writer(call_of(NAME), 1, "req-1").whole(answer)
    seen = whole(200, {}, body)
    del seen["ResponseMetadata"]
    assert seen == bytes_in(
        msgspec.json.decode(body), operation("Converse").output_shape
    )


@pytest.mark.parametrize(
    "name", [name for dialect, name in fixtures(".json") if dialect == NAME]
)
def test_fixtures_are_what_the_official_client_knows(name: str) -> None:
    body = bytes_of(NAME, name, ".json")
    seen = whole(200, {}, body)
    del seen["ResponseMetadata"]
    shape = operation("Converse").output_shape
    assert seen == bytes_in(msgspec.json.decode(body), shape)
    told = streamed(stream_of(NAME, name))
    assert told[-2]["messageStop"]["stopReason"] == seen["stopReason"]
    assert told[-1]["metadata"]["usage"] == seen["usage"]


# -- errors

ERRORS: list[tuple[GatewayError, str, str]] = [
    (BadRequest("m"), "ValidationException", "validationException"),
    (AllThrottled("m"), "ThrottlingException", "throttlingException"),
    (UpstreamBroke("m"), "InternalServerException", "modelStreamErrorException"),
    (
        GatewayError("m", status=529, kind="overloaded"),
        "ServiceUnavailableException",
        "serviceUnavailableException",
    ),
    (GatewayError("m"), "InternalServerException", "internalServerException"),
]


@pytest.mark.parametrize(("error", "code", "exception"), ERRORS)
def test_errors_are_raised_by_their_names(
    error: GatewayError, code: str, exception: str
) -> None:
    status, headers, body = chat(NAME).problem(error, "req-1")
    fields = {name.decode(): value.decode() for name, value in headers}
    seen = whole(status, fields, body)
    assert seen["Error"] == {"Message": "m", "Code": code}
    assert seen["ResponseMetadata"]["RequestId"] == "req-1"
    assert status == (503 if error.kind == "overloaded" else error.status)
    failed = chat(NAME).reader(Rendered(b"")).problem(status, headers, body)
    assert (failed.status, failed.message, failed.native) == (status, "m", code)
    (frame,) = chat(NAME).broken(error, "req-1")
    with pytest.raises(EventStreamError) as caught:
        streamed(FRAMING.encode(frame))
    assert caught.value.response["Error"]["Code"] == exception
    assert caught.value.response["Error"]["Message"] == "m"


def test_an_exception_carries_the_status_of_the_models_own_error() -> None:
    error = UpstreamBroke("m", status=504)
    (frame,) = chat(NAME).broken(error, "req-1")
    assert msgspec.json.decode(frame.payload)["originalStatusCode"] == 504


# -- whatever a server sends

BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "contentBlockIndex": st.integers(0, 2) | st.none() | st.just([]),
        "start": st.sampled_from(
            [
                {"toolUse": {"toolUseId": "t", "name": "f"}},
                {"toolUse": {"toolUseId": "t", "name": "f", "type": "server_tool_use"}},
                {"toolResult": {"toolUseId": "t"}},
                {"image": {"format": "png"}},
                {},
            ]
        ),
        "delta": st.sampled_from(
            [
                {"text": "x"},
                {"text": ""},
                {"toolUse": {"input": "{}"}},
                {"toolUse": {}},
                {"reasoningContent": {"text": "x"}},
                {"reasoningContent": {"signature": "s"}},
                {"reasoningContent": {"redactedContent": "AA=="}},
                {"reasoningContent": {"redactedContent": "?"}},
                {"citation": {"title": "t"}},
                {"image": {"source": {"bytes": "AAAA"}}},
                {"text": "x", "future": [1]},
            ]
        ),
        "stopReason": st.sampled_from(["end_turn", "", "future"]),
        "usage": st.just({"inputTokens": 1}),
    },
)
KINDS = (
    "messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop "
    "metadata future"
).split()


@given(st.lists(st.tuples(st.sampled_from(KINDS), BLOCKS), max_size=8))
def test_whatever_events_come_the_grammar_is_kept(
    given: list[tuple[str, dict[str, Any]]],
) -> None:
    frames = [frame_of(NAME, kind, msgspec.json.encode(one)) for kind, one in given]
    told = read(NAME, frames)
    check_grammar(told)
    check_grammar(read(NAME, write(NAME, told)))
    for other in ("openai-chat", "anthropic-messages"):
        check_grammar(read(other, write(other, told)))
