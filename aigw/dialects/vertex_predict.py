"""
OpenAI's embeddings in the words of Vertex AI's ``predict``
(https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from typing import Any

import msgspec

from aigw.dialects import fields
from aigw.errors import UNREADABLE, BadRequest
from aigw.model.envelope import Envelope
from aigw.model.event import Failed

_encode = msgspec.json.encode


class _Statistics(msgspec.Struct):
    token_count: float = 0


class _Embeddings(msgspec.Struct):
    values: list[float]
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


class _Prediction(msgspec.Struct):
    embeddings: _Embeddings


class _Answer(msgspec.Struct):
    predictions: list[_Prediction]


_answers = msgspec.json.Decoder(_Answer)


def request(envelope: Envelope) -> tuple[bytes, tuple[str, ...]]:
    """
    The body of a ``predict`` for a request for embeddings, and the paths of what it
    cannot carry. The model stays in it, for the path to be made of.

    :raises BadRequest: there is no input, or one that is neither text nor tokens.
    """
    given = envelope.fields or {}
    body: dict[str, Any] = {
        "model": envelope.model,
        "instances": [{"content": text} for text in _texts(given.get("input"))],
    }
    if "dimensions" in given:
        body["parameters"] = {"outputDimensionality": given["dimensions"]}
    carried = {"model", "input", "dimensions", "encoding_format"}
    return _encode(body), tuple(name for name in given if name not in carried)


def answer(envelope: Envelope, body: bytes) -> bytes | Failed:
    """
    The embeddings that a ``predict`` answered to the request ``envelope``; Failed where
    it answered none.
    """
    try:
        predictions = _answers.decode(body).predictions
    except UNREADABLE as error:
        why = f"no embeddings in the provider's answer: {error}"
        return Failed("upstream", 502, why[:512])
    packed = fields.string(envelope, "encoding_format") == "base64"
    used = sum(int(each.embeddings.statistics.token_count) for each in predictions)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(each.embeddings.values)
            if packed
            else each.embeddings.values,
        }
        for index, each in enumerate(predictions)
    ]
    return _encode(
        {
            "object": "list",
            "data": data,
            "model": envelope.model or "unknown",
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }
    )


def _texts(raw: msgspec.Raw | None) -> list[str]:
    if raw is None:
        raise BadRequest("missing input")
    try:
        given = msgspec.json.decode(raw)
    except UNREADABLE as error:
        raise BadRequest("input: it cannot be read") from error
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        raise BadRequest("input: a string or an array is expected")
    return [_text(index, each) for index, each in enumerate(given)]


def _text(index: int, each: object) -> str:
    """One input; the ids of tokens, as the reference does, parted by blanks."""
    if isinstance(each, str):
        return each
    if isinstance(each, list) and all(type(token) is int for token in each):
        return " ".join(map(str, each))
    raise BadRequest(f"unsupported input type at index {index}")


def _packed(values: list[float]) -> str:
    """Base64 of little-endian 32-bit floats, as OpenAI's clients ask for them."""
    numbers = array("f", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode("ascii")
