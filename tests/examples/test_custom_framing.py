"""The example framing runs, keeps the promises, and is found as a plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from aigw.errors import FramingError
from aigw.model.frame import SSEFrame
from aigw.testing.framing import check_framing

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom_framing.py"


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
    spec = spec_from_file_location("custom_framing", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_keeps_the_promises_of_a_framing(example: ModuleType) -> None:
    check_framing(
        example.NDJSON(),
        [SSEFrame(data=b'{"a": 1}'), SSEFrame(data=b"{}")],
        large=SSEFrame(data=b'"' + b"x" * 256 * 1024 + b'"'),
    )


@pytest.mark.parametrize(
    "frame",
    [SSEFrame(), SSEFrame(data=b""), SSEFrame(data=b"1\n2"), SSEFrame("a", b"1")],
)
def test_it_refuses_what_it_cannot_carry(example: ModuleType, frame: SSEFrame) -> None:
    with pytest.raises(FramingError):
        example.NDJSON().encode(frame)


@pytest.mark.process
def test_it_prints_what_its_first_lines_promise(example: ModuleType) -> None:
    printed = python(str(EXAMPLE), path=[ROOT])
    promised = (example.__doc__ or "").split("custom_framing.py\n")[1]
    assert printed.split("\n")[:-1] == [
        line.strip() for line in promised.strip().split("\n")
    ]


@pytest.mark.process
def test_copied_into_aigw_plugins_it_is_found_at_start(tmp_path: Path) -> None:
    plugins = tmp_path / "aigw" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(EXAMPLE, plugins / "ndjson.py")
    script = (
        "from twisted.internet.task import Clock\n"
        "from aigw.framing import Framings\n"
        "from aigw.interfaces import IFraming\n"
        "from aigw.makers import discover\n"
        "framings = Framings(discover().every(IFraming, Clock()))\n"
        "print(type(framings.by_content_type('application/x-ndjson')).__module__)\n"
    )
    printed = python("-c", script, path=[ROOT, tmp_path])
    assert printed == "aigw.plugins.ndjson\n"
