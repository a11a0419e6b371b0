"""examples/quickstart.yaml names the mock provider where `aigw mock` listens."""

from __future__ import annotations

from pathlib import Path

from aigw.cli import MOCK_LISTENS
from aigw.config.load import load
from aigw.providers import built_in

FILE = Path(__file__).parents[2] / "examples" / "quickstart.yaml"


def test_the_quickstart_reaches_the_mock_provider() -> None:
    hosts = {name: provider.host for name, provider in built_in().items()}
    settings = load(str(FILE), {}, providers=hosts)
    (route,) = settings.routes
    assert route.paths == ("/*",)
    (instance,) = route.instances
    assert instance.endpoint is not None
    described = f"tcp:{instance.endpoint.port}:interface={instance.endpoint.host}"
    assert described == MOCK_LISTENS
    assert settings.warnings == ()
