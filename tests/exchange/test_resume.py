"""Continuation: a stream that breaks after output is gone on with by another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.errors import ConnectFailed, UpstreamTimeout
from aigw.model.headers import Headers
from aigw.model.instance import Deadlines, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.policy import Hedge, Policy
from aigw.model.route import Route
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall

from .site import JSON, SSE, Site
from .test_tries import BOOM, CLAUDE, RETRIABLE, hosts, instance, kinds

SEAM = b": continued\n\n"
SMALL = Streaming(max_event_bytes=4096)


def chunk(text: str = "", **fields: Any) -> bytes:
    """A chunk of OpenAI's."""
    delta = {"role": "assistant", "content": text} if not fields else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": None, **fields}
    return b"data: %s\n\n" % msgspec.json.encode({"id": "c", "choices": [choice]})


def usage(prompt: int, output: int) -> bytes:
    told = {"prompt_tokens": prompt, "completion_tokens": output}
    told["total_tokens"] = prompt + output
    return b"data: %s\n\n" % msgspec.json.encode({"choices": [], "usage": told})


STOP = chunk(finish_reason="stop")
DONE = b"data: [DONE]\n\n"
MESSAGES = [{"role": "user", "content": "hi"}]


def asked(**fields: Any) -> bytes:
    body = {"model": "m", "messages": MESSAGES, "stream": True, **fields}
    return msgspec.json.encode(body)


ASKED = asked(stream_options={"include_usage": True})


def continuing(*instances: Instance, **policy: Any) -> Site:
    """A site whose streams are gone on with; ``a``, ``b`` and ``c`` unless told."""
    several = instances or tuple(
        instance(name, prefill=True, streaming=SMALL) for name in "abc"
    )
    policy.setdefault("statuses", RETRIABLE)
    route = Route("many", ("/*",), several, policy=Policy(continues=True, **policy))
    return Site(route)


def begun(site: Site, body: bytes = ASKED, **request: Any) -> MemoryDownstream:
    """A client that has ``Hello `` of an answer."""
    client = site.ask(body, **request)
    site.call.head(200, SSE)
    site.call.body(chunk("Hel") + chunk("lo "))
    return client


def goes_on(call: MemoryCall, *texts: str, end: bytes = STOP + DONE) -> None:
    call.head(200, SSE)
    call.body(b"".join(map(chunk, texts)) + end)
    call.ended()


def frames(client: MemoryDownstream) -> list[Any]:
    """What a client's parser makes of the stream; ``[DONE]`` as None."""
    told = []
    for block in client.written.split(b"\n\n"):
        for line in block.split(b"\n"):
            if line.startswith(b"data: "):
                data = line.removeprefix(b"data: ")
                told.append(None if data == b"[DONE]" else msgspec.json.decode(data))
    return told


def text_of(client: MemoryDownstream) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for frame in frames(client)
        if frame is not None
        for choice in frame.get("choices", ())
    )


def sent(call: MemoryCall) -> Any:
    return msgspec.json.decode(call.outbound.body)


BREAKS = {
    "connection lost": lambda call: call.failed(),
    "cut in a frame": lambda call: (call.body(b"data: {"), call.failed()),
    "ended early": lambda call: call.ended(),
    "too large a frame": lambda call: call.body(chunk("x" * 5000)),
    "read timeout": lambda call: call.failed(UpstreamTimeout("late", reason="read")),
    "error in the stream": lambda call: call.body(
        b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'
    ),
}


# -- one well-formed answer


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_whatever_breaks_it_the_client_sees_one_answer(how: str) -> None:
    site = continuing()
    client = begun(site)
    BREAKS[how](site.call)
    assert hosts(site) == ["a", "b"]
    assert site.upstream.calls[0].done
    goes_on(site.call, "wor", "ld")
    assert text_of(client) == "Hello world"
    told = frames(client)
    assert told[-1] is None
    assert told.count(None) == 1
    assert len({frame["id"] for frame in told[:-1]}) == 1
    roles = [
        frame
        for frame in told[:-1]
        for choice in frame["choices"]
        if "role" in choice["delta"]
    ]
    assert len(roles) == 1
    assert client.ended == "finish"
    assert client.written.count(SEAM) == 1
    record = site.record
    assert record.outcome is Outcome.COMPLETED
    first, second = record.attempts
    assert first.outcome in (Outcome.BROKEN, Outcome.LIMIT, Outcome.FAILED)
    assert (second.outcome, second.seam) == (Outcome.COMPLETED, len("Hello "))
    assert record.sent == len(client.written)


def test_the_other_is_asked_to_go_on_from_the_text_so_far() -> None:
    site = continuing()
    begun(site, asked(max_tokens=50))
    site.call.failed()
    body = sent(site.call)
    # No vendor's prefix may end in white space.
    assert body["messages"] == [*MESSAGES, {"role": "assistant", "content": "Hello"}]
    assert body["stream"] is True
    goes_on(site.call, "!")


def test_white_space_at_the_seam_is_there_once() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    goes_on(site.call, " ", "world")
    assert text_of(client) == "Hello world"


def test_usage_is_added_up_and_stands_in_each_entry() -> None:
    site = continuing()
    client = begun(site)
    site.call.body(usage(10, 2))
    site.call.failed()
    goes_on(site.call, "world", end=STOP + usage(12, 1) + DONE)
    (told,) = [each["usage"] for each in frames(client)[:-1] if each.get("usage")]
    assert (told["prompt_tokens"], told["completion_tokens"]) == (22, 3)
    assert told["total_tokens"] == 25
    record = site.record
    assert record.usage is not None
    assert (record.usage.prompt, record.usage.output) == (22, 3)
    # What the first used at last is not known.
    assert record.usage_state == "partial"
    used = [each.usage for each in record.attempts]
    assert [(one.prompt, one.output) for one in used if one] == [(10, 2), (12, 1)]


def test_the_cap_is_lowered_by_what_was_spent() -> None:
    site = continuing()
    begun(site, asked(max_tokens=50))
    site.call.body(usage(10, 20))
    site.call.failed()
    body = sent(site.call)
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 30
    goes_on(site.call, "!")


def test_a_second_break_is_gone_on_with_too() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    site.call.head(200, SSE)
    site.call.body(chunk("wide "))
    site.call.failed()
    assert sent(site.call)["messages"][-1]["content"] == "Hello wide"
    goes_on(site.call, "world")
    assert text_of(client) == "Hello wide world"
    assert hosts(site) == ["a", "b", "c"]
    assert client.ended == "finish"


def test_who_fails_to_go_on_is_followed_by_the_next() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    site.call.answer(500, JSON, BOOM)
    goes_on(site.call, "world")
    assert text_of(client) == "Hello world"
    assert [kind[:2] for kind in kinds(site)] == [
        ("a", "broken"),
        ("b", "failed"),
        ("c", "completed"),
    ]


def test_who_fails_to_go_on_has_used_nothing() -> None:
    site = continuing()
    client = begun(site)
    site.call.body(usage(10, 2))
    site.call.failed()
    site.call.answer(503, JSON, BOOM)
    site.call.failed(ConnectFailed("refused", reason="connect"))
    assert client.ended == "cut"
    record = site.record
    assert record.usage is not None
    assert (record.usage.prompt, record.usage.output) == (10, 2)
    assert [each.usage is None for each in record.attempts] == [False, True, True]


def test_who_goes_on_until_the_deadline_keeps_its_own_usage() -> None:
    several = [
        instance(name, prefill=True, deadlines=Deadlines(total=1.0)) for name in "ab"
    ]
    site = continuing(*several)
    begun(site)
    site.call.body(usage(10, 2))
    site.call.failed()
    site.call.head(200, SSE)
    site.call.body(chunk("world") + usage(12, 1))
    site.wait(1.2)
    assert site.record.outcome is Outcome.LIMIT
    used = [each.usage for each in site.record.attempts]
    assert [(one.prompt, one.output) for one in used if one] == [(10, 2), (12, 1)]


def test_a_client_of_anthropic_sees_one_message() -> None:
    site = continuing(instance("a"), instance("b", prefill=True, provider="anthropic"))
    body = {"model": "m", "max_tokens": 99, "messages": MESSAGES, "stream": True}
    client = begun(
        site, msgspec.json.encode(body), target=b"/v1/messages", headers=CLAUDE
    )
    site.call.failed()
    body = sent(site.call)
    assert body["messages"][-1]["role"] == "assistant"
    site.call.head(200, SSE)
    for event in (
        {
            "type": "message_start",
            "message": {
                "id": "other",
                "type": "message",
                "role": "assistant",
                "model": "x",
                "content": [],
                "usage": {"input_tokens": 7, "output_tokens": 1},
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "world"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 4},
        },
        {"type": "message_stop"},
    ):
        data = msgspec.json.encode(event)
        name = str(event["type"]).encode()
        site.call.body(b"event: %s\ndata: %s\n\n" % (name, data))
    site.call.ended()
    told = frames(client)
    kinds_told = [each["type"] for each in told]
    for once in (
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ):
        assert kinds_told.count(once) == 1, once
    assert kinds_told[-1] == "message_stop"
    deltas = [each for each in told if each["type"] == "content_block_delta"]
    assert {each["index"] for each in deltas} == {0}
    assert "".join(each["delta"]["text"] for each in deltas) == "Hello world"
    assert client.ended == "finish"


def test_a_prefix_of_the_clients_own_comes_first() -> None:
    site = continuing()
    begun(site, asked(messages=[*MESSAGES, {"role": "assistant", "content": "So: "}]))
    site.call.failed()
    messages = sent(site.call)["messages"]
    assert len(messages) == 2
    assert "".join(_texts(messages[-1]["content"])) == "So: Hello"
    goes_on(site.call, "!")


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content]


def test_a_tool_called_by_the_second_closes_the_text() -> None:
    site = continuing()
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    client = begun(site, asked(tools=[tool]))
    site.call.failed()
    call = {"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}}
    data = msgspec.json.encode({"id": "d", "choices": [choice]})
    end = chunk(finish_reason="tool_calls") + DONE
    goes_on(site.call, end=b"data: %s\n\n" % data + end)
    assert text_of(client) == "Hello "
    assert client.ended == "finish"
    assert site.record.has_tool_calls


# -- what is not safe ends as ever


def broken(site: Site, client: MemoryDownstream) -> None:
    """Nobody was asked to go on, and the client was told."""
    assert hosts(site) == ["a"]
    assert client.ended == "cut"
    assert SEAM not in client.written
    assert b"error" in client.written
    assert site.record.outcome in (Outcome.BROKEN, Outcome.FAILED, Outcome.LIMIT)


TOOL_CALL = b"data: %s\n\n" % msgspec.json.encode(
    {
        "choices": [
            {
                "index": 0,
                "delta": {
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "t",
                            "function": {"name": "f", "arguments": "{"},
                        }
                    ]
                },
            }
        ]
    }
)
THOUGHT = b"data: %s\n\n" % msgspec.json.encode(
    {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
)
REFUSAL = b"data: %s\n\n" % msgspec.json.encode(
    {"choices": [{"index": 0, "delta": {"refusal": "no"}}]}
)


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_where_none_has_prefill_it_ends_as_ever(how: str) -> None:
    site = continuing(instance("a", prefill=True, streaming=SMALL), instance("b"))
    client = begun(site)
    BREAKS[how](site.call)
    broken(site, client)


@pytest.mark.parametrize(
    "unsafe",
    [TOOL_CALL, THOUGHT, REFUSAL, STOP, chunk("x" * 3900) * 68],
    ids=["tool call", "reasoning", "refusal", "finished", "too long"],
)
def test_what_is_not_text_alone_ends_as_ever(unsafe: bytes) -> None:
    site = continuing()
    client = begun(site)
    site.call.body(unsafe)
    site.call.failed()
    assert hosts(site) == ["a"]
    assert client.ended == "cut"
    assert SEAM not in client.written


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_answers_of_a_form_are_passed_through_and_end_as_ever(
    fields: dict[str, Any],
) -> None:
    site = continuing()
    body = asked(**fields)
    client = site.ask(body)
    site.call.head(200, SSE)
    site.call.body(chunk("{"))
    assert client.written == chunk("{")
    site.call.failed()
    broken(site, client)


def test_text_that_ends_within_a_stop_sequence_is_not_cut_there() -> None:
    site = continuing()
    client = begun(site, asked(stop=["o END"]))
    site.call.failed()
    broken(site, client)


def test_before_any_text_another_is_asked_what_the_client_asked() -> None:
    site = continuing()
    client = site.ask(ASKED)
    site.call.head(200, SSE)
    site.wait(1.2)
    site.call.body(chunk(""))
    site.call.failed()
    assert sent(site.call)["messages"] == MESSAGES
    goes_on(site.call, "whole")
    assert text_of(client) == "whole"
    assert client.ended == "finish"
    assert site.record.attempts[1].seam == 0


@pytest.mark.parametrize("statuses", [frozenset(), RETRIABLE])
def test_text_that_comes_in_one_read_with_the_break_is_not_lost(
    statuses: frozenset[int],
) -> None:
    error = b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'
    site = continuing(statuses=statuses)
    client = site.ask(ASKED)
    site.call.head(200, SSE)
    site.call.body(chunk("Hello ") + error)
    assert hosts(site) == ["a", "b"]
    goes_on(site.call, "world" if not statuses else "Hello world")
    assert text_of(client) == "Hello world"
    assert client.ended == "finish"
    first = site.record.attempts[0]
    assert (first.outcome, first.reason) == (Outcome.FAILED, "error_in_stream")
    assert statuses or first.first_token_ms is not None


def test_an_error_without_any_text_is_told_by_its_status() -> None:
    site = continuing(statuses=frozenset())
    client = site.ask(ASKED)
    site.call.head(200, SSE)
    site.call.body(
        chunk("") + b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'
    )
    assert hosts(site) == ["a"]
    assert (client.status, client.ended) == (502, "finish")


def test_a_spent_cap_ends_it_as_ever() -> None:
    site = continuing()
    client = begun(site, asked(max_tokens=5))
    site.call.body(usage(9, 5))
    site.call.failed()
    broken(site, client)


def test_the_clients_own_fault_ends_it_as_ever() -> None:
    site = continuing()
    client = begun(site)
    error = {"message": "bad", "type": "invalid_request_error"}
    site.call.body(b"data: %s\n\n" % msgspec.json.encode({"error": error}))
    broken(site, client)


def test_a_limit_of_ours_ends_it_as_ever() -> None:
    short = Streaming(max_response_bytes=400)
    several = [instance(name, prefill=True, streaming=short) for name in "ab"]
    site = continuing(*several)
    client = begun(site)
    site.call.body(chunk("x" * 500))
    assert hosts(site) == ["a"]
    assert client.ended == "cut"


def test_where_no_other_could_go_on_nothing_is_converted() -> None:
    site = continuing(instance("a", prefill=True, streaming=SMALL))
    client = site.ask(ASKED)
    site.call.head(200, SSE)
    odd = b'data:{"choices":[{"index":0,"delta":{"content":"x"},"odd":1}]}\n\n'
    site.call.body(odd)
    assert client.written == odd
    site.call.failed()
    assert client.ended == "cut"


def test_when_nobody_can_go_on_it_ends_with_what_broke_it() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    site.call.answer(500, JSON, BOOM)
    site.call.failed(ConnectFailed("no", reason="unreachable"))
    assert hosts(site) == ["a", "b", "c"]
    assert client.ended == "cut"
    assert b"error" in client.written
    assert SEAM not in client.written
    record = site.record
    assert (record.outcome, record.reason) == (Outcome.BROKEN, "closed_early")


def test_no_more_than_three_are_asked_to_go_on() -> None:
    site = continuing(*[instance(name, prefill=True) for name in "abcdef"])
    client = begun(site)
    while not client.ended:
        site.call.failed()
    assert hosts(site) == ["a", "b", "c", "d"]


def test_before_output_another_is_asked_as_ever() -> None:
    site = continuing()
    client = site.ask(ASKED)
    site.call.answer(500, JSON, BOOM)
    goes_on(site.call, "whole")
    assert text_of(client) == "whole"
    assert SEAM not in client.written
    assert site.record.attempts[1].seam == 0


def test_what_cannot_be_put_in_neutral_words_is_passed_through() -> None:
    site = continuing()
    odd = asked(messages=[{"role": "critic", "content": "hi"}])
    client = site.ask(odd)
    assert msgspec.json.decode(site.call.outbound.body)["messages"] == [
        {"role": "critic", "content": "hi"}
    ]
    site.call.head(200, SSE)
    site.call.body(chunk("Hel"))
    site.call.failed()
    assert hosts(site) == ["a"]
    assert client.ended == "cut"


# -- while nobody goes on


def test_the_client_leaving_meanwhile_stops_who_is_asked() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    client.leave()
    assert site.call.stopped
    assert site.record.outcome is Outcome.CLIENT_GONE
    (cluster,) = site.clusters
    assert [one.slots.taken for one in cluster.standings.values()] == [0, 0, 0]


def test_the_client_leaving_later_stops_who_goes_on() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    site.call.head(200, SSE)
    site.call.body(chunk("wor"))
    client.leave()
    assert site.call.stopped
    assert site.record.outcome is Outcome.CLIENT_GONE


def test_the_deadline_of_the_whole_is_told_in_the_stream() -> None:
    several = [
        instance(name, prefill=True, deadlines=Deadlines(total=1.0)) for name in "ab"
    ]
    site = continuing(*several)
    client = begun(site)
    site.call.failed()
    site.wait(1.2)
    assert client.ended == "cut"
    assert b"error" in client.written
    assert (site.record.outcome, site.record.reason) == (Outcome.LIMIT, "total")


def test_shutdown_is_told_in_the_stream() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    (exchange,) = site.serve.open
    exchange.shut_down()
    assert client.ended == "cut"
    assert site.record.outcome is Outcome.SHUTDOWN


def test_who_makes_no_progress_is_left_for_another() -> None:
    several = [
        instance(name, prefill=True, deadlines=Deadlines(idle=0.5)) for name in "abc"
    ]
    site = continuing(*several)
    client = begun(site)
    site.wait(0.7)
    assert hosts(site) == ["a", "b"]
    site.call.head(200, SSE)
    site.call.body(chunk("wide "))
    site.wait(0.7)
    assert hosts(site) == ["a", "b", "c"]
    goes_on(site.call, "world")
    assert text_of(client) == "Hello wide world"


def test_heartbeats_go_on_meanwhile() -> None:
    several = [
        instance(name, prefill=True, streaming=Streaming(heartbeat=0.3))
        for name in "ab"
    ]
    site = continuing(*several)
    client = begun(site)
    site.call.failed()
    before = len(client.written)
    site.wait(1)
    assert len(client.written) > before
    goes_on(site.call, "world")
    assert text_of(client) == "Hello world"
    assert client.ended == "finish"


def test_a_slow_client_pauses_who_goes_on() -> None:
    site = continuing()
    client = begun(site)
    site.call.failed()
    client.fill()
    site.call.head(200, SSE)
    assert site.call.paused
    site.call.body(chunk("world"))
    client.empty()
    site.wait(0.1)
    site.call.body(STOP + DONE)
    site.call.ended()
    assert text_of(client) == "Hello world"


def test_nobody_goes_on_for_a_client_that_was_dropped_meanwhile() -> None:
    stall = Deadlines(client_stall=0.5)
    several = [instance(name, prefill=True, deadlines=stall) for name in "abc"]
    site = continuing(*several)
    client = begun(site)
    site.call.failed()
    client.fill()
    site.wait(1)
    assert client.ended == "abort"
    assert hosts(site) == ["a", "b"]
    assert site.call.stopped
    record = site.record
    assert (record.outcome, record.reason) == (Outcome.LIMIT, "client_stall")


def test_the_winner_of_a_race_is_gone_on_with() -> None:
    site = continuing(hedge=Hedge(0.2, 1))
    client = site.ask(ASKED)
    site.wait(0.3)
    slow, quick = site.upstream.calls
    quick.head(200, SSE)
    quick.body(chunk("Hello "))
    quick.failed()
    assert slow.stopped
    goes_on(site.call, "world")
    assert text_of(client) == "Hello world"
    assert client.ended == "finish"
    assert [kind[:2] for kind in kinds(site)] == [
        ("a", "hedged"),
        ("b", "broken"),
        ("c", "completed"),
    ]


CONVERSE: Headers = [*JSON]


def test_an_eventstream_has_no_comment_and_is_one_answer() -> None:
    site = continuing()
    body = msgspec.json.encode(
        {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    )
    client = begun(site, body, target=b"/model/m/converse-stream", headers=CONVERSE)
    site.call.failed()
    goes_on(site.call, "world")
    assert client.written.count(b"messageStart") == 1
    assert client.written.count(b"messageStop") == 1
    assert b"continued" not in client.written
    assert client.ended == "finish"
