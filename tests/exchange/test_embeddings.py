"""OpenAI's embeddings, asked of Vertex AI."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from aigw.model.instance import Instance
from aigw.model.outcome import Outcome
from aigw.model.route import Route

from .site import JSON, Site

PLACE = {"project_id": "p", "region": "l"}
TARGET = b"/v1/projects/p/locations/l/publishers/google/models/e:predict"
#: Both are exact in 32 bits.
VALUES = [0.5, -1.25]
ANSWER = json.dumps(
    {
        "predictions": [
            {"embeddings": {"values": VALUES, "statistics": {"token_count": count}}}
            for count in (3, 4.0)
        ]
    }
).encode()


def site(**settings: Any) -> Site:
    one = Instance("one", "vertex-ai", provider_conf=PLACE, **settings)
    return Site(Route("all", ("/*",), (one,)))


def ask(place: Site, **body: Any) -> Any:
    data = json.dumps({"model": "e", **body}).encode()
    return place.ask(data, target=b"/v1/embeddings", headers=list(JSON))


def test_inputs_are_instances_and_predictions_embeddings() -> None:
    place = site()
    client = ask(place, input=["one", [1, 2]], user="u")
    outbound = place.call.outbound
    assert outbound.target == TARGET
    assert json.loads(outbound.body) == {
        "instances": [{"content": "one"}, {"content": "1 2"}]
    }
    place.call.answer(200, JSON, ANSWER)
    assert json.loads(client.written) == {
        "object": "list",
        "model": "e",
        "data": [
            {"object": "embedding", "index": index, "embedding": VALUES}
            for index in (0, 1)
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage is not None
    assert record.usage.input == 7
    assert record.dropped_fields == ("user",)
    assert record.model == "e"


def test_what_predict_has_words_for_is_said_in_them() -> None:
    place = site(
        options={"model": "mine"},
        request_body={"vertex-predict": {"parameters": {"autoTruncate": False}}},
    )
    ask(place, input="hi", dimensions=64)
    outbound = place.call.outbound
    assert outbound.target.endswith(b"/models/mine:predict")
    assert json.loads(outbound.body) == {
        "instances": [{"content": "hi"}],
        "parameters": {"outputDimensionality": 64, "autoTruncate": False},
    }


def test_numbers_are_packed_where_that_is_asked_for() -> None:
    place = site()
    client = ask(place, input="hi", encoding_format="base64")
    place.call.answer(200, JSON, ANSWER)
    packed = json.loads(client.written)["data"][0]["embedding"]
    assert list(struct.unpack("<2f", base64.b64decode(packed))) == VALUES


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([1, 2], "unsupported input type at index 0"),
        (["a", {"b": 1}], "unsupported input type at index 1"),
        ([["a"]], "unsupported input type at index 0"),
        ([[True]], "unsupported input type at index 0"),
        ([], "input"),
        (1, "input"),
    ],
)
def test_what_is_no_input_is_refused(given: Any, why: str) -> None:
    place = site()
    client = ask(place, input=given)
    assert client.status == 400
    assert why in json.loads(client.written)["error"]["message"]
    assert not place.upstream.calls


@pytest.mark.parametrize(
    "body", [b"{}", b'{"predictions":[{}]}', b'{"predictions":1}', b"[", b"\xff"]
)
def test_an_answer_without_embeddings_is_the_providers_fault(body: bytes) -> None:
    place = site()
    client = ask(place, input="hi")
    place.call.answer(200, JSON, body)
    assert client.status == 502
    assert "no embeddings" in json.loads(client.written)["error"]["message"]


def test_googles_errors_are_told_in_openais_words() -> None:
    place = site()
    client = ask(place, input="hi")
    body = b'{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}'
    place.call.answer(429, JSON, body)
    assert client.status == 429
    assert json.loads(client.written)["error"]["message"] == "slow"


def test_who_speaks_no_embeddings_is_not_asked() -> None:
    one = Instance("one", "bedrock", provider_conf=PLACE)
    place = Site(Route("all", ("/*",), (one,)))
    client = ask(place, input="hi")
    assert client.status == 400
    assert "does not support openai-embeddings" in client.written.decode()
