"""examples/failover.yaml is accepted, and is what its comments say."""

from __future__ import annotations

import re
from pathlib import Path

from aigw.config.load import load
from aigw.providers import built_in

FILE = Path(__file__).parents[2] / "examples" / "failover.yaml"


def test_three_providers_stand_behind_one_name() -> None:
    environ = {name: "key" for name in re.findall(r"\$env://(\w+)", FILE.read_text())}
    hosts = {name: provider.host for name, provider in built_in().items()}
    settings = load(str(FILE), environ, providers=hosts)
    assert settings.warnings == ()
    routes = {route.id: route for route in settings.routes}
    smart = routes["model:smart"]
    assert [each.provider for each in smart.instances] == [
        "openai",
        "anthropic",
        "bedrock",
    ]
    assert smart.policy is not None
    assert smart.policy.hedge is not None
    assert {429, 500, 502, 503, 504} <= smart.policy.statuses
    assert [each.check is not None for each in smart.instances] == [True, False, False]
    assert routes["uploads"].instances[0].max_upload == 100_000_000
    assert (settings.server.processes, settings.server.drain_delay) == (2, 5.0)
