"""
The admin listener's site, as JSON: health, the configuration's version in force, and
what is known of the instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from aigw.exchange.health import health


class State(Protocol):
    """What the site tells of the gateway."""

    def ready(self) -> bool:
        """False while the gateway drains."""

    def config_version(self) -> Mapping[str, Any]:
        """``version``, ``sha256`` and ``error`` of the configuration; no secrets."""

    def instances(self) -> Sequence[Mapping[str, Any]]:
        """The instances of each route that has several, and what is known of them."""


class Page(Resource):
    """
    A leaf that tells one thing as JSON, to GET and HEAD.

    :param tell: called for each request; status and body.
    """

    isLeaf = True

    def __init__(self, tell: Callable[[], tuple[int, bytes]]) -> None:
        Resource.__init__(self)
        self._tell = tell

    def render(self, request: Request) -> bytes:
        fields = request.responseHeaders
        if request.method in (b"GET", b"HEAD"):
            status, body = self._tell()
        else:
            status, body = 405, b'{"error":"only GET and HEAD are allowed here"}'
            fields.setRawHeaders(b"allow", [b"GET, HEAD"])
        request.setResponseCode(status)
        fields.setRawHeaders(b"server", [b"aigw"])
        fields.setRawHeaders(b"content-type", [b"application/json"])
        fields.setRawHeaders(b"cache-control", [b"no-store"])
        return body


class Root(Resource):
    """Health checks at their many paths; other resources are its children."""

    def __init__(self, state: State) -> None:
        Resource.__init__(self)
        self._state = state
        v1 = Nothing()
        v1.putChild(b"config-version", Page(self._config_version))
        instances = Page(self._instances)
        v1.putChild(b"instances", instances)
        v1.putChild(b"healthcheck", instances)  # where the reference has it
        self.putChild(b"v1", v1)

    def getChild(self, path: bytes, request: Request) -> IResource:
        told = health(request.path.decode("latin-1"), self._state.ready())
        return _nothing if told is None else Page(lambda: told)

    def _instances(self) -> tuple[int, bytes]:
        return 200, msgspec.json.encode(self._state.instances())

    def _config_version(self) -> tuple[int, bytes]:
        return 200, msgspec.json.encode(self._state.config_version())


class Nothing(Resource):
    """A folder that has children and no page."""

    def __init__(self) -> None:
        Resource.__init__(self)

    def getChild(self, path: bytes, request: Request) -> IResource:
        return _nothing

    def render(self, request: Request) -> bytes:
        return _nothing.render(request)


_nothing = Page(lambda: (404, b'{"error":"nothing here"}'))


class AdminSite(Site):
    """
    The site of the admin listener.

    :ivar root: where other resources are mounted with ``putChild``.
    """

    def __init__(self, state: State, clock: IReactorTime) -> None:
        self.root = Root(state)
        Site.__init__(self, self.root, parsePOSTFormSubmission=False, reactor=clock)

    def log(self, request: Any) -> None:
        """Probes come every few seconds; nothing is written of them."""
