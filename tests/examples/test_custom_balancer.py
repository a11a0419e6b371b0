"""The example balancer runs, keeps the interface, and is found by its name."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from aigw.testing.balancer import check_balancer

from .test_custom_framing import ROOT, python

EXAMPLE = ROOT / "examples" / "custom_balancer.py"

SCRIPT = """
from twisted.internet.task import Clock
from aigw.extensions import Extensions
from aigw.routing.clusters import Clusters

extensions = Extensions(Clock())
settings = extensions.load(b'''
routes:
- uri: /v1/*
  plugins:
    ai-proxy-multi:
      balancer: {algorithm: in-turn}
      instances:
      - {name: a, provider: openai, auth: {}, weight: 9}
      - {name: b, provider: openai, auth: {}, weight: 1}
''', {})
clusters = Clusters(extensions.balancers)
clusters.use(settings.routes)
(cluster,) = clusters
print(*(cluster.choose(cluster.route.instances, "", 0.0).name for _ in range(4)))
"""


def test_it_keeps_the_interface() -> None:
    check_balancer(runpy.run_path(str(EXAMPLE))["InTurn"])


@pytest.mark.process
def test_it_prints_what_its_first_lines_promise() -> None:
    assert python(str(EXAMPLE), path=[ROOT]) == "a b c a b c\n"


@pytest.mark.process
def test_copied_into_aigw_plugins_it_can_be_named_in_a_route(tmp_path: Path) -> None:
    plugins = tmp_path / "aigw" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(EXAMPLE, plugins / "in_turn.py")
    assert python("-c", SCRIPT, path=[ROOT, tmp_path]) == "a b a b\n"
