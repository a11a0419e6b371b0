"""Semantic routing: what is asked decides who is asked, and no trouble stops it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.errors import ConfigError, ConnectFailed
from aigw.interfaces import IRanker
from aigw.model.headers import first
from aigw.model.instance import Deadlines, Endpoint, Instance
from aigw.model.outbound import Origin
from aigw.model.outcome import Outcome
from aigw.model.policy import Policy
from aigw.model.route import Route
from aigw.model.semantic import Embedding, Semantic
from aigw.routing.rank import KEPT, SemanticRanker
from aigw.streaming.timers import Wheel
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall, MemoryUpstream

from .site import JSON, Site
from .test_serve import ANSWER

#: Texts and their vectors.
VECTORS = {
    "write python": [1.0, 0.0, 0.0],
    "fix my code": [0.9, 0.1, 0.0],
    "tell a joke": [0.0, 1.0, 0.0],
    "a poem": [0.0, 0.9, 0.1],
    "weather": [0.0, 0.0, 1.0],
    "odd": [0.1, 0.1, -1.0],
}

EMBEDDING = Embedding(
    Origin("https", "embed.test", 443),
    b"/v1/embeddings?x=y",
    "small",
    ((b"authorization", b"Bearer e"),),
    timeout=1.0,
)


def instance(name: str, *examples: str, **fields: Any) -> Instance:
    return Instance(
        name=name,
        provider="openai-compatible",
        endpoint=Endpoint("http", f"{name}.test", 80),
        examples=examples,
        **fields,
    )


class Ranked(Site):
    """A site with a coder, a poet and a fallback; embeddings answer by ``VECTORS``."""

    def __init__(
        self,
        statuses: frozenset[int] = frozenset(),
        deadlines: Deadlines = Deadlines(),  # noqa: B008
        **fields: Any,
    ) -> None:
        semantic = Semantic(
            EMBEDDING, **{"threshold": 0.5, "debugging": True, **fields}
        )
        super().__init__(
            Route(
                "ranked",
                ("/v1/*",),
                (
                    instance("plain", "weather", deadlines=deadlines),
                    instance(
                        "coder", "write python", "fix my code", deadlines=deadlines
                    ),
                    instance("poet", "tell a joke", "a poem", deadlines=deadlines),
                ),
                policy=Policy("semantic", semantic=semantic, statuses=statuses),
            )
        )
        self.embeddings: list[list[str]] = []
        self.embed: Callable[[MemoryCall, list[str]], None] = vectors

    def say(self, text: str) -> MemoryDownstream:
        """A request that says ``text``; embeddings are answered."""
        body = {"model": "m", "messages": [{"role": "user", "content": text}]}
        client = self.ask(json.dumps(body).encode())
        self.answer()
        return client

    def answer(self) -> None:
        """Answer calls for embeddings as long as there are new ones."""
        while self.upstream.calls:
            call = self.call
            if call.done or call.outbound.origin.host != "embed.test":
                return
            texts = json.loads(call.outbound.body)["input"]
            self.embeddings.append(texts)
            self.embed(call, texts)
            if not call.done:
                return

    @property
    def asked(self) -> str:
        """Who was asked last."""
        return self.call.outbound.origin.host.split(".")[0]


def vectors(call: MemoryCall, texts: list[str]) -> None:
    data = [
        {"index": index, "embedding": VECTORS[text]} for index, text in enumerate(texts)
    ]
    call.answer(200, JSON, json.dumps({"data": data[::-1]}).encode())


@pytest.mark.parametrize(
    ("text", "name"),
    [("write python", "coder"), ("a poem", "poet"), ("weather", "plain")],
)
def test_the_most_alike_is_asked(text: str, name: str) -> None:
    site = Ranked()
    client = site.say(text)
    assert site.asked == name
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    assert first(client.answer, b"x-ai-semantic-picked-instance") == name.encode()
    scores = first(client.answer, b"x-ai-semantic-scores") or b""
    assert scores.startswith(name.encode() + b":1.0000,")


def test_examples_are_embedded_in_one_call_and_kept_for_an_hour() -> None:
    site = Ranked()
    site.say("odd")
    examples = [
        "weather", "write python", "fix my code", "tell a joke", "a poem"
    ]  # fmt: skip
    assert site.embeddings == [examples, ["odd"]]
    site.say("a poem")
    assert site.embeddings[2:] == [["a poem"]]
    site.clock.advance(KEPT)
    site.say("a poem")
    assert site.embeddings[3:] == [examples, ["a poem"]]


def test_a_query_seen_before_is_not_embedded_again() -> None:
    site = Ranked()
    for _ in range(3):
        site.say("a poem")
        site.call.answer(200, JSON, ANSWER)
    assert len(site.embeddings) == 2


def test_queries_are_kept_in_little_memory() -> None:
    clock = Clock()
    upstream = MemoryUpstream(clock)
    ranker = SemanticRanker(upstream, Wheel(clock), EMBEDDING)
    ranker.use([instance("plain", "weather")])
    numbers = [1.0] * 1000

    def answer(call: MemoryCall) -> None:
        data = {"data": [{"index": 0, "embedding": numbers}]}
        call.answer(200, JSON, json.dumps(data).encode())
        upstream.calls.clear()

    def ask(text: str) -> None:
        ranking = Deferred.fromCoroutine(ranker.rank(text))
        while not ranking.called:
            clock.advance(0)

    upstream.respond = answer
    ask("first")
    tracemalloc.start()
    try:
        for number in range(20):
            ask(f"{number} {'x' * 10_000}")
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 20 * 10_000


def test_what_is_sent_is_what_is_configured_and_nothing_of_the_clients() -> None:
    site = Ranked()
    site.embed = lambda call, texts: None
    site.say("odd")
    outbound = site.call.outbound
    assert (outbound.method, outbound.target) == ("POST", b"/v1/embeddings?x=y")
    assert outbound.headers == [
        (b"authorization", b"Bearer e"),
        (b"content-type", b"application/json"),
    ]
    assert json.loads(outbound.body)["model"] == "small"
    site.wait(1.2)


def test_requests_that_come_together_wait_for_one_call() -> None:
    site = Ranked()
    site.embed = lambda call, texts: None
    clients = [site.say("a poem") for _ in range(3)]
    assert len(site.upstream.calls) == 1
    clients[0].leave()
    assert site.record.outcome is Outcome.CLIENT_GONE
    assert not site.call.stopped  # the others still want it
    site.embed = vectors
    site.answer()
    while any(not c.done for c in site.upstream.calls):
        call = next(c for c in site.upstream.calls if not c.done)
        if call.outbound.origin.host == "embed.test":
            vectors(call, json.loads(call.outbound.body)["input"])
        else:
            assert call.outbound.origin.host == "poet.test"
            call.answer(200, JSON, ANSWER)
    assert [client.ended for client in clients] == [None, "finish", "finish"]


# -- it fails open


def bad(status: int, body: bytes) -> Callable[[MemoryCall, list[str]], None]:
    return lambda call, texts: call.answer(status, JSON, body)


def bad_query(body: Callable[[], dict[str, Any]]) -> Any:
    def embed(call: MemoryCall, texts: list[str]) -> None:
        if len(texts) > 1:
            vectors(call, texts)
        else:
            call.answer(200, JSON, json.dumps(body()).encode())

    return embed


TROUBLE = {
    "status": bad(500, b'{"secret":"never logged"}'),
    "no json": bad(200, b"hm"),
    "scalar": bad(200, b"7"),
    "refused": lambda call, texts: call.failed(
        ConnectFailed("no connection", reason="refused")
    ),
    "dimensions": bad_query(lambda: {"data": [{"index": 0, "embedding": [1.0]}]}),
    "index": bad_query(lambda: {"data": [{"index": 4, "embedding": [1, 0, 0]}]}),
    "zero": bad_query(lambda: {"data": [{"index": 0, "embedding": [0, 0, 0]}]}),
}


@pytest.mark.parametrize("fallback", [None, "poet"])
@pytest.mark.parametrize("how", sorted(TROUBLE))
def test_whatever_goes_wrong_the_fallback_serves(
    how: str, fallback: str | None
) -> None:
    site = Ranked(fallback=fallback)
    site.embed = TROUBLE[how]
    client = site.say("write python")
    assert site.asked == (fallback or "plain")
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    assert first(client.answer, b"x-ai-semantic-picked-instance") == b"fallback"


def test_a_call_that_takes_too_long_is_given_up() -> None:
    site = Ranked()
    site.embed = lambda call, texts: None
    site.say("write python")
    assert site.asked == "embed"
    site.wait(1.2)
    assert site.asked == "plain"
    assert site.upstream.calls[0].stopped


def test_a_failure_is_not_kept() -> None:
    site = Ranked()
    site.embed = TROUBLE["status"]
    site.say("write python")
    assert site.asked == "plain"
    site.embed = vectors
    site.say("write python")
    assert site.asked == "coder"


def test_nothing_over_the_threshold_is_served_by_the_fallback() -> None:
    site = Ranked(fallback="poet")
    client = site.say("odd")
    assert site.asked == "poet"
    site.call.answer(200, JSON, ANSWER)
    assert first(client.answer, b"x-ai-semantic-picked-instance") == b"fallback"


def test_a_request_without_a_user_message_asks_for_no_embeddings() -> None:
    site = Ranked()
    site.ask(b'{"model":"m","messages":[{"role":"system","content":"x"}]}')
    assert site.asked == "plain"


def test_without_debugging_nothing_is_told() -> None:
    site = Ranked(debugging=False)
    client = site.say("a poem")
    site.call.answer(200, JSON, ANSWER)
    assert first(client.answer, b"x-ai-semantic-scores") is None


def test_a_client_that_leaves_while_its_query_is_embedded_ends_the_call() -> None:
    site = Ranked()
    site.embed = bad_query(dict)
    site.say("odd")
    site.embed = lambda call, texts: None
    client = site.say("a poem")
    client.leave()
    assert site.call.stopped


def test_the_deadline_of_the_whole_ends_a_ranking() -> None:
    site = Ranked(deadlines=Deadlines(total=0.3))
    site.embed = bad_query(dict)
    site.say("odd")
    site.call.answer(200, JSON, ANSWER)
    site.embed = lambda call, texts: None
    client = site.say("a poem")
    site.wait(0.5)
    assert client.status == 504
    assert site.call.stopped
    assert site.kept.records[-1].reason == "total"


# -- and what comes after


def test_a_failure_moves_to_the_next_most_alike() -> None:
    site = Ranked(statuses=frozenset({500}), threshold=-1.0)
    client = site.say("fix my code")
    assert site.asked == "coder"
    site.call.answer(500, JSON, b"{}")
    assert site.asked == "poet"
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


def test_an_unhealthy_instance_is_passed_over() -> None:
    site = Ranked()
    (cluster,) = site.clusters
    for standing in cluster.standings.values():
        standing.healthy = standing.instance.name != "coder"
    site.say("write python")
    assert site.asked == "plain"


# -- a third party's ranker


@implementer(IRanker)
class ByName:
    """Likes the instance that the text names; the text ``bug`` is one."""

    def use(self, instances: Sequence[Instance]) -> None:
        self.instances = instances

    async def rank(self, text: str) -> Mapping[Instance, float]:
        if text == "bug":
            raise KeyError(text)
        if text == "cancelled":  # something of its own, by itself
            raise CancelledError
        return {one: float(one.name == text) for one in self.instances}


def by_name() -> Site:
    semantic = Semantic(None, 0.5, "b", ranker="by-name", settings={"x": 1})
    policy = Policy("semantic", semantic=semantic)
    several = (instance("a"), instance("b"), instance("c"))
    made: list[Mapping[str, Any]] = []

    def make(settings: Mapping[str, Any]) -> IRanker:
        made.append(settings)
        return ByName()

    site = Site(
        Route("ranked", ("/v1/*",), several, policy=policy), rankers={"by-name": make}
    )
    assert made == [{"x": 1}]
    return site


@pytest.mark.parametrize(("text", "host"), [("c", "c"), ("a", "a"), ("x", "b")])
def test_a_third_partys_ranker_decides(text: str, host: str) -> None:
    site = by_name()
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    site.ask(json.dumps(body).encode())
    assert site.call.outbound.origin.host == f"{host}.test"
    site.call.answer(200, JSON, ANSWER)
    assert site.record.outcome is Outcome.COMPLETED


def test_a_mistake_in_a_ranker_costs_ranks_and_not_the_answer(
    logged_failures: list[Failure],
) -> None:
    site = by_name()
    body = {"model": "m", "messages": [{"role": "user", "content": "bug"}]}
    site.ask(json.dumps(body).encode())
    assert site.call.outbound.origin.host == "b.test"
    site.call.answer(200, JSON, ANSWER)
    assert site.record.outcome is Outcome.COMPLETED
    (failure,) = logged_failures
    assert failure.check(KeyError)
    logged_failures.clear()


def test_a_ranker_that_cancels_itself_costs_ranks_and_not_the_answer() -> None:
    site = by_name()
    body = {"model": "m", "messages": [{"role": "user", "content": "cancelled"}]}
    client = site.ask(json.dumps(body).encode())
    assert site.call.outbound.origin.host == "b.test"
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER


def test_a_ranker_that_is_not_there_is_refused() -> None:
    semantic = Semantic(None, ranker="by-name")
    route = Route("r", ("/v1/*",), (instance("a"),), policy=Policy(semantic=semantic))
    with pytest.raises(ConfigError, match="no ranker 'by-name'; there are: none"):
        Site(route)
