"""What the pages say can be typed, loaded or run, is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aigw.config.load import load
from aigw.errors import ConfigError
from aigw.providers import built_in
from tests.process.programs import (
    PATIENCE,
    ROOT,
    answers,
    chat,
    free_port,
    mock_provider,
    program,
    wait_for,
)

from .snippets import PAGES, Snippet, commands, needs_curl, snippets

#: Blocks in these are for the eye alone: trees, diagrams, other programs' files.
_SHOWN = {"", "text"}

#: Pages whose Python and whose commands have tests of their own.
_ELSEWHERE = {
    "embedding.md": ROOT / "tests" / "examples" / "test_embedding_page.py",
    "mock.md": ROOT / "tests" / "mock" / "test_page.py",
}

#: Commands that no test types, by their beginning, and why.
_NOT_TYPED = {
    "make demo": "sets up a venv; tests/test_cli.py runs `aigw demo`",
    "make test": "this is it",
    "make run": "sets up a venv and serves; test_run.py does that",
    "python3 -m venv": "tests/process/test_install.py makes one",
    ". .venv/bin/activate": "changes the shell it is typed in",
    "python -m pip install": "tests/process/test_install.py installs the wheel",
}

#: Commands that serve until they are stopped.
_SERVES = ("aigw mock", "twist aigw --config examples/quickstart.yaml")


def ids(found: list[Snippet]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("snippet", found, ids=str)


def test_every_block_is_in_a_language_that_is_tested() -> None:
    languages = {snippet.language for snippet in snippets()}
    assert languages <= {*_SHOWN, "yaml", "json", "python", "sh", "ini", "console"}
    assert {snippet.page for snippet in snippets("console")} <= {*_ELSEWHERE}
    for test in _ELSEWHERE.values():
        assert test.exists()


def test_no_block_is_left_open() -> None:
    for page in PAGES:
        fences = re.findall(r"^```", page.read_text(), re.MULTILINE)
        assert len(fences) % 2 == 0, page.name


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if "://" in path:
                continue
            found = (page.parent / path).resolve() if path else page
            if not found.exists() or (anchor and anchor not in anchors(found)):
                broken.append(f"{page.name}: {target}")
    assert not broken, "\n".join(broken)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")
        for title in titles
    }


@ids(snippets("yaml"))
def test_a_configuration_is_accepted(snippet: Snippet) -> None:
    hosts = {name: provider.host for name, provider in built_in().items()}
    hosts["acme"] = "api.acme.example"  # of docs/extending.md
    environ = {name: "value" for name in re.findall(r"\$env://(\w+)", snippet.text)}
    try:
        settings = load(snippet.text.encode(), environ, providers=hosts)
    except ConfigError as error:
        raise AssertionError(f"{snippet}: {error}") from error
    unexpected = [each for each in settings.warnings if "routes" not in each]
    assert not unexpected


@ids(snippets("json"))
def test_json_can_be_read(snippet: Snippet) -> None:
    json.loads(snippet.text)


def test_the_python_of_extending_runs() -> None:
    """One block after the other, as a reader would type them."""
    names: dict[str, Any] = {"__name__": "page"}
    found = [each for each in snippets("python") if each.page == "extending.md"]
    assert found
    for snippet in found:
        exec(compile(snippet.text, str(snippet), "exec"), names)
    assert names["ndjson"].make({}, None).decode(b"1\n2\n")


def test_every_python_block_has_its_test() -> None:
    pages = {each.page for each in snippets("python")}
    assert pages <= {*_ELSEWHERE, "extending.md", "getting-started.md"}


# -- what needs a gateway


@dataclass(frozen=True)
class Served:
    """The programs of the quickstart, on ports of their own."""

    provider: int
    port: int
    admin: int
    place: Path

    def moved(self, text: str) -> str:
        """``text`` with its ports, and the quickstart's file, replaced."""
        for shown, real in (
            ("9081", self.provider),
            ("9080", self.port),
            ("9180", self.admin),
        ):
            text = re.sub(rf"\b{shown}\b", str(real), text)
        return text.replace("examples/quickstart.yaml", str(self.config))

    @property
    def config(self) -> Path:
        return self.place / "quickstart.yaml"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("docs")
    with mock_provider(place) as provider:
        served = Served(provider, free_port(), free_port(), place)
        config = served.moved((ROOT / "examples" / "quickstart.yaml").read_text())
        admin = f'\nadmin: {{listen: ["tcp:{served.admin}:interface=127.0.0.1"]}}\n'
        served.config.write_text(config + admin)
        options = ["--config", str(served.config)]
        with program("twisted", "aigw", *options, log=place / "log") as process:
            wait_for(
                lambda: (
                    process.poll() is not None
                    or answers(served.admin, "/healthz/ready")
                ),
                "the gateway",
            )
            assert process.poll() is None, (place / "log").read_text()
            yield served


def shell(command: str, served: Served) -> str:
    """
    What ``command`` prints. In its path are the commands of this project, run from the
    checkout, and a curl that takes errors of HTTP for errors.
    """
    programs = served.place / "bin"
    if not programs.exists():
        programs.mkdir()
        for name, run in (
            ("aigw", "-m aigw.cli"),
            ("twist", "-m twisted"),
            ("python", ""),
        ):
            path = programs / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {run} "$@"\n')
            path.chmod(0o755)
        (served.place / ".curlrc").write_text("fail\nshow-error\nmax-time = 20\n")
    done = subprocess.run(
        ["/bin/sh", "-c", served.moved(command)],
        cwd=ROOT,
        env={
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "CURL_HOME": str(served.place),
            "HOME": str(served.place),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def typed() -> list[Any]:
    """Every command of the pages that ends by itself, once."""
    found: dict[str, str] = {}
    for snippet in snippets("sh"):
        for command in commands(snippet):
            if (
                not command.startswith(tuple(_NOT_TYPED))
                and command.rstrip("& ") not in serving()
            ):
                found.setdefault(command, str(snippet))
    return [pytest.param(command, id=where) for command, where in found.items()]


def serving() -> set[str]:
    """The commands of the pages that serve until they are stopped."""
    every = (command for snippet in snippets("sh") for command in commands(snippet))
    return {
        command.rstrip("& ")
        for command in every
        if command.startswith(_SERVES) and "--check" not in command
    }


@needs_curl
@pytest.mark.process
@pytest.mark.parametrize("command", typed())
def test_a_command_does_what_it_should(command: str, served: Served) -> None:
    said = shell(command, served)
    if '"stream": true' in command:
        assert said.count("data: ") > 3
        assert said.endswith("data: [DONE]\n\n")
    elif command.startswith("curl"):
        assert "error" not in json.loads(said) or json.loads(said)["error"] is None
    elif command.endswith("--print"):
        assert "openai-compatible" in said
    elif command.endswith("--check"):
        assert not said
    else:
        assert said.strip()


@pytest.mark.process
@pytest.mark.parametrize("command", sorted(serving()))
def test_a_command_that_serves_serves(
    command: str, served: Served, tmp_path: Path
) -> None:
    alone = Served(served.provider, free_port(), free_port(), tmp_path)
    name, *options = command.split()
    module = {"aigw": "aigw.cli", "twist": "twisted"}[name]
    if options[0] == "mock":
        alone = Served(alone.port, alone.port, alone.admin, tmp_path)
        where, path = alone.port, "/stats"
    else:
        config = served.config.read_text()
        for old, new in ((served.port, alone.port), (served.admin, alone.admin)):
            config = config.replace(str(old), str(new))
        alone.config.write_text(config)
        where, path = alone.admin, "/healthz/ready"
    arguments = alone.moved(" ".join(options)).split()
    with program(module, *arguments, log=tmp_path / "log") as process:
        wait_for(lambda: process.poll() is not None or answers(where, path), command)
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert chat(alone.port, "mock-n2")[0] == 200
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.mark.process
def test_the_client_of_getting_started_prints_the_answer(served: Served) -> None:
    (snippet,) = [
        each for each in snippets("python") if each.page == "getting-started.md"
    ]
    done = subprocess.run(
        [sys.executable, "-c", served.moved(snippet.text)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 5
