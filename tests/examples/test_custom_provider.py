"""The example provider runs, keeps the promises, and is found as a plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from aigw.model.instance import Instance
from aigw.testing.provider import check_provider

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom_provider.py"


def python(*arguments: str, path: list[Path]) -> str:
    """What a Python process with ``path`` prints."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout


@pytest.fixture
def example() -> ModuleType:
    spec = spec_from_file_location("custom_provider", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_keeps_the_promises_of_a_provider(example: ModuleType) -> None:
    somewhere = Instance("eu", "acme", provider_conf={"region": "eu-1"})
    check_provider(example.Acme(), [somewhere])


@pytest.mark.process
def test_it_prints_what_its_first_lines_promise(example: ModuleType) -> None:
    printed = python(str(EXAMPLE), path=[ROOT])
    promised = (example.__doc__ or "").split("custom_provider.py\n")[1]
    assert printed.split("\n")[:-1] == [
        line.strip() for line in promised.strip().split("\n")
    ]


@pytest.mark.process
def test_copied_into_aigw_plugins_routes_may_name_it(
    example: ModuleType, tmp_path: Path
) -> None:
    plugins = tmp_path / "aigw" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(EXAMPLE, plugins / "acme.py")
    config = tmp_path / "aigw.yaml"
    config.write_bytes(example.CONFIG)
    arguments = ["-m", "twisted", "aigw", "--config", str(config), "--check"]
    shown = python(*arguments, "--print", path=[ROOT, tmp_path])
    assert "provider: acme" in shown
    with pytest.raises(subprocess.CalledProcessError) as refused:
        python(*arguments, path=[ROOT])
    assert "provider: found 'acme'" in refused.value.stderr
