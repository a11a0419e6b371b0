"""The example ranker runs, keeps the interface, and is found by its name."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from aigw.interfaces import IRanker
from aigw.model.instance import Instance
from aigw.testing.ranker import check_ranker

from .test_custom_framing import ROOT, python

EXAMPLE = ROOT / "examples" / "custom_ranker.py"

SCRIPT = """
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from aigw.errors import ConfigError
from aigw.extensions import Extensions
from aigw.routing.clusters import Clusters

FILE = '''
routes:
- uri: /v1/*
  plugins:
    ai-proxy-multi:
      balancer: {algorithm: semantic}
      semantic_opts: {ranker: %s, settings: {ignore: [the]}}
      instances:
      - {name: a, provider: openai, auth: {}, weight: 1, examples: [the moon]}
      - {name: b, provider: openai, auth: {}, weight: 1, examples: [the sun]}
'''
extensions = Extensions(Clock())
settings = extensions.load((FILE % "words").encode(), {})
clusters = Clusters(extensions.balancers, rankers=extensions.rankers)
clusters.use(settings.routes)
(cluster,) = clusters
told = Deferred.fromCoroutine(cluster.ranker.rank("the sun"))
print(*(f"{one.name} {score}" for one, score in told.result.items()))
try:
    extensions.load((FILE % "verses").encode(), {})
except ConfigError as error:
    print(error)
"""


class Rig:
    instances: Sequence[Instance] = (
        Instance("a", "openai", examples=("one", "two")),
        Instance("b", "openai"),
    )

    def __init__(self) -> None:
        self.ranker: IRanker = runpy.run_path(str(EXAMPLE))["Words"]()

    def settle(self) -> None:
        """Nobody is called."""

    def fail(self) -> None:
        """Nobody is called."""


def test_it_keeps_the_interface() -> None:
    check_ranker(Rig)


@pytest.mark.process
def test_it_prints_what_its_first_lines_promise() -> None:
    assert python(str(EXAMPLE), path=[ROOT]) == "coder 0.67\npoet 0.00\n"


@pytest.mark.process
def test_copied_into_aigw_plugins_it_can_be_named_in_a_route(tmp_path: Path) -> None:
    plugins = tmp_path / "aigw" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(EXAMPLE, plugins / "words.py")
    told = python("-c", SCRIPT, path=[ROOT, tmp_path]).splitlines()
    assert told[0] == "a 0.0 b 1.0"
    assert "no ranker 'verses'; there are: words" in told[1]
