"""A file edited while the gateway runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aigw.config.load import load
from aigw.config.settings import Settings
from aigw.errors import ConfigError
from aigw.reload import Reload

PROVIDERS = {"openai": "api.openai.com"}


def text(route: str) -> str:
    return (
        f"routes: [{{id: {route}, uri: /a,"
        " plugins: {ai-proxy: {provider: openai, auth: {}}}}]\n"
    )


class Running:
    """A gateway in small: what is in force, and the clock that drives the watching."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.in_force: list[str] = []
        self.refuses: Exception | None = None
        self.held: list[Callable[[], None]] | None = None
        self.reload = Reload(
            path, self.load(path.read_bytes()), self.load, self.swap, self.clock,
            self.in_thread,
        )  # fmt: skip

    def load(self, data: bytes) -> Settings:
        if data == b"bug":
            raise ZeroDivisionError
        return load(data, {}, providers=PROVIDERS, name="gw.yaml")

    def swap(self, settings: Settings) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.in_force.append(settings.routes[0].id)

    def in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        if self.held is None:
            return maybeDeferred(call)
        waiting: Deferred[Any] = Deferred()
        waiting.addCallback(lambda _: call())
        self.held.append(lambda: waiting.callback(None))
        return waiting

    def write(self, content: str) -> None:
        """Replace the file, as an editor does."""
        new = self.path.with_suffix(".new")
        new.write_text(content)
        os.replace(new, self.path)

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.clock.advance(1)


@pytest.fixture
def running(tmp_path: Path) -> Running:
    path = tmp_path / "gw.yaml"
    path.write_text(text("one"))
    made = Running(path)
    made.reload.start()
    return made


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def test_an_unchanged_file_is_left_alone(running: Running) -> None:
    running.look(5)
    assert running.in_force == []
    assert running.reload.version == {
        "version": 1,
        "sha256": digest(text("one")),
        "error": None,
    }


def test_a_changed_file_is_swapped_in_once(running: Running) -> None:
    running.write(text("two"))
    running.look(5)
    assert running.in_force == ["two"]
    assert running.reload.version == {
        "version": 2,
        "sha256": digest(text("two")),
        "error": None,
    }


def test_a_file_still_being_written_is_waited_for(running: Running) -> None:
    running.write(text("half"))
    running.look(1)
    running.write(text("two"))
    running.look(1)
    assert running.in_force == []
    running.look(1)
    assert running.in_force == ["two"]


def test_a_change_between_load_and_start_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(text("one"))
    running = Running(path)
    running.write(text("two"))
    running.reload.start()
    assert running.in_force == ["two"]


def test_a_wrong_file_changes_nothing_and_is_told(running: Running) -> None:
    running.write("routes: 3\n")
    running.look()
    assert running.in_force == []
    version = running.reload.version
    assert version["version"] == 1
    assert version["sha256"] == digest("routes: 3\n")
    assert version["error"] == "gw.yaml: routes: found 3; accepted: list of objects"
    running.write(text("two"))
    running.look()
    assert running.in_force == ["two"]
    assert running.reload.version["error"] is None


def test_a_file_put_right_again_needs_no_swap(running: Running) -> None:
    running.write("")
    running.look()
    assert running.reload.version["error"] == "gw.yaml: the file is empty"
    running.write(text("one"))
    running.look()
    assert running.in_force == []
    assert running.reload.version == {
        "version": 1,
        "sha256": digest(text("one")),
        "error": None,
    }


def test_a_file_that_is_gone_is_told_once_it_stays_away(running: Running) -> None:
    running.path.unlink()
    running.look(4)
    assert running.reload.version["error"] == (
        f"{running.path}: cannot be read: No such file or directory"
    )
    running.write(text("two"))
    running.look()
    assert running.in_force == ["two"]


def test_a_signal_loads_at_once_changed_or_not(running: Running) -> None:
    running.reload.reload()
    running.write(text("two"))
    running.reload.reload()
    assert running.in_force == ["one", "two"]
    assert running.reload.version["version"] == 3
    running.look(3)
    assert running.in_force == ["one", "two"]


def test_settings_that_cannot_be_put_in_force_are_refused(running: Running) -> None:
    running.refuses = ConfigError(["no framing of that name"])
    running.write(text("two"))
    running.look()
    assert running.reload.version == {
        "version": 1,
        "sha256": digest(text("two")),
        "error": "no framing of that name",
    }
    running.refuses = None
    running.reload.reload()
    assert running.in_force == ["two"]


def test_a_mistake_of_ours_does_not_end_the_watching(
    running: Running, logged_failures: list[Failure]
) -> None:
    running.write("bug")
    running.look()
    assert running.reload.version["error"] == (
        f"{running.path}: not loadable: ZeroDivisionError"
    )
    running.refuses = ZeroDivisionError()
    running.write(text("two"))
    running.look()
    assert running.reload.version["error"] == (
        f"{running.path}: not usable: ZeroDivisionError"
    )
    running.refuses = None
    running.write(text("three"))
    running.look()
    assert running.in_force == ["three"]
    assert len(logged_failures) == 2
    for failure in logged_failures:
        failure.trap(ZeroDivisionError)
    logged_failures.clear()


def test_looks_do_not_overtake_each_other(running: Running) -> None:
    running.held = []
    running.write(text("two"))
    running.look(1)
    assert len(running.held) == 1
    running.reload.reload()  # waits for the look under way
    running.look(5)
    assert len(running.held) == 1
    while running.held:
        running.held.pop(0)()
    assert running.in_force == ["two"]
    running.held = None
    running.look(3)
    assert running.in_force == ["two"]


def test_what_is_loaded_when_it_stops_is_forgotten(running: Running) -> None:
    running.write(text("two"))
    running.held = []
    running.reload.reload()
    running.reload.stop()
    running.reload.stop()
    running.held.pop()()
    running.look(5)
    assert running.in_force == []
    assert not running.clock.getDelayedCalls()
