"""Third parties' makers: found once, by name, and held to what they say they make."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.plugin import IPlugin
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

import aigw.plugins
from aigw.errors import ConfigError
from aigw.framing import SSE
from aigw.interfaces import IDialect, IFraming, IMaker
from aigw.makers import Makers, discover

CLOCK = Clock()


@implementer(IMaker)
class Maker:
    """Makes what it is told to, and remembers what it was told."""

    def __init__(
        self, name: str, product: object = None, makes: InterfaceClass = IFraming
    ) -> None:
        self.name = name
        self.makes = makes
        self.product = product
        self.told: list[tuple[Mapping[str, Any], IReactorTime]] = []

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        self.told.append((settings, clock))
        if isinstance(self.product, Exception):
            raise self.product
        return self.product


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory in which makers are looked for."""
    monkeypatch.setattr(aigw.plugins, "__path__", [str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("aigw.plugins."):
            del sys.modules[name]
            vars(aigw.plugins).pop(name.rpartition(".")[2], None)


PLUGIN = """
from zope.interface import implementer
from aigw.framing import SSE
from aigw.interfaces import IFraming, IMaker

@implementer(IMaker)
class Maker:
    name = {name!r}
    makes = IFraming

    def make(self, settings, clock):
        return SSE()

maker = Maker()
"""

# A maker in this module, for dotted paths.
here = Maker("here", SSE())
nothing = object()


def test_a_maker_is_a_plugin_without_saying_so() -> None:
    assert IPlugin.providedBy(here)


def test_makers_dropped_into_aigw_plugins_are_found(plugins: Path) -> None:
    (plugins / "acme.py").write_text(PLUGIN.format(name="acme"))
    makers = discover([Maker("given", SSE())])
    assert makers.names(IFraming) == ["acme", "given"]
    assert makers.names(IDialect) == []
    assert IFraming.providedBy(makers.make(IFraming, "acme", {}, CLOCK))


def test_a_plugin_that_cannot_be_imported_is_logged_and_then_missed(
    plugins: Path, logged_failures: list[Any]
) -> None:
    (plugins / "broken.py").write_text("import a_module_that_is_not_there")
    (plugins / "acme.py").write_text(PLUGIN.format(name="acme"))
    with pytest.raises(
        ConfigError, match="framing 'broken': no maker; there are: acme"
    ):
        discover().make(IFraming, "broken", {}, CLOCK)
    assert len(logged_failures) == 1
    logged_failures.clear()


def test_settings_and_clock_reach_the_maker() -> None:
    product = SSE()
    maker = Maker("mine", product)
    settings = {"a": 1}
    assert Makers([maker]).make(IFraming, "mine", settings, CLOCK) is product
    assert maker.told == [(settings, CLOCK)]


def test_an_unknown_name_is_refused_with_the_names_that_exist() -> None:
    makers = Makers([Maker("b"), Maker("a"), Maker("c", makes=IDialect)])
    with pytest.raises(ConfigError, match=r"no maker; there are: a, b$"):
        makers.find(IFraming, "x")
    with pytest.raises(ConfigError, match="framing 'x': no maker; there are: none"):
        Makers().find(IFraming, "x")


def test_two_makers_of_a_name_are_refused_when_it_is_asked_for() -> None:
    makers = Makers([Maker("a", SSE()), Maker("a", SSE()), Maker("b", SSE())])
    assert makers.make(IFraming, "b", {}, CLOCK)
    with pytest.raises(ConfigError, match=r"'a'.*test_makers\.Maker and"):
        makers.find(IFraming, "a")
    with pytest.raises(ConfigError, match="'a'"):
        makers.every(IFraming, CLOCK)


def test_one_name_may_stand_for_things_of_two_kinds() -> None:
    framing, dialect = Maker("a"), Maker("a", makes=IDialect)
    makers = Makers([framing, dialect])
    assert makers.find(IFraming, "a") is framing
    assert makers.find(IDialect, "a") is dialect


def test_one_maker_found_twice_counts_once() -> None:
    maker = Maker("a", SSE())
    assert Makers([maker, maker]).find(IFraming, "a") is maker


def test_every_makes_one_of_each() -> None:
    products = [SSE(), SSE()]
    makers = Makers([Maker("a", products[0]), Maker("b", products[1])])
    assert makers.every(IFraming, CLOCK) == products
    assert makers.every(IDialect, CLOCK) == []


def test_a_dotted_path_names_a_maker_that_was_not_found() -> None:
    assert Makers().find(IFraming, "tests.test_makers:here") is here


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (":here", "not of the form package.module:object"),
        ("tests.test_makers:", "not of the form package.module:object"),
        ("tests.test_makers:absent", "cannot be imported"),
        ("tests.absent:here", "cannot be imported"),
        ("tests.test_makers:nothing", "IMaker"),
    ],
)
def test_a_dotted_path_that_leads_nowhere_is_refused(path: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Makers().find(IFraming, path)


def test_a_dotted_path_to_a_maker_of_something_else_is_refused() -> None:
    with pytest.raises(ConfigError, match="makes IFraming; IDialect is wanted"):
        Makers().find(IDialect, "tests.test_makers:here")


def test_a_product_that_does_not_provide_its_interface_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"framing 'a' of tests\.test_makers\.Maker"):
        Makers([Maker("a", object())]).make(IFraming, "a", {}, CLOCK)


def test_what_a_maker_raises_names_the_maker() -> None:
    makers = Makers([Maker("a", ValueError("odd")), Maker("b", ConfigError(["own"]))])
    with pytest.raises(ConfigError, match=r"'a' of .*ValueError\('odd'\)"):
        makers.make(IFraming, "a", {}, CLOCK)
    with pytest.raises(ConfigError, match=r"^own$"):
        makers.make(IFraming, "b", {}, CLOCK)


def test_an_object_that_is_no_maker_is_refused() -> None:
    with pytest.raises(ConfigError, match="IMaker"):
        Makers([nothing])  # type: ignore[list-item]  # the point of it
