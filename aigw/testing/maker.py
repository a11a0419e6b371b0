"""The promises every ``IMaker`` keeps."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.task import Clock
from zope.interface.exceptions import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

from aigw import interfaces
from aigw.errors import ConfigError
from aigw.interfaces import IMaker


def check_maker(
    maker: IMaker,
    settings: Iterable[Mapping[str, Any]] = ({},),
    *,
    refused: Iterable[Mapping[str, Any]] = (),
) -> list[Any]:
    """
    Hold ``maker`` to what :class:`aigw.interfaces.IMaker` says: it has a name, and of
    settings that are acceptable it makes what it says, as often as it is asked.

    :param settings: mappings that are acceptable.
    :param refused: mappings that are not.
    :returns: what it made of each of ``settings``, to be held to its own interface by
        the check that there is for that.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(IMaker, maker)
    assert isinstance(maker.name, str), "a maker has a name"
    assert maker.name, "a maker has a name"
    assert ":" not in maker.name, f"{maker.name!r} would be taken for a dotted path"
    assert isinstance(maker.makes, InterfaceClass), f"makes {maker.makes!r}: none"
    known = getattr(interfaces, maker.makes.__name__, None)
    assert known is maker.makes, f"{maker.makes.__name__} is no interface of aigw"
    made = [_make(maker, each) for each in settings]
    assert made, "give settings that are acceptable"
    for each in refused:
        _check_refused(maker, each)
    return made


def _make(maker: IMaker, settings: Mapping[str, Any]) -> Any:
    before = copy.deepcopy(settings)
    for _ in range(2):
        clock = Clock()
        try:
            product = maker.make(settings, clock)
        except Exception as error:
            raise AssertionError(f"of {settings!r} it made {error!r}") from error
        assert product is not maker, "a maker is a factory, not the thing itself"
        assert settings == before, "the settings were changed"
        try:
            verifyObject(maker.makes, product)
        except Invalid as error:
            raise AssertionError(f"of {settings!r} it made: {error}") from error
    return product


def _check_refused(maker: IMaker, settings: Mapping[str, Any]) -> None:
    try:
        product = maker.make(settings, Clock())
    except ConfigError as error:
        problems = error.problems
    except Exception as error:
        raise AssertionError(
            f"{settings!r} is refused by {error!r}, which is no ConfigError"
        ) from error
    else:
        raise AssertionError(f"{settings!r} was accepted: {product!r}")
    assert problems, "a refusal says what is wrong"
    assert all(problems), "a refusal says what is wrong"
