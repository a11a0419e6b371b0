"""What was used is found at the end of an answer, however large that is."""

from __future__ import annotations

import msgspec
import pytest

from aigw.streaming.tail import members

USED = {"prompt_tokens": 9, "total_tokens": 9}


def found(answer: object, size: int) -> object:
    tail = msgspec.json.encode(answer)[-size:]
    told = members(tail)
    return msgspec.json.decode(told) if told else None


@pytest.mark.parametrize("size", [55, 60, 200, 1000])
def test_it_is_found_wherever_the_answer_is_cut(size: int) -> None:
    answer = {"data": [[0.5] * 100], "usage": USED, "id": "x"}
    assert found(answer, size) == {"usage": USED, "id": "x"}


def test_an_array_is_told_by_its_last_object() -> None:
    chunks = [{"candidates": [], "usageMetadata": {"n": n}} for n in (1, 2)]
    assert found(chunks, 70) == [{"usageMetadata": {"n": 2}}]


@pytest.mark.parametrize(
    "answer",
    [
        {"text": ',"usage":{"prompt_tokens":1}}'},
        {"args": {"x": 1, "usage": {"prompt_tokens": 1}}},
        {"args": [{"x": 1, "usage": {"prompt_tokens": 1}}]},
        {"args": {"usage": {"prompt_tokens": 1}}, "usage": None},
        [{"args": {"usage": {"prompt_tokens": 1}}}],
    ],
)
def test_what_merely_looks_like_it_is_not_taken(answer: object) -> None:
    assert found(answer, 1000) is None


def test_what_a_tool_is_told_does_not_hide_it() -> None:
    answer = {"usage": USED, "args": {"x": 1, "usage": {"prompt_tokens": 1}}}
    assert found(answer, 1000) == answer


@pytest.mark.parametrize("tail", [b"", b"{", b"\xff" * 9, b',"usage":{', b"x" * 4096])
def test_no_json_is_no_usage(tail: bytes) -> None:
    assert members(tail) == b""
