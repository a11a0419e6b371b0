"""Makers: what a third party registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.plugin import IPlugin
from zope.interface import Attribute
from zope.interface.interface import InterfaceClass


class IMaker(IPlugin):
    """
    Makes a provider of one of aigw's interfaces. A module-level object in
    ``aigw.plugins``, so it must be a factory, never the configured thing itself. Found
    once, at start.

    It is an ``IPlugin``, because Twisted finds no other objects there, and says nothing
    about those it passes over.
    """

    name: str = Attribute("The name configuration uses; unique per interface made.")
    makes: InterfaceClass = Attribute("The interface provided by what is made.")

    def make(settings: Mapping[str, Any], clock: IReactorTime) -> Any:
        """
        Make one.

        :param settings: the configuration's mapping for it, often empty.
        :raises ConfigError: the settings are not acceptable.
        """
