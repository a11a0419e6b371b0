"""
Third parties' makers: found once, at start, and asked by name.

In this order: the objects an embedder gives; those in ``aigw.plugins``; and, where the
configuration *file* says ``package.module:object`` instead of a name, that object. A
plugin module that cannot be imported is logged by Twisted and left out, so every name
that the configuration uses must be resolved at start: here a missing one is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.plugin import getPlugins
from zope.interface.exceptions import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

import aigw.plugins
from aigw.errors import ConfigError
from aigw.interfaces.maker import IMaker


class Makers:
    """
    The makers of a process.

    :param makers: in the order they were found; one found twice counts once.
    :raises ConfigError: one does not provide ``IMaker`` as it should.
    """

    def __init__(self, makers: Iterable[IMaker] = ()) -> None:
        self._makers: list[IMaker] = []
        for maker in makers:
            if all(maker is not known for known in self._makers):
                _verify(IMaker, maker, "maker")
                self._makers.append(maker)

    def names(self, makes: InterfaceClass) -> list[str]:
        """The names under which something that provides ``makes`` can be made."""
        return sorted({maker.name for maker in self._of(makes)})

    def find(self, makes: InterfaceClass, name: str) -> IMaker:
        """
        The maker of that name.

        :param makes: the interface of what it makes.
        :param name: its name, or ``package.module:object``.
        :raises ConfigError: there is none, or more than one; the message lists what
            there is.
        """
        if ":" in name:
            return _load(makes, name)
        found = [maker for maker in self._of(makes) if maker.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            places = " and ".join(map(_place, found))
            raise ConfigError([f"{_noun(makes)} {name!r}: made by {places}"])
        known = ", ".join(self.names(makes)) or "none"
        raise ConfigError([f"{_noun(makes)} {name!r}: no maker; there are: {known}"])

    def make(
        self,
        makes: InterfaceClass,
        name: str,
        settings: Mapping[str, Any],
        clock: IReactorTime,
    ) -> Any:
        """
        Make one, and check that it provides ``makes``.

        :param name: as of :meth:`find`.
        :param settings: the configuration's mapping for it.
        :raises ConfigError: as of :meth:`find`; the settings are not acceptable; the
            maker failed, or what it made does not provide ``makes``.
        """
        maker = self.find(makes, name)
        what = f"{_noun(makes)} {name!r} of {_place(maker)}"
        try:
            product = maker.make(settings, clock)
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError([f"{what}: could not be made: {error!r}"]) from error
        _verify(makes, product, what)
        return product

    def every(self, makes: InterfaceClass, clock: IReactorTime) -> list[Any]:
        """
        Make one of each that can be made, with empty settings: for what is not named in
        a configuration, as a framing, which is chosen by the answer's Content-Type.

        :raises ConfigError: as of :meth:`make`.
        """
        return [self.make(makes, name, {}, clock) for name in self.names(makes)]

    def _of(self, makes: InterfaceClass) -> list[IMaker]:
        return [maker for maker in self._makers if maker.makes is makes]


def discover(given: Iterable[IMaker] = ()) -> Makers:
    """
    Look for makers: those ``given`` by an embedder, then those in ``aigw.plugins``.

    Imports third parties' modules and reads their directories: call it once, at start.

    :raises ConfigError: see :class:`Makers`.
    """
    return Makers([*given, *getPlugins(IMaker, aigw.plugins)])


def _load(makes: InterfaceClass, path: str) -> IMaker:
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise ConfigError([f"{path!r}: not of the form package.module:object"])
    try:
        maker: IMaker = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a stranger's module raises at its import
        raise ConfigError([f"{path!r}: cannot be imported: {error!r}"]) from error
    _verify(IMaker, maker, repr(path))
    if maker.makes is not makes:
        raise ConfigError(
            [f"{path!r}: makes {maker.makes.__name__}; {makes.__name__} is wanted"]
        )
    return maker


def _verify(interface: InterfaceClass, candidate: object, what: str) -> None:
    try:
        verifyObject(interface, candidate)
    except Invalid as error:
        why = " ".join(str(error).split())
        raise ConfigError([f"{what}: {why}"]) from error


def _noun(makes: InterfaceClass) -> str:
    """``IFraming`` is spoken of as ``framing``."""
    return str(makes.__name__).removeprefix("I").lower()


def _place(maker: IMaker) -> str:
    kind = type(maker)
    return f"{kind.__module__}.{kind.__qualname__}"
