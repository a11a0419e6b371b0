"""What made a connection to a provider, let go as soon as it is made."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.base import BaseConnector
from twisted.python.failure import Failure

from .kernel import bottom


class _Uncoupled:
    """Stands where a transport's connector was: there is nobody to tell of its end."""

    def connectionLost(self, reason: Failure) -> None:
        """It tells its factory, which does nothing."""


_UNCOUPLED: Final = _Uncoupled()


def uncouple(wire: Any) -> None:
    """
    Let go of what made the connection. Twisted's client transport, its connector and
    the endpoint's factory hold each other for ever: 1 KB that an open stream does not
    need, and that one which was cut would leave to the collector.

    :param wire: the transport, in ``connectionMade``.
    """
    below = bottom(wire)
    connector = getattr(below, "connector", None)
    if isinstance(connector, BaseConnector):
        below.connector = _UNCOUPLED
        connector.transport = None
        if hasattr(connector.factory, "_connector"):
            connector.factory._connector = None
