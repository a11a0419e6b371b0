"""Several instances: one clean answer, whatever one of them does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aigw.errors import ConnectFailed, UpstreamBroke, UpstreamTimeout
from aigw.model.headers import Headers, first
from aigw.model.instance import Deadlines, Endpoint, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.policy import Policy, Retry
from aigw.model.route import Route
from aigw.testing.upstream import MemoryCall

from .site import CHAT, JSON, SSE, STREAM, Site
from .test_serve import ANSWER, DONE, HELLO, ROLE, STOP, error_of

RETRIABLE = frozenset({429, *range(500, 600)})
WHOLE = ROLE + HELLO + STOP + DONE
ERROR = b'data: {"error":{"message":"boom","type":"server_error"}}\n\n'
BOOM = b'{"error":{"message":"boom"}}'


def instance(name: str, **fields: Any) -> Instance:
    fields.setdefault("endpoint", Endpoint("http", f"{name}.test", 80))
    fields.setdefault("provider", "openai-compatible")
    return Instance(name=name, **fields)


def many(*instances: Instance, **policy: Any) -> Site:
    """A site whose one route has these instances, ``a`` and ``b`` unless told."""
    policy.setdefault("statuses", RETRIABLE)
    several = instances or (instance("a"), instance("b"))
    return Site(Route("many", ("/v1/*",), several, policy=Policy(**policy)))


def hosts(site: Site) -> list[str]:
    """Who was asked, in order."""
    return [call.outbound.origin.host.split(".")[0] for call in site.upstream.calls]


def kinds(site: Site) -> list[tuple[str, str, Any]]:
    """The record's attempts: instance, outcome, reason."""
    return [
        (each.instance, str(each.outcome), each.reason) for each in site.record.attempts
    ]


FAILURES: dict[str, Callable[[MemoryCall], None]] = {
    "500": lambda call: call.answer(500, JSON, BOOM),
    "429": lambda call: call.answer(429, [*JSON, (b"retry-after", b"7")], BOOM),
    "503 without a body": lambda call: call.answer(503, [], b""),
    "refused connection": lambda call: call.failed(
        ConnectFailed("no connection", reason="unreachable")
    ),
    "reset before the head": lambda call: call.failed(
        UpstreamBroke("reset", reason="reset")
    ),
    "read timeout": lambda call: call.failed(
        UpstreamTimeout("nothing came", reason="read")
    ),
}


def error_in_stream(call: MemoryCall) -> None:
    call.head(200, SSE)
    call.body(ROLE)
    call.body(ERROR)


def reset_before_content(call: MemoryCall) -> None:
    call.head(200, SSE)
    call.body(b": ping\n\n" + ROLE)
    call.failed()


def empty_stream(call: MemoryCall) -> None:
    call.head(200, SSE)
    call.ended()


def error_in_json(call: MemoryCall) -> None:
    call.answer(200, JSON, BOOM)


def json_cut_short(call: MemoryCall) -> None:
    call.head(200, [*JSON, (b"content-length", b"%d" % len(ANSWER))])
    call.body(ANSWER[:20])
    call.failed()


STREAM_FAILURES = {
    **FAILURES,
    "error in stream": error_in_stream,
    "reset before content": reset_before_content,
    "empty stream": empty_stream,
}
JSON_FAILURES = {
    **FAILURES,
    "error in a 200": error_in_json,
    "cut short": json_cut_short,
}


# -- one clean answer from the other


@pytest.mark.parametrize("how", sorted(STREAM_FAILURES))
def test_a_stream_comes_whole_from_the_other(how: str) -> None:
    site = many()
    client = site.ask(STREAM)
    STREAM_FAILURES[how](site.call)
    assert client.status is None
    assert hosts(site) == ["a", "b"]
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert (client.status, client.ended) == (200, "finish")
    assert client.written == WHOLE
    record = site.record
    assert record.outcome is Outcome.COMPLETED
    assert [each.instance for each in record.attempts] == ["a", "b"]
    assert record.attempts[0].outcome is not Outcome.COMPLETED
    assert record.sent == len(WHOLE)


@pytest.mark.parametrize("how", sorted(JSON_FAILURES))
def test_a_json_answer_comes_whole_from_the_other(how: str) -> None:
    site = many()
    client = site.ask()
    JSON_FAILURES[how](site.call)
    assert client.status is None
    site.call.answer(200, JSON, ANSWER)
    assert (client.status, client.written) == (200, ANSWER)
    assert client.ended == "finish"
    assert hosts(site) == ["a", "b"]


def test_what_was_prepared_for_one_does_not_leak_into_the_other() -> None:
    site = many(
        instance(
            "a",
            options={"model": "ma"},
            auth_headers=[(b"x-key", b"ka")],
            has_auth=True,
        ),
        instance("b", options={"model": "mb"}),
    )
    site.ask(target=b"/v1/chat/completions?key=mine")
    site.call.answer(500, JSON, BOOM)
    one, other = (call.outbound for call in site.upstream.calls)
    assert msgspec.json.decode(one.body)["model"] == "ma"
    assert msgspec.json.decode(other.body)["model"] == "mb"
    assert first(one.headers, b"x-key") == b"ka"
    assert first(other.headers, b"x-key") is None
    site.call.answer(200, JSON, ANSWER)
    assert site.record.request_model == "m"
    assert site.record.model == "mb"


def test_each_attempt_leaves_its_entry() -> None:
    site = many(instance("a"), instance("b"), instance("c"))
    site.ask()
    site.call.answer(429, JSON, BOOM)
    site.call.failed(ConnectFailed("no", reason="unreachable"))
    site.call.answer(200, JSON, ANSWER)
    assert kinds(site) == [
        ("a", "failed", "throttled"),
        ("b", "broken", "unreachable"),
        ("c", "completed", ""),
    ]
    assert [each.status for each in site.record.attempts] == [429, 0, 200]


MESSAGE = (
    b'{"model":"m","max_tokens":9,"stream":true,'
    b'"messages":[{"role":"user","content":"hi"}]}'
)
CLAUDE: Headers = [*JSON, (b"anthropic-version", b"2023-06-01")]


@pytest.mark.parametrize("how", sorted(STREAM_FAILURES))
def test_a_converted_stream_comes_whole_from_the_other(how: str) -> None:
    site = many()
    client = site.ask(MESSAGE, target=b"/v1/messages", headers=CLAUDE)
    STREAM_FAILURES[how](site.call)
    assert client.status is None
    assert hosts(site) == ["a", "b"]
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.ended == "finish"
    assert client.written.count(b"event: message_start") == 1
    assert client.written.count(b"event: message_stop") == 1
    assert b"hello" in client.written
    assert b"error" not in client.written
    assert site.record.outcome is Outcome.COMPLETED


def test_all_throttled_is_told_in_the_clients_dialect() -> None:
    site = many()
    client = site.ask(MESSAGE, target=b"/v1/messages", headers=CLAUDE)
    for _ in range(2):
        site.call.answer(429, [*JSON, (b"retry-after", b"3")], BOOM)
    assert client.status == 429
    told = msgspec.json.decode(client.written)
    assert told["type"] == "error"
    assert told["error"] == {"type": "rate_limit_error", "message": "boom"}


# -- the hold


def test_nothing_leaves_before_content_while_another_could_be_asked() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(b": hello\n\n" + ROLE)
    assert client.status is None
    site.call.body(HELLO)
    assert client.written == b": hello\n\n" + ROLE + HELLO


def test_a_breach_after_content_is_told_and_never_replayed() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    site.call.failed()
    assert hosts(site) == ["a"]
    assert client.ended == "cut"
    assert client.written.startswith(ROLE + HELLO)
    assert b"error" in client.written
    assert site.record.outcome is Outcome.BROKEN


def test_content_that_never_left_is_no_reason_to_lose_the_request() -> None:
    site = many()
    client = site.ask(STREAM)
    client.fill()  # it has not read an answer before this one
    one = site.call
    one.head(200, SSE)
    assert one.paused
    one.receiver.body(ROLE + HELLO)  # came in the same read as the head
    one.receiver.failed(UpstreamBroke("reset", reason="reset"))
    assert hosts(site) == ["a", "b"]
    assert msgspec.json.decode(site.call.outbound.body)["messages"]
    site.call.head(200, SSE)
    client.empty()
    site.wait(0.1)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written == WHOLE


def test_an_error_after_content_is_never_replayed() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    site.call.body(ERROR)
    site.call.ended()
    assert hosts(site) == ["a"]
    assert client.written == ROLE + HELLO + ERROR


def test_the_hold_ends_after_its_time() -> None:
    site = many(
        instance("a", streaming=Streaming(commit_hold=0.5)),
        instance("b"),
    )
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE)
    site.wait(0.7)
    assert client.written == ROLE
    site.call.failed()
    assert hosts(site) == ["a"]
    assert client.ended == "cut"


def test_the_hold_ends_after_64_kib() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    comment = b": " + b"x" * 40_000 + b"\n\n"
    site.call.body(comment)
    assert client.status is None
    site.call.body(comment)
    assert client.written == comment + comment


def test_the_last_possible_attempt_holds_nothing() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.answer(500, JSON, BOOM)
    site.call.head(200, SSE)
    site.call.body(ROLE)
    assert client.written == ROLE


def test_a_hold_of_no_time_holds_nothing() -> None:
    site = many(instance("a", streaming=Streaming(commit_hold=0.0)), instance("b"))
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE)
    assert client.written == ROLE


def test_a_heartbeat_commits_status_and_headers_only() -> None:
    beating = Streaming(heartbeat=0.2)
    site = many(instance("a", streaming=beating), instance("b", streaming=beating))
    client = site.ask(STREAM)
    site.wait(0.5)
    pings = client.written
    assert client.status == 200
    assert pings
    site.call.answer(500, JSON, BOOM)
    assert hosts(site) == ["a", "b"]
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written == pings + WHOLE
    assert client.ended == "finish"
    assert site.record.sent == len(client.written)


def test_a_heartbeat_in_the_hold_commits_status_and_headers_only() -> None:
    beating = Streaming(heartbeat=0.2, commit_hold=5.0)
    site = many(instance("a", streaming=beating), instance("b", streaming=beating))
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.wait(0.5)
    pings = client.written
    assert pings
    site.call.failed()
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written == pings + WHOLE
    assert site.record.sent == len(client.written)


def test_all_failing_behind_a_heartbeat_is_told_in_the_stream() -> None:
    beating = Streaming(heartbeat=0.2)
    site = many(instance("a", streaming=beating), instance("b", streaming=beating))
    client = site.ask(STREAM)
    site.wait(0.3)
    site.call.answer(500, JSON, BOOM)
    site.call.answer(500, JSON, BOOM)
    assert client.status == 200
    assert b'"message":"boom"' in client.written
    assert client.ended == "cut"


# -- all of them failing


def test_all_throttled_is_429_with_the_smallest_wait() -> None:
    site = many()
    client = site.ask()
    site.call.answer(429, [*JSON, (b"retry-after", b"9")], BOOM)
    site.call.answer(429, [*JSON, (b"retry-after", b"4")], b'{"message":"slow down"}')
    assert client.status == 429
    assert first(client.answer, b"retry-after") == b"4"
    assert error_of(client.written)["message"] == "slow down"
    assert error_of(client.written)["type"] == "rate_limit_error"
    assert site.record.reason == "all_throttled"
    assert site.record.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (BOOM, "boom"),
        (b"plain words", "plain words"),
        (b'{"error":"short"}', "short"),
        (b'{"error_msg":"old"}', "old"),
        (b'[{"error":{"message":"listed"}}]', "listed"),
        (b"", "the provider answered with status 500"),
        (b'{"x":1}', "the provider answered with status 500"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_otherwise_it_is_502_with_the_last_text(body: bytes, text: str) -> None:
    site = many()
    client = site.ask()
    site.call.answer(429, JSON, BOOM)
    site.call.answer(500, JSON, body)
    assert client.status == 502
    assert error_of(client.written)["message"] == text
    assert site.record.reason == "all_failed"


def test_all_unreachable_is_502() -> None:
    site = many()
    client = site.ask()
    for _ in range(2):
        site.call.failed(ConnectFailed("no connection", reason="unreachable"))
    assert client.status == 502
    assert error_of(client.written)["message"] == "no connection"


def test_a_failure_that_moves_nothing_is_passed_on_as_it_is() -> None:
    site = many()
    client = site.ask()
    odd = b'{"odd" : "body"}'
    site.call.answer(404, [(b"content-type", b"application/problem+json")], odd)
    assert (client.status, client.written) == (404, odd)
    assert first(client.answer, b"content-type") == b"application/problem+json"
    assert hosts(site) == ["a"]


def test_beyond_max_retries_the_failure_is_passed_on_as_it_is() -> None:
    site = many(instance("a"), instance("b"), instance("c"), max_retries=1)
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    site.call.answer(503, JSON, b'{"mine":1}')
    assert (client.status, client.written) == (503, b'{"mine":1}')
    assert hosts(site) == ["a", "b"]


def test_an_attempt_that_failed_late_is_passed_on_as_it_is() -> None:
    site = many(within=0.5)
    client = site.ask()
    site.wait(1.0)
    site.call.answer(500, JSON, BOOM)
    assert (client.status, client.written) == (500, BOOM)


def test_without_a_strategy_nothing_moves() -> None:
    site = many(statuses=frozenset())
    client = site.ask()
    site.call.failed(ConnectFailed("no connection", reason="unreachable"))
    assert client.status == 502
    assert hosts(site) == ["a"]


def test_no_eligible_instance_is_503() -> None:
    site = many(instance("a", models=("gpt-*",)), instance("b", weight=0))
    client = site.ask()
    assert client.status == 503
    assert "'m'" in error_of(client.written)["message"]
    assert site.upstream.calls == []
    assert site.record.outcome is Outcome.REFUSED


def test_an_instance_gets_only_the_models_it_takes() -> None:
    site = many(instance("a", models=("x-*",)), instance("b", models=("m",)))
    for _ in range(3):
        site.ask()
        site.call.answer(200, JSON, ANSWER)
    assert hosts(site) == ["b", "b", "b"]


def test_model_map_renames_towards_the_provider() -> None:
    site = many(instance("a", model_map={"m": "gpt-4o-mini"}))
    site.ask()
    assert msgspec.json.decode(site.call.outbound.body)["model"] == "gpt-4o-mini"
    site.call.answer(200, JSON, ANSWER)
    assert (site.record.request_model, site.record.model) == ("m", "gpt-4o-mini")


# -- who speaks the client's dialect

EMBEDDINGS = b'{"model":"m","input":"hi"}'


def test_an_instance_that_cannot_speak_the_dialect_is_skipped() -> None:
    site = many(
        instance("a", provider="deepseek"), instance("b", provider="openai-compatible")
    )
    for _ in range(3):
        site.ask(EMBEDDINGS, target=b"/v1/embeddings")
        site.call.answer(200, JSON, b'{"data":[]}')
    assert hosts(site) == ["b", "b", "b"]


DOCUMENT = (
    b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":['
    b'{"type":"document","source":{"type":"url","url":"https://d.test/x.pdf"}}]}]}'
)


def test_an_instance_that_cannot_be_asked_this_is_passed_over() -> None:
    # OpenAI's API takes no document by URL; that is no failure of the instance.
    site = many(
        instance("a"),
        instance("b", provider="anthropic"),
        statuses=frozenset(),
        max_retries=0,
    )
    client = site.ask(DOCUMENT, target=b"/v1/messages", headers=CLAUDE)
    assert hosts(site) == ["b"]
    site.call.answer(200, JSON, b'{"type":"message"}')
    assert client.written == b'{"type":"message"}'
    assert standing(site) == [0, 0]
    assert [each.instance for each in site.record.attempts] == ["b"]


def test_where_none_can_be_asked_this_the_client_is_told_why() -> None:
    site = many()
    client = site.ask(DOCUMENT, target=b"/v1/messages", headers=CLAUDE)
    assert client.status == 400
    assert "document by URL" in error_of(client.written)["message"]
    assert site.upstream.calls == []
    assert standing(site) == [0, 0]
    assert site.record.outcome is Outcome.REFUSED


def test_who_cannot_be_asked_this_hides_no_failure_of_another() -> None:
    site = many(instance("b", provider="anthropic"), instance("a"))
    client = site.ask(DOCUMENT, target=b"/v1/messages", headers=CLAUDE)
    site.call.answer(429, [*JSON, (b"retry-after", b"7")], BOOM)
    assert hosts(site) == ["b"]
    assert client.status == 429
    assert first(client.answer, b"retry-after") == b"7"


def test_who_cannot_be_asked_this_is_in_no_repeats_way() -> None:
    site = many(instance("b", provider="anthropic"), instance("a"), retry=RETRY)
    client = site.ask(DOCUMENT, target=b"/v1/messages", headers=CLAUDE)
    site.call.answer(500, JSON, BOOM)
    site.wait(0.6)
    assert hosts(site) == ["b", "b"]
    site.call.answer(500, JSON, BOOM)
    assert hosts(site) == ["b", "b"]
    assert client.status == 500
    assert site.record.outcome is Outcome.FAILED


def test_what_was_dropped_for_one_is_not_told_of_another() -> None:
    site = many(instance("a"), instance("b", provider="anthropic"))
    body = MESSAGE.replace(b"{", b'{"top_k":5,', 1)
    site.ask(body, target=b"/v1/messages", headers=CLAUDE)
    site.call.answer(500, JSON, BOOM)
    assert hosts(site) == ["a", "b"]
    site.call.answer(200, JSON, b'{"type":"message"}')
    assert site.record.dropped_fields == ()


def test_where_none_can_speak_it_the_request_is_refused() -> None:
    site = many(instance("a", provider="deepseek"))
    client = site.ask(EMBEDDINGS, target=b"/v1/embeddings")
    assert client.status == 400
    assert site.upstream.calls == []


# -- repeats

RETRY = Retry(same_instance=1, backoff=0.5, max_backoff=2.0, jitter=0.0)


def test_a_lone_instance_is_asked_again_after_a_wait() -> None:
    site = many(instance("a"), retry=RETRY)
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    site.wait(0.4)
    assert hosts(site) == ["a"]
    site.wait(0.2)
    assert hosts(site) == ["a", "a"]
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


@pytest.mark.parametrize("headed", [False, True])
def test_heartbeats_go_on_while_it_waits(headed: bool) -> None:
    beating = instance("a", streaming=Streaming(heartbeat=0.3))
    site = many(beating, retry=Retry(1, backoff=2.0, jitter=0.0))
    client = site.ask(STREAM)
    if headed:
        site.call.head(200, SSE)
        site.call.failed()
    else:
        site.call.answer(500, JSON, BOOM)
    site.wait(1.9)
    assert hosts(site) == ["a"]
    assert client.written.count(b": ping\n\n") >= 5
    site.wait(0.2)
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written.endswith(b": ping\n\n" + WHOLE)
    assert site.record.sent == len(client.written)


def test_the_wait_is_as_long_as_the_provider_asks() -> None:
    site = many(instance("a"), retry=RETRY)
    site.ask()
    site.call.answer(429, [*JSON, (b"retry-after", b"1")], BOOM)
    site.wait(0.9)
    assert hosts(site) == ["a"]
    site.wait(0.3)
    assert hosts(site) == ["a", "a"]
    site.call.answer(200, JSON, ANSWER)


def test_a_client_that_leaves_while_it_waits_ends_it() -> None:
    site = many(instance("a"), retry=RETRY)
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    client.leave()
    assert site.record.outcome is Outcome.CLIENT_GONE
    site.wait(1.0)
    assert hosts(site) == ["a"]


def test_the_deadline_of_the_whole_ends_a_wait() -> None:
    deadlines = Deadlines(total=0.8)
    site = many(
        instance("a", deadlines=deadlines),
        retry=Retry(same_instance=5, backoff=0.3, max_backoff=2.0, jitter=0.0),
    )
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    site.wait(0.4)
    assert hosts(site) == ["a", "a"]
    site.wait(0.6)
    assert client.status == 504
    assert site.record.reason == "total"
    assert site.record.outcome is Outcome.LIMIT


def test_a_shutdown_ends_a_wait() -> None:
    site = many(instance("a"), retry=RETRY)
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    for exchange in list(site.serve.open):
        exchange.shut_down()
    assert client.status == 503
    assert site.record.outcome is Outcome.SHUTDOWN
    site.wait(1.0)
    assert hosts(site) == ["a"]


def test_a_client_that_leaves_while_an_error_is_read_ends_it() -> None:
    site = many()
    client = site.ask()
    site.call.head(500, JSON)
    client.leave()
    assert site.call.stopped
    assert hosts(site) == ["a"]
    assert site.record.outcome is Outcome.CLIENT_GONE


def test_a_long_error_body_is_not_waited_for() -> None:
    site = many()
    client = site.ask()
    site.call.head(500, JSON)
    site.call.body(b"x" * 60_000)
    assert hosts(site) == ["a"]
    site.call.body(b"x" * 60_000)
    assert hosts(site) == ["a", "b"]
    assert site.upstream.calls[0].stopped
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


def test_a_slow_error_body_is_not_waited_for() -> None:
    site = many()
    client = site.ask()
    site.call.head(500, JSON)
    site.wait(1.2)
    assert hosts(site) == ["a", "b"]
    assert site.upstream.calls[0].stopped
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


def test_an_error_body_that_never_begins_is_not_waited_for() -> None:
    limits = Deadlines(first_byte=0.5)
    site = many(instance("a", deadlines=limits), instance("b", deadlines=limits))
    client = site.ask()
    site.call.head(500, JSON)
    site.wait(0.7)
    assert hosts(site) == ["a", "b"]
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    assert kinds(site)[0] == ("a", "failed", "broken")


# -- slots


def standing(site: Site) -> list[int]:
    """Attempts under way, by instance."""
    return [
        each["in_flight"]
        for cluster in site.clusters.told(site.clock.seconds())
        for each in cluster["instances"]
    ]


def test_requests_beyond_the_slots_wait_their_turn() -> None:
    site = many(instance("a", max_concurrent=1))
    one, other = site.ask(), site.ask()
    assert len(site.upstream.calls) == 1
    site.upstream.calls[0].answer(200, JSON, ANSWER)
    assert one.ended == "finish"
    assert len(site.upstream.calls) == 2
    site.call.answer(200, JSON, ANSWER)
    assert other.written == ANSWER
    assert standing(site) == [0]


def test_a_full_queue_is_503() -> None:
    site = many(instance("a", max_concurrent=1, max_queued=1))
    site.ask()
    site.ask()
    refused = site.ask()
    assert refused.status == 503
    assert first(refused.answer, b"retry-after") == b"1"
    assert site.kept.records[0].reason == "queue_full"


def test_nobody_waits_for_a_slot_for_ever() -> None:
    site = many(instance("a", max_concurrent=1, queue_timeout=0.5))
    site.ask()
    late = site.ask()
    site.wait(0.7)
    assert late.status == 503
    assert site.record.reason == "queue_timeout"
    site.call.answer(200, JSON, ANSWER)
    assert standing(site) == [0]


def test_a_client_that_leaves_the_queue_takes_no_slot() -> None:
    site = many(instance("a", max_concurrent=1))
    site.ask()
    gone = site.ask()
    gone.leave()
    assert site.record.outcome is Outcome.CLIENT_GONE
    site.call.answer(200, JSON, ANSWER)
    assert len(site.upstream.calls) == 1
    assert standing(site) == [0]


@pytest.mark.parametrize("how", sorted(STREAM_FAILURES))
def test_slots_are_given_back_however_it_ends(how: str) -> None:
    site = many(instance("a"), instance("b"))
    site.ask(STREAM)
    STREAM_FAILURES[how](site.call)
    assert standing(site) == [0, 1]
    STREAM_FAILURES[how](site.call)
    site.call.ended()
    assert standing(site) == [0, 0]


def test_a_client_gone_gives_its_slot_back() -> None:
    site = many()
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(ROLE)
    client.leave()
    assert standing(site) == [0, 0]
    assert site.record.outcome is Outcome.CLIENT_GONE


# -- what is told


def value(headers: Headers, name: bytes) -> bytes | None:
    return first(headers, name)


def test_debug_headers_tell_instance_and_attempts() -> None:
    site = many(debug_headers=True)
    client = site.ask()
    site.call.answer(500, JSON, BOOM)
    site.call.answer(200, JSON, ANSWER)
    assert value(client.answer, b"x-aigw-instance") == b"b"
    assert value(client.answer, b"x-aigw-attempts") == b"2"


def test_without_debug_headers_nothing_is_told() -> None:
    site = many()
    client = site.ask(CHAT)
    site.call.answer(200, JSON, ANSWER)
    assert value(client.answer, b"x-aigw-instance") is None


def test_a_throttled_instance_rests_for_the_next_requests() -> None:
    site = many()
    site.ask()
    site.call.answer(429, [*JSON, (b"retry-after", b"5")], BOOM)
    site.call.answer(200, JSON, ANSWER)
    for _ in range(3):
        site.ask()
        site.call.answer(200, JSON, ANSWER)
    assert hosts(site) == ["a", "b", "b", "b", "b"]
    site.wait(5.1)
    for _ in range(2):
        site.ask()
        site.call.answer(200, JSON, ANSWER)
    assert set(hosts(site)[5:]) == {"a", "b"}


def test_one_client_keeps_to_one_instance_by_its_key() -> None:
    site = many(balancer="chash", key=lambda envelope, peer, consumer: envelope.model)
    for _ in range(4):
        site.ask()
        site.call.answer(200, JSON, ANSWER)
    assert len(set(hosts(site))) == 1


def test_an_attempt_connects_to_a_healthy_node() -> None:
    site = many(instance("a"), statuses=frozenset())
    (cluster,) = site.clusters
    (standing,) = cluster.standings.values()
    standing.heard({"192.0.2.1": False, "192.0.2.2": True})
    site.ask()
    origin = site.call.outbound.origin
    assert (origin.host, origin.address) == ("a.test", "192.0.2.2")
    site.call.answer(200, JSON, ANSWER)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b'{"message":"m","type":"rate_limit_error"}', 429),
        (b'{"message":"m","code":429,"status":"RESOURCE_EXHAUSTED"}', 429),
        (b'{"message":"m","type":"overloaded_error"}', 503),
        (b'{"message":"m","code":"internal"}', 502),
    ],
)
def test_an_error_told_in_a_stream_has_the_status_it_means(
    told: bytes, status: int
) -> None:
    site = many(instance("a"), instance("b"), statuses=frozenset({418}))
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    site.call.body(b'data: {"error":' + told + b"}\n\n")
    assert client.status == status
    assert error_of(client.written)["message"] == "m"
