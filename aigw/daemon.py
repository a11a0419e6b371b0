"""
The gateway as a process of its own: listeners, access log, reload and signals around
one :class:`aigw.service.Gateway`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from aigw import notices, signals
from aigw.admin.site import AdminSite
from aigw.config.settings import Settings
from aigw.errors import Unavailable
from aigw.extensions import Extensions
from aigw.http.budget import Budget
from aigw.http.front import Front
from aigw.inherit import Inherited
from aigw.listen import Listener
from aigw.memory import Memory, settle
from aigw.reload import Reload
from aigw.service import Gateway
from aigw.telemetry.accesslog import access_log
from aigw.worker import Parent, inherited

if TYPE_CHECKING:
    from aigw.mock import Mock


#: How long the last bytes of answers may take to leave at the end, and how often that
#: is looked at, seconds.
_LAST_BYTES = 1.0
_LOOK = 0.02
#: How long connections just accepted have for their request before idle ones are closed
#: at the end, seconds.
_SETTLE = 0.1

#: Where the built-in mock provider listens when there is neither file nor key.
_MOCK = "tcp:9081:interface=127.0.0.1"
MOCK_URL = "http://127.0.0.1:9081"

#: What Twisted's reactors on epoll, poll and select keep of each connection.
_TABLES = ("_reads", "_writes", "_selectables")

_HINT = """
aigw serves the providers whose keys are in the environment, else its mock provider. Try

  curl -N http://{address}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{"model": "{model}", "stream": true,
         "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


class Daemon(Service):
    """
    The gateway as a process.

    :param path: the configuration file, watched for changes; None without one.
    :param listen: endpoint descriptions of the command line, which win over the file.
    :param admin: likewise, of the admin listener.

    In a worker (see :mod:`aigw.workers`) it adopts its parent's sockets and leaves the
    admin listener and the watching of the file to it.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        path: str | None,
        environ: Mapping[str, str],
        extensions: Extensions,
        *,
        listen: Sequence[str] = (),
        admin: Sequence[str] = (),
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._parent: Parent | None = None
        self._descriptors = inherited(environ)
        access = settings.log.access
        self.access_log = access_log(
            access.path if access is not None else "-",
            access.format if access is not None else "off",
            reactor,
            reactor.callFromThread,
        )
        self.gateway = Gateway(
            reactor,
            settings,
            self.access_log,
            providers=extensions.providers,
            framings=extensions.framings,
            dialects=extensions.dialects,
            balancers=extensions.balancers,
            rankers=extensions.rankers,
            probes=self._descriptors is None,
        )
        self._reload: Reload | None = None
        if path is not None:
            self._reload = extensions.reload(
                reactor,
                path,
                settings,
                environ,
                self.gateway.use,
                listen,
                admin,
                tells=self._descriptors is None,
            )
        server = settings.server
        self.front = Front(
            self.gateway.serve,
            self.gateway.wheel,
            max_connections=server.max_connections,
            budget=Budget(server.max_buffered_bytes),
            trusted_proxies=server.trusted_proxies,
            refuse=self.gateway.serve.refusal,
            refused=self.gateway.serve.refused,
        )
        self._memory = Memory(
            reactor,
            lambda: len(self.front.channels),
            reactor.getThreadPool,
            tables=(
                self.front.channels,
                *self.gateway.tables,
                *(getattr(reactor, name) for name in _TABLES if hasattr(reactor, name)),
            ),
        )
        listens, endpoints = reactor, server.endpoints
        if self._descriptors is not None:
            listens = Inherited(reactor, self._descriptors)
            endpoints = tuple(map(listens.described, endpoints))
        self.listeners = [
            Listener(listens, description, self.front) for description in endpoints
        ]
        self.admin_listeners: list[Listener] = []
        if self._descriptors is None:
            site = AdminSite(self, reactor)
            self.admin_listeners = [
                Listener(reactor, description, site)
                for description in settings.admin.endpoints
            ]
        self._mock: Mock | None = None
        if path is None and not any(route.injects for route in settings.routes):
            from aigw.mock import Mock  # not paid for by those who have no use for it

            self._mock = Mock(reactor)
            self.admin_listeners.append(Listener(reactor, _MOCK, self._mock))

    # -- what the admin listener tells

    def ready(self) -> bool:
        """False while the gateway drains."""
        return self.gateway.serve.ready

    def config_version(self) -> Mapping[str, Any]:
        """The configuration in force, and the fate of the file last read."""
        if self._reload is not None:
            return self._reload.version
        return {"version": 1, "sha256": self.gateway.settings.sha256, "error": None}

    def instances(self) -> list[dict[str, Any]]:
        """What is known of the instances of each route that has several."""
        return self.gateway.instances()

    # -- life

    def startService(self) -> None:
        """
        Listen, watch the file, take SIGHUP for a reload.

        :raises CannotListenError: an address is taken, or may not be used.
        """
        Service.startService(self)
        self.gateway.startService()  # type: ignore[no-untyped-call]
        for listener in (*self.listeners, *self.admin_listeners):
            listener.start()
        signals.on_hang_up(self._renew, self._reactor.callFromThread)
        if self._descriptors is not None:
            self._parent = Parent(self._reactor, self._orphaned, self._heard)
            self._tell()
        else:
            if self._reload is not None:
                self._reload.start()
            self._greet()
        self._memory.start()
        settle()

    def stopService(self) -> Deferred[None]:
        """Drain and stop. Fires when the last exchange has ended and is recorded."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        signals.stopping()
        self._memory.stop()
        if self._reload is not None:
            self._reload.stop()
        gateway, front = self.gateway, self.front
        gateway.serve.ready = False
        self._tell()
        await deferLater(self._reactor, gateway.settings.server.drain_delay)
        for listener in self.listeners:
            await listener.stop()
        # Who was accepted last has had no turn to be read yet.
        front.draining = True
        await deferLater(self._reactor, _SETTLE)
        front.drain()
        await gateway.drain(gateway.settings.server.graceful_timeout)
        # What is left has not sent its request yet.
        text = "the gateway is shutting down"
        front.interrupt(Unavailable(text, reason="shutdown"))
        until = self._reactor.seconds() + _LAST_BYTES
        while front.channels and self._reactor.seconds() < until:
            await deferLater(self._reactor, _LOOK)
        front.drop()
        await gateway.stopService()
        for listener in self.admin_listeners:
            await listener.stop()
        if self._mock is not None:
            await self._mock.stop()
        await self.access_log.stop()

    def _greet(self) -> None:
        notices.warn(self.gateway.settings, self.listeners)
        if self._path is None:
            model = "gpt-4o-mini" if self._mock is None else "mock-d50"
            address = self.listeners[0].shown
            print(_HINT.format(address=address, model=model), file=sys.stderr)

    def _renew(self) -> None:
        self.access_log.reopen()
        if self._reload is not None:
            self._reload.reload().addCallback(lambda _: self._tell())

    def _tell(self) -> None:
        """Tell the parent, where there is one, what it speaks of for all workers."""
        if self._parent is not None:
            self._parent.tell(ready=self.ready(), sha256=self.gateway.settings.sha256)

    def _heard(self, news: Mapping[str, Any]) -> None:
        """The parent probes for all workers."""
        self.gateway.clusters.heard(news["health"])

    def _orphaned(self) -> None:
        """The parent has gone, however: nobody would ever stop this worker."""
        if self.running:
            self._reactor.stop()
