"""Hedging: who is slow gets company, and the first content wins."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.errors import ConnectFailed
from aigw.model.instance import Deadlines, Streaming
from aigw.model.outcome import Outcome
from aigw.model.policy import Hedge
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall

from .site import JSON, SSE, STREAM, Site
from .test_serve import ANSWER, DONE, HELLO, ROLE, STOP, USAGE, error_of
from .test_tries import (
    BOOM,
    CLAUDE,
    MESSAGE,
    STREAM_FAILURES,
    WHOLE,
    hosts,
    instance,
    kinds,
    many,
)

NAMES = ("a", "b", "c")


def race(*names: str, delay: float = 0.2, most: int = 1, **policy: Any) -> Site:
    """A site whose route hedges after ``delay`` seconds, ``most`` times."""
    several = [instance(name) for name in names or ("a", "b")]
    return many(*several, hedge=Hedge(delay, most), **policy)


def calls(site: Site) -> list[MemoryCall]:
    return site.upstream.calls


def taken(site: Site) -> list[int]:
    """How many slots of each instance are taken."""
    (cluster,) = site.clusters
    return [standing.slots.taken for standing in cluster.standings.values()]


def raced(site: Site) -> tuple[MemoryDownstream, MemoryCall, MemoryCall]:
    """A stream is asked for, and the first has let its time pass."""
    client = site.ask(STREAM)
    site.wait(0.3)
    one, other = calls(site)
    return client, one, other


# -- when another is begun


def test_who_is_quick_gets_no_company() -> None:
    site = race()
    client = site.ask(STREAM)
    site.wait(0.1)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    site.wait(1)
    assert hosts(site) == ["a"]
    site.call.body(STOP + DONE)
    site.call.ended()
    assert client.written == WHOLE
    assert kinds(site) == [("a", "completed", "")]


@pytest.mark.parametrize("begun", [b"", ROLE])
def test_who_has_no_content_in_time_gets_company(begun: bytes) -> None:
    site = race()
    site.ask(STREAM)
    if begun:
        site.call.head(200, SSE)
        site.call.body(begun)
    site.wait(0.15)
    assert hosts(site) == ["a"]
    site.wait(0.2)
    assert hosts(site) == ["a", "b"]
    site.wait(5)
    assert hosts(site) == ["a", "b"]


def test_no_more_than_max_are_begun_beside_it() -> None:
    site = race("a", "b", "c", "d", most=2)
    site.ask(STREAM)
    site.wait(0.3)
    assert hosts(site) == ["a", "b"]
    site.wait(0.3)
    assert hosts(site) == ["a", "b", "c"]
    site.wait(3)
    assert hosts(site) == ["a", "b", "c"]


def test_max_retries_counts_those_beside_too() -> None:
    site = race("a", "b", "c", most=2, max_retries=1)
    site.ask(STREAM)
    site.wait(2)
    assert hosts(site) == ["a", "b"]


def test_the_budget_of_repeats_bounds_hedges() -> None:
    site = race()
    for _ in range(20):
        site.ask(STREAM)
    site.wait(1)
    assert len(calls(site)) == 20 + 10


def test_none_is_begun_at_who_has_no_slot_or_is_in_trouble() -> None:
    several = (instance("a"), instance("b", max_concurrent=1), instance("c"))
    site = many(*several, hedge=Hedge(0.2, 1))
    (cluster,) = site.clusters
    cluster.standings[several[1]].slots.take()
    cluster.standings[several[2]].resting_until = 1e9
    site.ask(STREAM)
    site.wait(1)
    assert hosts(site) == ["a"]
    cluster.give_back(several[1])
    site.wait(0.3)
    assert hosts(site) == ["a", "b"]


# -- who wins


@pytest.mark.parametrize("winner", [0, 1])
def test_the_first_content_wins_and_the_other_is_stopped(winner: int) -> None:
    site = race()
    client, *both = raced(site)
    first, loser = both[winner], both[1 - winner]
    for call in (loser, first):
        call.head(200, SSE)
        call.body(ROLE)
    assert client.status is None
    first.body(HELLO)
    assert client.written == ROLE + HELLO
    assert loser.stopped
    assert sum(taken(site)) == 1
    loser.body(HELLO)
    first.body(STOP + USAGE + DONE)
    first.ended()
    assert client.written == WHOLE  # usage was not asked for
    assert client.ended == "finish"
    assert taken(site) == [0, 0]
    outcomes = [str(each.outcome) for each in site.record.attempts]
    assert outcomes[winner] == "completed"
    assert outcomes[1 - winner] == "hedged"
    assert site.record.outcome is Outcome.COMPLETED
    assert site.record.usage_state == "reported"


def test_what_the_loser_used_stands_in_its_entry() -> None:
    start = (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m",'
        b'"model":"x","usage":{"input_tokens":25,"output_tokens":1}}}\n\n'
    )
    text = (
        b"event: content_block_delta\ndata: "
        b'{"type":"content_block_delta","index":0,"delta":'
        b'{"type":"text_delta","text":"hello"}}\n\n'
    )
    stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    several = [instance(name, provider="anthropic") for name in ("a", "b")]
    site = many(*several, hedge=Hedge(0.2, 1))
    client = site.ask(MESSAGE, target=b"/v1/messages", headers=CLAUDE)
    site.wait(0.3)
    slow, quick = calls(site)
    slow.head(200, SSE)
    slow.body(start)
    quick.head(200, SSE)
    quick.body(start + text + stop)
    quick.ended()
    assert client.written == start + text + stop
    lost, won = site.record.attempts
    assert (str(lost.outcome), str(won.outcome)) == ("hedged", "completed")
    assert lost.usage is not None
    assert lost.usage.input == 25
    assert lost.received == len(start)
    assert site.record.usage is not None
    assert site.record.usage.input == 25


def test_a_converted_stream_is_one_answer() -> None:
    site = race()
    client = site.ask(MESSAGE, target=b"/v1/messages", headers=CLAUDE)
    site.wait(0.3)
    slow, quick = calls(site)
    slow.head(200, SSE)
    slow.body(ROLE)
    quick.head(200, SSE)
    quick.body(WHOLE)
    quick.ended()
    slow.body(HELLO)
    assert client.ended == "finish"
    assert client.written.count(b"event: message_start") == 1
    assert client.written.count(b"event: message_stop") == 1
    assert client.written.count(b"hello") == 1


def test_of_json_answers_the_first_that_is_complete_wins() -> None:
    site = race()
    client = site.ask()
    site.wait(0.3)
    slow, quick = calls(site)
    slow.head(200, JSON)
    slow.body(ANSWER[:10])
    quick.answer(200, JSON, ANSWER)
    assert (client.status, client.written) == (200, ANSWER)
    assert slow.stopped
    assert client.ended == "finish"


def test_of_answers_that_cannot_be_read_the_first_bytes_win() -> None:
    site = race()
    client = site.ask()
    site.wait(0.3)
    slow, quick = calls(site)
    coded = [*JSON, (b"content-encoding", b"gzip")]
    slow.head(200, coded)
    quick.head(200, coded)
    assert client.status is None
    slow.body(b"\x1f\x8b")
    assert quick.stopped
    slow.ended()
    assert client.written == b"\x1f\x8b"


def test_the_winner_is_who_the_answer_names() -> None:
    site = race(debug_headers=True)
    client, slow, quick = raced(site)
    quick.head(200, SSE)
    slow.head(200, SSE)
    slow.body(WHOLE)
    slow.ended()
    fields = dict(client.answer)
    assert fields[b"x-aigw-instance"] == b"a"
    assert site.record.attempts[1].outcome is Outcome.HEDGED


def test_what_was_asked_of_the_winner_is_recorded() -> None:
    several = (
        instance("a", options={"model": "ma"}),
        instance("b", options={"model": "mb"}),
    )
    site = many(*several, hedge=Hedge(0.2, 1))
    client, slow, _ = raced(site)
    slow.head(200, SSE)
    slow.body(WHOLE)
    slow.ended()
    assert client.ended == "finish"
    assert site.record.model == "ma"


def test_a_slow_client_pauses_the_winner() -> None:
    site = race()
    client, slow, quick = raced(site)
    client.fill()
    quick.head(200, SSE)
    quick.body(ROLE + HELLO)
    assert quick.paused
    client.empty()
    assert not quick.paused
    quick.body(STOP + DONE)
    quick.ended()
    assert client.written == WHOLE
    assert slow.stopped


# -- who fails


@pytest.mark.parametrize("how", sorted(STREAM_FAILURES))
@pytest.mark.parametrize("who", [0, 1])
def test_who_fails_leaves_the_race_to_the_other(how: str, who: int) -> None:
    site = race()
    client, *both = raced(site)
    STREAM_FAILURES[how](both[who])
    assert client.status is None
    assert len(calls(site)) == 2
    other = both[1 - who]
    other.head(200, SSE)
    other.body(WHOLE)
    other.ended()
    assert client.written == WHOLE
    assert client.ended == "finish"
    assert site.record.outcome is Outcome.COMPLETED
    assert taken(site) == [0, 0]
    outcomes = [each.outcome for each in site.record.attempts]
    assert outcomes[1 - who] is Outcome.COMPLETED
    assert outcomes[who] in (Outcome.FAILED, Outcome.BROKEN, Outcome.LIMIT)


def test_a_refusal_of_the_request_waits_for_the_other_too() -> None:
    site = race()
    client, one, other = raced(site)
    one.answer(400, JSON, BOOM)
    assert client.status is None
    other.head(200, SSE)
    other.body(WHOLE)
    other.ended()
    assert client.written == WHOLE


def test_an_error_that_nothing_may_follow_is_passed_on_by_the_last() -> None:
    site = race(statuses=frozenset())
    client, one, other = raced(site)
    one.answer(500, JSON, b'{"error":{"message":"one"}}')
    other.answer(500, JSON, b'{"error":{"message":"other"}}')
    assert client.status == 500
    assert error_of(client.written) == {"message": "other"}
    assert [each.status for each in site.record.attempts] == [500, 500]


def test_when_all_have_failed_the_plan_goes_on() -> None:
    site = race("a", "b", "c")
    client, one, other = raced(site)
    one.answer(503, JSON, BOOM)
    assert hosts(site) == ["a", "b"]
    other.failed(ConnectFailed("no", reason="unreachable"))
    assert hosts(site) == ["a", "b", "c"]
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written == WHOLE
    assert kinds(site) == [
        ("a", "failed", "overloaded"),
        ("b", "broken", "unreachable"),
        ("c", "completed", ""),
    ]


def test_all_failing_is_told_as_ever() -> None:
    site = race()
    client, one, other = raced(site)
    wait = (b"retry-after", b"3")
    one.answer(429, [*JSON, wait], BOOM)
    other.answer(429, [*JSON, (b"retry-after", b"9")], BOOM)
    assert client.status == 429
    assert wait in client.answer
    assert error_of(client.written)["message"] == "boom"


def test_the_gateways_own_time_is_told_though_all_fail() -> None:
    site = race()
    _, one, other = raced(site)
    one.answer(500, JSON, BOOM)
    other.answer(500, JSON, BOOM)
    assert site.record.overhead_ms == 0.0


def test_while_an_errors_body_is_read_the_other_decides() -> None:
    site = race("a", "b", "c")
    client, one, other = raced(site)
    one.head(500, JSON)  # its body does not come
    other.answer(500, JSON, BOOM)
    assert hosts(site) == ["a", "b", "c"]
    assert one.stopped
    site.call.head(200, SSE)
    site.call.body(WHOLE)
    site.call.ended()
    assert client.written == WHOLE
    assert [str(each.outcome) for each in site.record.attempts[:2]] == ["failed"] * 2


def test_the_winner_breaking_later_is_told_as_ever() -> None:
    site = race()
    client, one, other = raced(site)
    other.head(200, SSE)
    other.body(ROLE + HELLO)
    other.failed()
    assert client.ended == "cut"
    assert site.record.outcome is Outcome.BROKEN
    assert one.stopped


def test_who_cannot_be_asked_this_does_not_disturb_the_other() -> None:
    # Only a conversation can be said in another dialect, and this is none.
    several = (instance("a"), instance("b", provider="bedrock"))
    site = many(*several, hedge=Hedge(0.2, 1))
    body = msgspec.json.encode({"model": "m", "input": "hi", "store": True})
    client = site.ask(body, target=b"/v1/embeddings")
    site.wait(1)
    assert hosts(site) == ["a"]
    site.call.answer(200, JSON, b"{}")
    assert client.status == 200


# -- ended from outside


def test_the_client_leaving_stops_all() -> None:
    site = race()
    client, one, other = raced(site)
    one.head(200, SSE)
    client.leave()
    assert one.stopped
    assert other.stopped
    assert taken(site) == [0, 0]
    outcomes = {each.outcome for each in site.record.attempts}
    assert outcomes == {Outcome.CLIENT_GONE}
    assert site.record.outcome is Outcome.CLIENT_GONE


def test_the_client_leaving_the_winner_stops_it() -> None:
    site = race()
    client, _, other = raced(site)
    other.head(200, SSE)
    other.body(ROLE + HELLO)
    client.leave()
    assert other.stopped
    assert site.record.outcome is Outcome.CLIENT_GONE
    assert site.record.attempts[0].outcome is Outcome.HEDGED


def test_the_deadline_of_the_whole_ends_all() -> None:
    several = [instance(name, deadlines=Deadlines(total=0.5)) for name in "ab"]
    site = many(*several, hedge=Hedge(0.2, 1))
    client, one, other = raced(site)
    site.wait(0.4)
    assert client.status == 504
    assert one.stopped
    assert other.stopped
    reasons = {(each.outcome, each.reason) for each in site.record.attempts}
    assert reasons == {(Outcome.LIMIT, "total")}


def test_an_attempts_own_deadline_is_its_own() -> None:
    several = (instance("a", deadlines=Deadlines(first_byte=0.4)), instance("b"))
    site = many(*several, hedge=Hedge(0.2, 1))
    client, one, other = raced(site)
    site.wait(0.3)
    assert one.stopped
    assert not other.stopped
    other.head(200, SSE)
    other.body(WHOLE)
    other.ended()
    assert client.written == WHOLE


def test_shutdown_ends_all() -> None:
    site = race()
    client, one, other = raced(site)
    (exchange,) = site.serve.open
    exchange.shut_down()
    assert client.status == 503
    assert one.stopped
    assert other.stopped
    assert site.record.outcome is Outcome.SHUTDOWN


def test_heartbeats_go_on() -> None:
    beating = Streaming(heartbeat=0.3)
    several = [instance(name, streaming=beating) for name in "ab"]
    site = many(*several, hedge=Hedge(0.2, 1))
    client, one, other = raced(site)
    one.head(200, SSE)
    site.wait(0.7)
    pings = client.written
    assert pings.count(b"\n\n") >= 2
    other.head(200, SSE)
    other.body(ROLE + HELLO)
    assert client.written == pings + ROLE + HELLO
    site.wait(0.5)
    assert client.written.count(b"\n\n") > (pings + ROLE + HELLO).count(b"\n\n")
    other.body(STOP + DONE)
    other.ended()
    assert client.ended == "finish"
    assert site.record.sent == len(client.written)


def test_no_heartbeat_begins_a_stream_where_json_may_be_on_its_way() -> None:
    beating = Streaming(heartbeat=0.5)
    several = [instance(name, streaming=beating) for name in "ab"]
    site = many(*several, hedge=Hedge(0.2, 1))
    client = site.ask(STREAM)
    site.call.head(200, JSON)
    site.wait(2)
    one, other = calls(site)
    assert client.status is None
    one.body(ANSWER)
    one.ended()
    assert client.written == ANSWER
    assert dict(client.answer)[b"content-type"] == b"application/json"
    assert other.stopped


def test_an_instance_that_is_always_outrun_is_known_to_be_slow() -> None:
    site = race(balancer="ewma")
    for _ in range(30):
        site.ask(STREAM)
        for call in list(calls(site)):
            if call.outbound.origin.host == "b.test" and not call.done:
                call.head(200, SSE)
                call.body(WHOLE)
                call.ended()
        site.wait(0.3)
        for call in list(calls(site)):
            if call.outbound.origin.host == "b.test" and not call.done:
                call.head(200, SSE)
                call.body(WHOLE)
                call.ended()
    first = [record.attempts[0].instance for record in site.kept.records]
    assert first.count("a") < 10
