"""
A ranker of your own: the instance whose examples share most words with the request.
Nobody is called, so it costs no time. Copy this file into ``aigw/plugins/`` of any
directory on ``sys.path`` and name it in a route::

    balancer: {algorithm: semantic}
    semantic_opts: {ranker: words, threshold: 0.2, settings: {ignore: [the, a]}}

Run alone it prints the scores it gives:

    $ python examples/custom_ranker.py
    coder 0.67
    poet 0.00
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from aigw.errors import ConfigError
from aigw.interfaces import IMaker, IRanker
from aigw.model.instance import Instance


@implementer(IRanker)
class Words:
    """Scores by the part of the request's words that an instance's examples have."""

    def __init__(self, ignore: frozenset[str] = frozenset()) -> None:
        self._ignore = ignore

    def use(self, instances: Sequence[Instance]) -> None:
        self._known = {
            one: set().union(*map(self._words, one.examples)) for one in instances
        }

    async def rank(self, text: str) -> Mapping[Instance, float]:
        asked = self._words(text)
        most = max(1, len(asked))
        return {one: len(asked & known) / most for one, known in self._known.items()}

    def _words(self, text: str) -> set[str]:
        return set(re.findall(r"\w+", text.lower())) - self._ignore


@implementer(IMaker)
class WordsMaker:
    """Makes one for each route that names it."""

    name = "words"
    makes = IRanker

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Words:
        ignore = settings.get("ignore", [])
        if settings.keys() - {"ignore"} or not isinstance(ignore, list):
            raise ConfigError(["words: settings are ignore, a list of words"])
        return Words(frozenset(map(str, ignore)))


words = WordsMaker()


async def main() -> None:
    """Rank two instances."""
    ranker = words.make({"ignore": ["this"]}, None)
    ranker.use(
        [
            Instance(name="coder", provider="openai", examples=("Fix a Python test",)),
            Instance(name="poet", provider="openai", examples=("Write a sonnet",)),
        ]
    )
    for instance, score in (await ranker.rank("fix this failing test")).items():
        print(f"{instance.name} {score:.2f}")


if __name__ == "__main__":
    from twisted.internet.defer import Deferred

    Deferred.fromCoroutine(main())
