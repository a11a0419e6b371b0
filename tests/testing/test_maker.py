"""The makers of the examples keep the promises, and broken ones are found out."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.interfaces import IReactorTime
from zope.interface import Interface, implementer
from zope.interface.interface import InterfaceClass

from aigw.errors import ConfigError
from aigw.framing import SSE
from aigw.interfaces import IFraming, IMaker
from aigw.testing.maker import check_maker

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("example", "name"),
    [
        ("custom_balancer", "in_turn"),
        ("custom_framing", "ndjson"),
        ("custom_provider", "acme"),
        ("custom_ranker", "words"),
    ],
)
def test_a_maker_of_the_examples_keeps_the_promises(example: str, name: str) -> None:
    maker = runpy.run_path(str(EXAMPLES / f"{example}.py"))[name]
    (made,) = check_maker(maker)
    assert maker.makes.providedBy(made)


@implementer(IMaker)
class Maker:
    """Keeps them; what is below breaks one promise each."""

    name = "sse"
    makes: InterfaceClass = IFraming

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        if not settings.keys() <= {"limit"}:
            raise ConfigError([f"{sorted(settings)}: only limit is known"])
        return SSE()


def test_settings_are_accepted_or_refused() -> None:
    made = check_maker(Maker(), [{}, {"limit": 1}], refused=[{"x": 1}])
    assert len(made) == 2


class Nameless(Maker):
    name = ""


class LikeAPath(Maker):
    name = "module:sse"


class OfAnothersInterface(Maker):
    makes = Interface


class MakesSomethingElse(Maker):
    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        return object()


class MakesItself(Maker):
    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        return self


class WorksOnce(Maker):
    def __init__(self) -> None:
        self.made = [SSE()]

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        return self.made.pop()


class ChangesItsSettings(Maker):
    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        settings.setdefault("limit", 1)  # type: ignore[attr-defined]
        return SSE()


class AcceptsAnything(Maker):
    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        return SSE()


class RefusesByKeyError(Maker):
    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        return {"limit": SSE()}[next(iter(settings), "limit")]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Nameless, "has a name"),
        (LikeAPath, "dotted path"),
        (OfAnothersInterface, "no interface of aigw"),
        (MakesSomethingElse, "it made: "),
        (MakesItself, "a factory"),
        (WorksOnce, "it made IndexError"),
        (ChangesItsSettings, "settings were changed"),
        (AcceptsAnything, "was accepted"),
        (RefusesByKeyError, "no ConfigError"),
    ],
)
def test_a_broken_maker_is_found_out(kind: type[Maker], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_maker(kind(), refused=[{"x": 1}])
