from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from aigw import dialects
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.frame import SSEFrame
from aigw.model.usage import Usage


def tap(collect: bool = False) -> ITap:
    return dialects.get("openai-chat").tap(collect)


def frame(data: bytes | Any, type: str = "message") -> SSEFrame:
    raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return SSEFrame(type=type, data=raw)


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"model": "m-1", "choices": [choice], **more}


def test_tap_keeps_its_interface() -> None:
    assert verifyObject(ITap, tap())


def test_role_and_empty_content_are_nothing() -> None:
    t = tap()
    first = chunk({"role": "assistant", "content": "", "refusal": None}, usage=None)
    assert t.feed(frame(first)) == sights.NOTHING
    assert t.feed(SSEFrame(retry=5)) == sights.NOTHING
    assert t.usage is None
    assert t.model == "m-1"


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "a"},
        {"reasoning_content": "a"},
        {"reasoning": "a"},
        {"refusal": "no"},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
        {"function_call": {"name": "f"}},
        {"audio": {"data": "AA=="}},
    ],
)
def test_what_the_model_says_is_content(delta: dict[str, Any]) -> None:
    assert tap().feed(frame(chunk(delta))) == sights.CONTENT


def test_finish_usage_and_done_are_told_apart() -> None:
    t = tap()
    assert t.feed(frame(chunk({}, "stop"))) == sights.PROGRESS
    assert t.finished
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    only = {"model": "m-1", "choices": [], "usage": usage}
    assert t.feed(frame(only)) == sights.PROGRESS | sights.USAGE_ONLY
    assert t.feed(frame(b"[DONE]")) == sights.TERMINAL
    assert t.feed(frame(b" [DONE] ")) == sights.TERMINAL
    assert t.usage == Usage(input=5, output=2, total=7)


def test_usage_beside_content_is_no_usage_only_chunk() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    seen = tap().feed(frame(chunk({"content": "a"}, usage=usage)))
    assert seen == sights.CONTENT | sights.PROGRESS


def test_azure_filter_chunk_without_choices_is_nothing() -> None:
    first = {"choices": [], "model": "", "prompt_filter_results": [], "usage": None}
    assert tap().feed(frame(first)) == sights.NOTHING


def test_usage_is_told_in_exclusive_parts() -> None:
    t = tap()
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "total_tokens": 130,
        "prompt_tokens_details": {
            "cached_tokens": 60,
            "cache_creation_input_tokens": 10,
        },
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    t.whole(msgspec.json.encode({"choices": [], "usage": usage}))
    assert t.usage == Usage(30, 60, 10, 30, 20, 130)


def test_deepseek_cache_hits_are_read() -> None:
    t = tap()
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}
    t.whole(msgspec.json.encode({"usage": usage}))
    assert t.usage == Usage(input=5, cache_read=4, output=1)
    assert t.usage.all == 10


def test_later_usage_overwrites_with_positive_numbers_only() -> None:
    t = tap()
    t.feed(frame({"usage": {"prompt_tokens": 9, "completion_tokens": 1}}))
    t.feed(frame({"usage": {"prompt_tokens": 0, "completion_tokens": 4}}))
    assert t.usage == Usage(input=9, output=4)


def test_any_tool_call_is_noted_streamed_or_whole() -> None:
    streamed, whole, none = tap(), tap(), tap()
    call = [{"index": 0, "function": {"arguments": "{"}}]
    streamed.feed(frame(chunk({"tool_calls": call})))
    whole.whole(msgspec.json.encode({"choices": [{"message": {"tool_calls": call}}]}))
    none.feed(frame(chunk({"content": "x", "tool_calls": []})))
    assert streamed.tool_calls
    assert whole.tool_calls
    assert not none.tool_calls


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (frame({"error": {"message": "m", "code": 1}}), "m"),
        (frame({"error": "m"}), "m"),
        (frame({"object": "error", "message": "m", "code": 400}), "m"),
        (frame({"message": "m"}, type="error"), "m"),
        (frame({"error": {"message": "m"}, "choices": 3}), "m"),
    ],
)
def test_first_error_in_a_stream_is_kept(told: SSEFrame, message: str) -> None:
    t = tap()
    assert t.feed(told) == sights.ERROR
    assert t.feed(frame({"error": "later"})) == sights.ERROR
    assert t.error is not None
    assert t.error["message"] == message


def test_error_in_a_whole_answer_is_kept() -> None:
    t = tap()
    t.whole(b'{"error":{"message":"m"}}')
    assert t.error == {"message": "m"}


def test_usage_survives_misshapen_choices() -> None:
    t = tap()
    t.feed(frame({"choices": [3], "usage": {"prompt_tokens": 2}}))
    assert t.usage == Usage(input=2)


def test_text_is_collected_only_when_asked_and_bounded() -> None:
    asked, not_asked = tap(True), tap()
    for t in (asked, not_asked):
        for piece in ("a", "é", "x" * (1024 * 1024)):
            t.feed(frame(chunk({"content": piece})))
    assert not_asked.text() == ""
    assert asked.text().startswith("aéx")
    assert len(asked.text().encode()) == 1024 * 1024


def test_text_of_a_whole_answer_joins_choices_by_a_space() -> None:
    t = tap(True)
    choices = [{"message": {"content": c}} for c in ("a", None, "b")]
    t.whole(msgspec.json.encode({"choices": choices}))
    assert t.text() == "a b"


#: Every way a server may space its JSON, as far as servers do.
SPACINGS = [(b",", b":"), (b", ", b": "), (b" , ", b" : "), (b",\t", b":\t")]


def spaced(value: Any, spacing: tuple[bytes, bytes]) -> bytes:
    comma, colon = spacing
    if isinstance(value, dict):
        pairs = [(spaced(k, spacing), spaced(v, spacing)) for k, v in value.items()]
        return b"{" + comma.join([colon.join(pair) for pair in pairs]) + b"}"
    if isinstance(value, list):
        return b"[" + comma.join([spaced(v, spacing) for v in value]) + b"]"
    return msgspec.json.encode(value)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_marks_announce_all_that_matters_and_no_plain_content(
    spacing: tuple[bytes, bytes],
) -> None:
    t = tap()
    plain = spaced(chunk({"content": 'say "usage" or [done]'}, usage=None), spacing)
    t.feed(frame(plain))
    assert not [mark for mark in t.marks if mark in plain]
    call = [{"index": 0, "function": {"name": "f"}}]
    for told in (
        chunk({}, "stop", usage=None),
        chunk({"tool_calls": call}, usage=None),
        {"choices": [], "usage": {"prompt_tokens": 1}},
        {"error": {"message": "m"}},
    ):
        raw = spaced(told, spacing)
        assert [mark for mark in t.marks if mark in raw], raw
    assert b"[DONE]" in t.marks
    assert [mark for mark in t.marks if mark in b"event:error\ndata: {}\n\n"]


def test_marks_stand_for_the_key_where_content_chunks_have_no_finish_reason() -> None:
    t = tap()
    t.feed(frame({"choices": [{"delta": {"content": "a"}}]}))
    assert b'"finish_reason"' in t.marks


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices delta content usage error finish_reason prompt_tokens model "
                "tool_calls message object".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.booleans())
def test_arbitrary_json_never_raises(value: Any, collect: bool) -> None:
    t = tap(collect)
    t.feed(frame(value))
    t.whole(msgspec.json.encode(value))
    t.text()


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b'{"model":"\xff"}',
        b"{",
        b"[" * 5000,
        b"1e999",
        b'{"usage":{"prompt_tokens":1e999}}',
        b'{"a":' * 5000,
    ],
)
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    t = tap()
    assert t.feed(frame(data)) == sights.NOTHING
    t.whole(data)
    assert t.usage is None
