"""Operations beside chat are relayed as they are, and what they used is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigw.model.outcome import Outcome

from .site import JSON, SSE, Site

OLDER = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
NEWER = {
    "input_tokens": 7,
    "output_tokens": 3,
    "total_tokens": 10,
    "input_tokens_details": {"text_tokens": 5, "image_tokens": 2},
}


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("path", "usage"),
    [
        ("/v1/completions", OLDER),
        ("/v1/images/generations", NEWER),
        ("/v1/images/edits/", NEWER),
        ("/v1/responses/compact", NEWER),
    ],
)
def test_what_an_operation_used_is_recorded(path: str, usage: dict[str, Any]) -> None:
    place = Site()
    told = body(object="any", usage=usage, data=[1])
    asked = place.ask(body(model="m", prompt="x"), target=path.encode())
    place.call.head(200, JSON)
    place.call.body(told)
    place.call.ended()
    record = place.record
    assert asked.written == told
    assert record.usage is not None
    assert (record.usage.prompt, record.usage.output, record.usage.all) == (7, 3, 10)
    assert (record.usage_state, record.outcome) == ("reported", Outcome.COMPLETED)


def test_a_total_alone_is_recorded_as_one() -> None:
    place = Site()
    place.ask(body(model="m", query="x"), target=b"/v1/rerank")
    place.call.head(200, JSON)
    place.call.body(body(results=[], usage={"total_tokens": 38}))
    place.call.ended()
    assert place.record.usage is not None
    assert place.record.usage.all == 38


def test_what_is_paid_by_the_second_tells_no_tokens() -> None:
    place = Site()
    place.ask(body(model="m", input="x"), target=b"/v1/audio/speech")
    place.call.head(200, JSON)
    place.call.body(body(text="x", usage={"type": "duration", "seconds": 3}))
    place.call.ended()
    assert (place.record.usage, place.record.usage_state) == (None, "none")


def test_a_stream_of_completions_tells_what_it_used_at_its_end() -> None:
    place = Site()
    asked = place.ask(
        body(model="m", prompt="x", stream=True), target=b"/v1/completions"
    )
    place.call.head(200, SSE)
    stream = [
        b'data: {"choices":[{"text":"a"}],"usage":null}\n\n' * 3,
        b'data: {"choices":[],"model":"m-1","usage":%s}\n\n' % body(**OLDER),
        b"data: [DONE]\n\n",
    ]
    for piece in stream:
        place.call.body(piece)
    place.call.ended()
    record = place.record
    assert asked.written == b"".join(stream)
    assert record.usage is not None
    assert (record.usage.prompt, record.usage.output) == (7, 3)
    assert record.usage_state == "reported"


def test_what_is_looked_up_again_is_not_counted_again() -> None:
    place = Site()
    place.ask(b"", method="GET", target=b"/v1/completions", headers=[])
    place.call.head(200, JSON)
    place.call.body(body(usage=OLDER))
    place.call.ended()
    assert (place.record.usage, place.record.usage_state) == (None, "none")
