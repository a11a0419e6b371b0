"""What holds for every dialect: knobs, odd requests, streams and whole answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mock import eventstream
from aigw.mock.answer import answer
from aigw.mock.chunks import Chunk
from aigw.mock.provider import DIALECTS
from aigw.mock.request import RequestReader
from aigw.mock.script import Ending

from .client import post

ASKED = "What is a stream?"
FIELDS = ("anthropic-version: 2023-06-01", "x-goog-api-key: k")
USER = {"role": "user", "content": ASKED}
GEMINI = "/v1beta/models/m:{}generateContent"

#: dialect to the paths of whole answers and of streams, and the body
ASKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions",) * 2 + ({"messages": [USER]},),
    "openai-responses": ("/v1/responses",) * 2 + ({"input": ASKED},),
    "anthropic-messages": (
        *("/v1/messages",) * 2,
        {"messages": [USER], "max_tokens": 99},
    ),
    "bedrock-converse": (
        "/model/m/converse",
        "/model/m/converse-stream",
        {"messages": [{"role": "user", "content": [{"text": ASKED}]}]},
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": ASKED}]}]},
    ),
    "gemini-array": (
        "/v1beta/models/m:generateContent",
        "/v1beta/models/m:streamGenerateContent",
        {"contents": [{"parts": [{"text": ASKED}]}]},
    ),
}
FRAMED = [name for name in ASKS if name != "gemini-array"]


def asked(dialect: str, knobs: str, *, stream: bool = True, **more: Any) -> Any:
    """Status, chunks and ending of an answer."""
    whole, streamed, body = ASKS[dialect]
    body = {**body, **more}
    if dialect.startswith(("openai", "anthropic")):
        body = {"model": "m", "stream": stream, **body}
    data = post(streamed if stream else whole, body, *FIELDS, f"x-mock: {knobs}")
    (request,) = RequestReader().feed(data)
    answered = answer(request, 1, DIALECTS, lambda words, first: False)
    *chunks, ending = answered.chunks
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    return answered.status, [chunk.data for chunk in chunks], ending


@pytest.mark.parametrize("dialect", ASKS)
@pytest.mark.parametrize(
    ("knobs", "number", "ending"),
    [
        ("stall=3", 3, Ending.STALL),
        ("rst=3", 3, Ending.RST),
        ("fin=3", 3, Ending.FIN),
        ("mid=3", 4, Ending.FIN),
        ("error=3", 4, Ending.FINISH),
    ],
)
def test_a_stream_breaks_off_after_as_many_events(
    dialect: str, knobs: str, number: int, ending: Ending
) -> None:
    _, plain, _ = asked(dialect, "")
    _, chunks, ended = asked(dialect, knobs)
    assert len(chunks) == number
    assert chunks[:3] == plain[:3]
    assert ended is ending


@pytest.mark.parametrize("dialect", ASKS)
def test_as_many_content_events_come_as_are_asked_for(dialect: str) -> None:
    rest = len(asked(dialect, "n=0")[1])
    for number in (1, 2, 100):
        _, chunks, ending = asked(dialect, f"n={number}, s=400")
        assert len(chunks) == rest + number
        # An array has a comma behind each element but the last.
        assert sum(len(chunk) == 400 for chunk in chunks) == number
        assert ending is Ending.FINISH


@pytest.mark.parametrize("dialect", ASKS)
def test_nofinish_leaves_out_all_that_ends_a_stream(dialect: str) -> None:
    _, plain, _ = asked(dialect, "")
    _, chunks, _ = asked(dialect, "nofinish")
    assert chunks == [chunk for chunk in plain if chunk in chunks]
    ends = (b'finish_reason":"', b"response.completed", b'"message_delta"')
    ends += (
        b"messageStop",
        b'"metrics"',
        b"finishReason",
        b"[DONE]",
        b'"message_stop"',
    )
    assert not any(word in chunk for word in ends for chunk in chunks)
    assert any(word in chunk for word in ends for chunk in plain)


@pytest.mark.parametrize("dialect", ASKS)
@pytest.mark.parametrize("stream", [False, True])
def test_nousage_leaves_usage_out(dialect: str, stream: bool) -> None:
    more = (
        {"stream_options": {"include_usage": True}} if dialect == "openai-chat" else {}
    )
    data = b"".join(asked(dialect, "", stream=stream, **more)[1])
    assert b'okens":' in data or b"okenCount" in data
    data = b"".join(asked(dialect, "nousage", stream=stream, **more)[1])
    for word in (b'put_tokens":1', b"prompt_tokens", b"outputTokens", b"okenCount"):
        assert word not in data


@pytest.mark.parametrize("dialect", ["openai-responses", "gemini"])
def test_noterm_is_refused_where_the_finish_is_the_last_event(dialect: str) -> None:
    status, (body,), _ = asked(dialect, "noterm")
    assert status == 400
    assert b"mock: noterm" in body


@pytest.mark.parametrize("dialect", [name for name in FRAMED if "bedrock" not in name])
@pytest.mark.parametrize(("knob", "end"), [("crlf", b"\r\n"), ("cr", b"\r")])
def test_lines_end_as_asked_for(dialect: str, knob: str, end: bytes) -> None:
    _, chunks, _ = asked(dialect, knob)
    for chunk in chunks:
        assert chunk.endswith(end * 2)
        assert chunk.replace(end, b"").count(b"\n") == 0


@pytest.mark.parametrize("dialect", ASKS)
def test_an_unknown_scenario_is_refused(dialect: str) -> None:
    status, (body,), _ = asked(dialect, "nonsense")
    assert status == 400
    assert b"nonsense" in body


#: dialect to a turn that has a text to tell which needs escaping
PICTURE = base64.b64encode(b"abc").decode()
URL = 'https://x/"a\\b'
TELLING: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": URL}}],
            }
        ]
    },
    "openai-responses": {
        "input": [
            {"role": "user", "content": [{"type": "input_image", "image_url": URL}]}
        ]
    },
    "anthropic-messages": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "url", "url": URL}}],
            }
        ]
    },
    "bedrock-converse": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "image": {
                            "format": "png",
                            "source": {"s3Location": {"uri": URL}},
                        }
                    }
                ],
            }
        ]
    },
    "gemini": {"contents": [{"parts": [{"fileData": {"fileUri": URL}}]}]},
}


def _chat(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


READ: dict[str, Callable[[Any], str]] = {
    "openai-chat": _chat,
    "openai-responses": lambda told: str(told["output"][0]["content"][0]["text"]),
    "anthropic-messages": lambda told: str(told["content"][0]["text"]),
    "bedrock-converse": lambda told: str(
        told["output"]["message"]["content"][0]["text"]
    ),
    "gemini": lambda told: str(told["candidates"][0]["content"]["parts"][0]["text"]),
}


@pytest.mark.parametrize("dialect", FRAMED)
@pytest.mark.parametrize("knobs", ["", "n=30"])
def test_what_is_told_is_escaped_once(dialect: str, knobs: str) -> None:
    _, chunks, _ = asked(dialect, knobs, stream=False, **TELLING[dialect])
    said = f"I was shown {URL}."
    told = READ[dialect](json.loads(b"".join(chunks)))
    assert told.startswith(said)
    _, chunks, _ = asked(dialect, knobs, **TELLING[dialect])
    if dialect == "bedrock-converse":
        chunks = [eventstream.payload_of(chunk) for chunk in chunks]
    # Each word is an event's own; a backslash is one, and so it stands in two bytes.
    said_so = b"".join(chunks)
    assert b'"\\\\"' in said_so
    assert b"\\\\\\\\" not in said_so


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "role content type text id name input parts messages image source "
                "tool_calls function toolUse toolResult functionCall call_id arguments "
                "image_url url data thinking signature functionDeclarations".split()
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
NAMES = (
    "messages input contents tools system thinking toolConfig generationConfig "
    "stream_options max_output_tokens previous_response_id n reasoning text include"
).split()


# Not parametrized: pytest-twisted wraps a hypothesis test once for each parameter.
@given(
    st.sampled_from(sorted(ASKS)),
    st.dictionaries(st.sampled_from(NAMES), JSON, min_size=1, max_size=3),
)
def test_any_json_is_answered(dialect: str, more: dict[str, Any]) -> None:
    status, chunks, _ = asked(dialect, "", **more)
    assert status in (200, 400, 404)
    assert chunks
