"""``reuse:9080``: an endpoint description for TCP with SO_REUSEPORT (socket(7))."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import (
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer


@implementer(IPlugin, IStreamServerEndpointStringParser)
class Reuse:
    """
    Lets several processes, started by somebody else, listen on one port: the kernel
    shares new connections out among them. What waits in the queue of one that dies is
    lost; ``server.workers`` has one queue for all.
    """

    prefix = "reuse"

    def parseStreamServer(
        self, reactor: Any, *arguments: Any, **settings: Any
    ) -> IStreamServerEndpoint:
        """Takes what ``tcp:`` takes: the port, ``interface``, ``backlog``."""
        return _endpoint(reactor, *arguments, **settings)


def _endpoint(
    reactor: Any, port: str, interface: str = "", backlog: str = "50"
) -> IStreamServerEndpoint:
    # Not at the top: the parser is made whenever plugins are listed.
    from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
    from twisted.internet.tcp import makeBinding

    kind = TCP6ServerEndpoint if ":" in interface else TCP4ServerEndpoint
    bound: Any = makeBinding(interface=interface, port=int(port), reusePort=True)
    return kind(reactor, bound, backlog=int(backlog))
