"""Every interface has a check, which the page names; none needs a test framework."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path

import aigw.testing
from aigw import interfaces

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (`I\w+`(?:, `I\w+`)*) \| `(\w+)\.(\w+)`", re.MULTILINE)
_WORD = re.compile(r"`(\w+)`")

LISTED = [
    (_WORD.findall(names), module, check)
    for names, module, check in _ROW.findall(
        (ROOT / "docs" / "extending.md").read_text().split("has a check\n", 1)[1]
    )
]


def test_the_page_lists_every_interface_once() -> None:
    named = [name for names, _, _ in LISTED for name in names]
    assert sorted(named) == sorted(interfaces.__all__)


def test_every_check_listed_is_there_and_says_what_it_promises() -> None:
    for _, module, check in LISTED:
        found = getattr(import_module(f"aigw.testing.{module}"), check)
        assert callable(found)
        assert found.__doc__, f"{check} has no docstring"


def test_checks_are_imported_without_what_only_tests_need() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options.extras_require"]["test"].split()
    names = [re.split(r"[><=]", each)[0].replace("-", "_") for each in wanted]
    assert "pytest" in names
    modules = [
        f"aigw.testing.{path.stem}"
        for path in Path(aigw.testing.__path__[0]).glob("[!_]*.py")
    ]
    script = (
        "import sys; from importlib import import_module\n"
        f"for name in {names}: sys.modules[name] = None\n"
        f"for name in {modules}: import_module(name)\n"
        "print('twisted.internet.reactor' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout == "False\n", run.stderr
