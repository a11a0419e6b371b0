"""Likeness: reading vectors, what scores come to, what a request asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigw.errors import RankingFailed
from aigw.model.outbound import Origin
from aigw.model.semantic import Embedding, Semantic
from aigw.routing.similarity import LONGEST, asked, order, score, vectors_of

from .instances import instance

EMBEDDING = Embedding(Origin("https", "e.test", 443), b"/v1/embeddings", "e")
A, B, C = (instance(name) for name in "abc")


def answer(*entries: Any) -> bytes:
    return json.dumps({"data": entries}).encode()


def entry(index: Any, *numbers: Any) -> dict[str, Any]:
    return {"index": index, "embedding": list(numbers)}


def test_vectors_come_in_the_order_asked_and_of_length_one() -> None:
    body = answer(entry(1, 0, 2), entry(0, 3, 4))
    assert vectors_of(body, 2) == [(0.6, 0.8), (0.0, 1.0)]


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"7",
        b"[]",
        b"{}",
        b'{"data":null}',
        b"\xff",
        answer(),
        answer(entry(0, 1, 2)),
        answer(entry(0, 1, 2), entry(0, 1, 2)),
        answer(entry(0, 1, 2), entry(2, 1, 2)),
        answer(entry(0, 1, 2), entry(-1, 1, 2)),
        answer(entry(0, 1, 2), entry(1, 1, 2), entry(2, 1, 2)),
        answer(entry(0, 1, 2), entry(1, 1, 2, 3)),
        answer(entry(0, 1, 2), entry(1)),
        answer(entry(0, 1, 2), entry(1, 0, 0)),
        answer(entry(0, 1, 2), entry(1, 1, "x")),
        answer(entry(0, 1, 2), entry(1, 1, None)),
        answer(entry(0, 1, 2), entry("1", 1, 2)),
        answer(entry(0, 1, 2), {"embedding": [1, 2]}),
        answer(entry(0, 1, 2), {"index": 1}),
        answer(entry(0, 1, 2), 5),
        b'{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,NaN]}]}',
        b'{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,1e999]}]}',
        b'{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1e300,1e300]}]}',
    ],
)
def test_an_answer_that_is_no_set_of_vectors_is_refused(body: bytes) -> None:
    with pytest.raises(RankingFailed):
        vectors_of(body, 2)


def test_a_query_must_have_the_dimensions_of_the_examples() -> None:
    assert vectors_of(answer(entry(0, 1, 0)), 1, 2)
    with pytest.raises(RankingFailed, match="dimensions"):
        vectors_of(answer(entry(0, 1, 0)), 1, 3)


def test_a_score_is_that_of_the_most_alike_example() -> None:
    assert score((1.0, 0.0), [(0.0, 1.0), (0.6, 0.8), (-1.0, 0.0)]) == 0.6


@pytest.mark.parametrize(
    ("scores", "fields", "names", "alike"),
    [
        ({A: 0.2, B: 0.9, C: 0.5}, {}, "bca", True),
        ({A: 0.2, B: 0.9, C: 0.5}, {"threshold": 0.6}, "bac", True),
        ({A: 0.2, B: 0.9, C: 0.5}, {"threshold": 0.6, "fallback": "c"}, "bca", True),
        ({A: 0.2, B: 0.1, C: 0.1}, {"threshold": 0.6}, "abc", False),
        ({A: 0.2, B: 0.1, C: 0.1}, {"threshold": 0.6, "fallback": "b"}, "bac", False),
        ({}, {}, "abc", False),
        ({}, {"fallback": "c"}, "cab", False),
        ({A: -0.2, B: 0.0}, {}, "bac", True),
    ],
)
def test_the_order_goes_by_score_then_fallback_then_the_file(
    scores: Any, fields: dict[str, Any], names: str, alike: bool
) -> None:
    found, any_alike = order(scores, [A, B, C], Semantic(EMBEDDING, **fields))
    assert "".join(one.name for one in found) == names
    assert any_alike is alike


def test_an_instances_own_threshold_wins() -> None:
    strict = instance("strict", threshold=0.95)
    found, _ = order({strict: 0.9, B: 0.3}, [strict, B], Semantic(EMBEDDING, 0.2))
    assert [one.name for one in found] == ["b", "strict"]
    lax = instance("lax", threshold=-1.0)
    assert order({lax: -0.5}, [lax], Semantic(EMBEDDING, 0.2))[1]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ([{"role": "user", "content": "one"}], "one"),
        (
            [
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "two"},
                {"role": "user", "content": "three"},
                {"role": "assistant", "content": "four"},
            ],
            "three",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image_url", "image_url": {"url": "x"}},
                        {"type": "text", "text": "here"},
                    ],
                }
            ],
            "look\nhere",
        ),
        ([{"role": "user", "content": [{"text": "bedrock"}]}], "bedrock"),
        ([{"role": "user", "parts": [{"text": "gemini"}]}], "gemini"),
        ([{"parts": [{"text": "no role"}]}], "no role"),
        ("input", "input"),
        (["first", "last"], "last"),
        ([{"role": "system", "content": "only"}], ""),
        ([{"role": "user", "content": [{"type": "image_url"}]}], ""),
        ([], ""),
        (5, ""),
        (None, ""),
    ],
)
def test_what_the_user_said_last_is_what_counts(prompt: Any, text: str) -> None:
    assert asked(json.dumps(prompt).encode()) == text


def test_no_prompt_and_a_broken_one_ask_nothing() -> None:
    assert asked(None) == ""
    assert asked(b"{") == ""


def test_a_long_text_is_cut_at_a_whole_character() -> None:
    text = asked(json.dumps("€" * 10_000).encode())
    assert len(text.encode()) == LONGEST - LONGEST % 3
    assert set(text) == {"€"}
