"""The semantic ranker keeps the promises, and broken ones are found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import pytest
from twisted.internet.task import Clock
from zope.interface import implementer

from aigw.errors import RankingFailed, UpstreamBroke
from aigw.interfaces import IRanker
from aigw.model.instance import Instance
from aigw.model.outbound import Origin
from aigw.model.semantic import Embedding
from aigw.routing.rank import SemanticRanker
from aigw.streaming.timers import Wheel
from aigw.testing.ranker import check_ranker
from aigw.testing.upstream import MemoryUpstream

INSTANCES = [
    Instance("a", "openai", examples=("one", "two")),
    Instance("b", "openai", examples=("three",)),
]
EMBEDDING = Embedding(Origin("https", "embed.test", 443), b"/v1/embeddings", "small")


class SemanticRig:
    """A semantic ranker whose embeddings the test answers."""

    instances: Sequence[Instance] = INSTANCES

    def __init__(self) -> None:
        self.clock = Clock()
        self.upstream = MemoryUpstream(self.clock)
        self.ranker: IRanker = SemanticRanker(
            self.upstream, Wheel(self.clock), EMBEDDING
        )

    def settle(self) -> None:
        for call in self.upstream.calls:  # more come while it is answered
            if call.done:
                continue
            texts = json.loads(call.outbound.body)["input"]
            data = [
                {"index": at, "embedding": [1.0, float(len(text))]}
                for at, text in enumerate(texts)
            ]
            call.answer(200, [], json.dumps({"data": data}).encode())

    def fail(self) -> None:
        for call in self.upstream.calls:
            if not call.done:
                call.failed(UpstreamBroke("it broke off"))


def test_the_semantic_ranker_keeps_the_promises() -> None:
    check_ranker(SemanticRig)


@implementer(IRanker)
class Plain:
    """Keeps them; what is below breaks one promise each."""

    def use(self, instances: Sequence[Instance]) -> None:
        """It knows them all."""

    async def rank(self, text: str) -> Mapping[Instance, float]:
        return {one: 0.5 for one in INSTANCES}


class ScoresStrangers(Plain):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        return {Instance("c", "openai"): 1.0}


class ScoresNobody(Plain):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        return {}


class ScoresNaN(Plain):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        return {INSTANCES[0]: float("nan")}


class Refuses(Plain):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        if len(text) > 1000:
            raise RankingFailed("too long")
        return await super().rank(text)


class PlainRig:
    instances: Sequence[Instance] = INSTANCES

    def __init__(self, kind: Callable[[], IRanker]) -> None:
        self.ranker = kind()

    def settle(self) -> None:
        """Nobody is called."""

    def fail(self) -> None:
        """Nobody is called."""


class Raises(SemanticRanker):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        try:
            return await super().rank(text)
        except RankingFailed as error:
            raise ValueError("it failed") from error


class TellsTheText(SemanticRanker):
    async def rank(self, text: str) -> Mapping[Instance, float]:
        try:
            return await super().rank(text)
        except RankingFailed as error:
            raise RankingFailed(f"{text[:80]!r} cannot be ranked") from error


class ChangedRig(SemanticRig):
    def __init__(self, kind: type[SemanticRanker]) -> None:
        super().__init__()
        self.ranker = kind(self.upstream, Wheel(self.clock), EMBEDDING)


def test_one_that_calls_nobody_keeps_them_too() -> None:
    check_ranker(lambda: PlainRig(Plain))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (ScoresStrangers, "not to be scored"),
        (ScoresNobody, "no instance has a score"),
        (ScoresNaN, "nan is no score"),
        (Refuses, "no scores"),
    ],
)
def test_a_broken_ranker_is_found_out(kind: Callable[[], IRanker], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_ranker(lambda: PlainRig(kind))


@pytest.mark.parametrize(
    ("kind", "why"),
    [(Raises, "no RankingFailed"), (TellsTheText, "the request's text is told")],
)
def test_one_that_fails_in_a_wrong_way_is_found_out(
    kind: type[SemanticRanker], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_ranker(lambda: ChangedRig(kind))
