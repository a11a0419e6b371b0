"""Every official client, every upstream, every feature: and the page that tells it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.programs import ROOT

from . import npm
from .features import FEATURES
from .reasons import REASONS
from .results import PASSED, Results, in_page
from .upstreams import UPSTREAMS

pytestmark = pytest.mark.process

PAGE = ROOT / "docs" / "dialects.md"

#: The packages of npm are installed once, which takes its time.
PATIENCE = 600


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Results:
    """What a run gave, its daemon on the reactor under test."""
    path = tmp_path_factory.mktemp("matrix") / "results.json"
    reactor = request.config.getoption("reactor")
    chosen = [] if reactor == "default" else [f"--reactor={reactor}"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.matrix", f"--save={path}", *chosen],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert path.exists(), done.stdout + done.stderr
    return Results.load(path)


def test_every_feature_of_every_pair_holds(results: Results) -> None:
    assert not results.failed()


def test_no_cell_is_empty(results: Results) -> None:
    clients = {client for client, _, _ in results.cells}
    assert len(clients) >= 6
    assert set(results.cells) == {
        (client, upstream.dialect, feature)
        for client in clients
        for upstream in UPSTREAMS
        for feature in FEATURES
    }
    said = {became.removeprefix(PASSED) for became in results.cells.values()}
    assert said == {"", *REASONS}


def test_npm_packages_are_among_the_clients(results: Results) -> None:
    if shutil.which("npm") is None:
        pytest.skip(results.without_npm)
    assert not results.without_npm
    assert npm.version().startswith("v22.")
    assert {
        "npm openai (chat)",
        "npm openai (responses)",
        "npm @anthropic-ai/sdk",
    } <= {client for client, _, _ in results.cells}


def test_page_holds_what_the_run_gave(results: Results) -> None:
    told = in_page(PAGE.read_text())
    lines = told.splitlines()
    for row in results.rows().values():
        assert row in lines, "docs/dialects.md: run `make matrix`"
    if not results.without_npm:
        assert told == results.table(), "docs/dialects.md: run `make matrix`"


def test_versions_of_the_npm_packages_are_pinned_and_no_registry_named() -> None:
    folder = Path(__file__).parent / "npm"
    assert not (folder / "package-lock.json").exists()
    assert not (folder / ".npmrc").exists()
