"""The promises every ``IRanker`` keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.errors import RankingFailed
from aigw.interfaces import IRanker
from aigw.model.instance import Instance

#: What a request may ask; the word ``secret`` must not be told by an error.
_TEXTS = ("x", "a secret, 'quoted' \"twice\"\n\x00", "\U0001f600 é", "long " * 20_000)


class RankerRig(Protocol):
    """What :func:`check_ranker` needs: a ranker, and whom it may call."""

    @property
    def ranker(self) -> IRanker:
        """What is checked; nobody has used it yet."""

    @property
    def instances(self) -> Sequence[Instance]:
        """The instances it scores."""

    def settle(self) -> None:
        """Whom it calls answers, until nothing is under way."""

    def fail(self) -> None:
        """Whom it calls fails, where something is under way."""


def check_ranker(make: Callable[[], RankerRig]) -> None:
    """
    Hold a ranker to what :class:`aigw.interfaces.IRanker` says: it scores its own
    instances, fails in one way only, tells nothing of the request when it does, and
    goes on after that and after someone has left.

    :param make: makes a fresh rig for each promise.
    :raises AssertionError: a promise is broken.
    """
    for promise in _PROMISES:
        rig = make()
        verifyObject(IRanker, rig.ranker)
        rig.ranker.use(rig.instances)
        promise(rig)


def _ask(rig: RankerRig, text: str) -> tuple[Deferred[Any], list[Any]]:
    async def rank() -> Mapping[Instance, float]:
        return await rig.ranker.rank(text)

    asking, told = Deferred.fromCoroutine(rank()), list[Any]()
    asking.addBoth(told.append)
    return asking, told


def _scores(rig: RankerRig, text: str) -> None:
    _, told = _ask(rig, text)
    rig.settle()
    _check_scores(rig, told)


def _check_scores(rig: RankerRig, told: list[Any]) -> None:
    assert told, "no scores, although nothing is under way"
    scores = told[0]
    assert not isinstance(scores, Failure), f"no scores: {scores!r}"
    assert isinstance(scores, Mapping), f"scores are a mapping, not {scores!r}"
    assert scores, "no instance has a score"
    for instance, score in scores.items():
        assert instance in rig.instances, f"{instance!r} was not to be scored"
        assert isinstance(score, int | float), f"{score!r} is no score"
        assert math.isfinite(score), f"{score!r} is no score"


def _any_text_is_scored(rig: RankerRig) -> None:
    for text in _TEXTS:
        _scores(rig, text)
        _scores(rig, text)


def _those_who_ask_at_once_are_all_told(rig: RankerRig) -> None:
    asking = [_ask(rig, text)[1] for text in _TEXTS]
    rig.settle()
    for told in asking:
        _check_scores(rig, told)


def _who_leaves_is_told_so_and_nobody_else(rig: RankerRig) -> None:
    leaving, left = _ask(rig, "one")
    _, told = _ask(rig, "another")
    if not left:
        leaving.cancel()
        assert left, "who is cancelled goes on waiting"
        assert isinstance(left[0], Failure), "who is cancelled was told something"
        assert left[0].check(CancelledError), f"who is cancelled was told {left[0]!r}"
    rig.settle()
    _check_scores(rig, told)
    _scores(rig, "one")


def _a_failure_is_one_of_ranking_and_is_not_kept(rig: RankerRig) -> None:
    for text in _TEXTS:
        _, told = _ask(rig, text)
        if not told:
            rig.fail()
            assert told, "whom it called has failed, and nobody was told"
        if isinstance(told[0], Failure):
            error = told[0].value
            assert isinstance(error, RankingFailed), f"{error!r} is no RankingFailed"
            assert str(error), "why there are no scores is not said"
            assert "secret" not in str(error), "the request's text is told"
        _scores(rig, text)


_PROMISES = (
    _any_text_is_scored,
    _those_who_ask_at_once_are_all_told,
    _who_leaves_is_told_so_and_nobody_else,
    _a_failure_is_one_of_ranking_and_is_not_kept,
)
