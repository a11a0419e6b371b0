"""
Several processes behind the same sockets: the parent binds, starts the workers, keeps
them alive, and speaks for all of them on the admin listener.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence

# What multiprocessing gives its children too; there is no public name for it.
from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]
from tempfile import TemporaryFile
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from aigw import notices, signals
from aigw.admin.site import AdminSite
from aigw.config.settings import Settings
from aigw.extensions import Extensions
from aigw.inherit import Binding
from aigw.listen import Listener
from aigw.watch import Watch
from aigw.worker import CONFIGURATION, TELLS, VARIABLE, Worker

#: How long workers may take to stop beyond the graceful timeout, seconds.
_LAST: Final = 5.0
#: Tells a worker its ``sys.path``, as JSON.
PATH: Final = "AIGW_PATH"
#: ``python -m twisted`` with that path.
_TWIST: Final = (
    "import json, os, runpy, sys; "
    f"sys.path[:] = json.loads(os.environ.pop({PATH!r})); "
    "runpy.run_module('twisted', run_name='__main__', alter_sys=True)"
)


class Nobody(Factory):
    """Serves no connection: the parent accepts none."""

    def buildProtocol(self, addr: Any) -> None:
        return None


class Fleet(Service):
    """
    The parent of several workers.

    :param path: the configuration file, which parent and workers read.
    :param listen: endpoint descriptions of the command line, which win over the file.
    :param admin: likewise, of the admin listener.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        path: str,
        environ: Mapping[str, str],
        extensions: Extensions,
        *,
        listen: Sequence[str] = (),
        admin: Sequence[str] = (),
    ) -> None:
        self.reactor = reactor
        self.settings = settings
        self._environ = environ
        self._arguments = ["--config", os.path.abspath(path)]
        # Not the file's, which may be others by the time a worker is started again.
        for description in settings.server.endpoints:
            self._arguments += ["--listen", description]
        self._binding = Binding(reactor)
        nobody = Nobody()
        self.listeners = [
            Listener(self._binding, description, nobody)
            for description in settings.server.endpoints
        ]
        site = AdminSite(self, reactor)
        self.admin_listeners = [
            Listener(reactor, description, site)
            for description in settings.admin.endpoints
        ]
        self._reload = extensions.reload(
            reactor, path, settings, environ, self._use, listen, admin
        )
        self._watch = Watch(
            reactor,
            extensions.every_provider(),
            extensions.balancers,
            self._told_health,
        )
        self._draining = False
        self._confirmed: Mapping[str, Any] = self._reload.version
        self.workers: list[Worker] = []

    # -- what the admin listener tells

    def ready(self) -> bool:
        """Whether a worker takes requests."""
        return not self._draining and any(w.told.get("ready") for w in self.workers)

    def config_version(self) -> Mapping[str, Any]:
        """The version all workers serve by, and the fate of the file last read."""
        now = self._reload.version
        serving = {worker.told.get("sha256") for worker in self.workers}
        if now["error"] is not None:
            return {**now, "version": self._confirmed["version"]}
        if serving == {self.settings.sha256}:
            self._confirmed = now
        return self._confirmed

    def instances(self) -> list[dict[str, Any]]:
        """What the watch over the providers' health knows."""
        return self._watch.instances()

    # -- life

    def startService(self) -> None:
        """
        Bind, and start the workers.

        :raises CannotListenError: an address is taken, or may not be used.
        """
        Service.startService(self)
        for listener in (*self.listeners, *self.admin_listeners):
            listener.start()
        self._reload.start()
        signals.on_hang_up(self._renew, self.reactor.callFromThread)
        settings = self.settings
        notices.warn(settings, self.listeners)
        self.workers = [
            Worker(self, number) for number in range(1, settings.server.processes + 1)
        ]
        self._watch.use(settings)

    def stopService(self) -> Deferred[None]:
        """Drain all workers, then end. Fires when the last has ended."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        signals.stopping()
        self._draining = True
        self._reload.stop()
        await self._watch.stop()
        server = self.settings.server
        if server.drain_delay:
            # Begun before the workers begin theirs, so that it ends before.
            delay: Deferred[None] = deferLater(self.reactor, server.drain_delay)
            ended = self._end()
            await delay
            self._close()
        else:
            self._close()
            ended = self._end()
        patience = server.graceful_timeout + _LAST
        killing = self.reactor.callLater(patience, self._kill)
        await ended
        if killing.active():
            killing.cancel()
        for listener in (*self.listeners, *self.admin_listeners):
            await listener.stop()

    def _close(self) -> None:
        """No more may queue; the workers take what waits."""
        for port in self._binding.ports:
            port.socket.listen(0)

    def _end(self) -> Deferred[Any]:
        return DeferredList([worker.stop() for worker in self.workers])

    def _kill(self) -> None:
        for worker in self.workers:
            worker.signal(signal.SIGKILL)

    # -- for workers

    def spawn(self, worker: Worker) -> None:
        """Start ``worker``'s process."""
        descriptors = [port.socket.fileno() for port in self._binding.ports]
        first = CONFIGURATION + 1
        kept = range(first, first + len(descriptors))
        told = ",".join(map(str, kept))
        environ = {
            **self._environ,
            VARIABLE: told,
            # A worker must find what this process found, wherever that lay. Not in
            # PYTHONPATH: -E and -I forbid it, and a folder's name may hold a colon.
            PATH: json.dumps([path or os.getcwd() for path in sys.path]),
        }
        with TemporaryFile() as handed:
            handed.write(self.settings.source)
            handed.seek(0)
            self.reactor.spawnProcess(
                worker,
                sys.executable,
                [
                    sys.executable,
                    *_args_from_interpreter_flags(),
                    *("-c", _TWIST, "aigw"),
                    *self._arguments,
                ],
                env=environ,
                path=os.getcwd(),
                childFDs={
                    0: "w",
                    1: 1,
                    2: 2,
                    TELLS: "r",
                    CONFIGURATION: handed.fileno(),
                    **dict(zip(kept, descriptors, strict=True)),
                },
            )

    def heard(self) -> None:
        """A worker told something: it is new, or has read the file again."""
        self.config_version()
        self._told_health()

    def _told_health(self) -> None:
        health = self._watch.health()
        for worker in self.workers:
            worker.tell(health=health)

    def _use(self, settings: Settings) -> None:
        self._watch.use(settings)  # may refuse, so it stands first
        self.settings = settings
        for worker in self.workers:
            worker.reload()

    def _renew(self) -> None:
        """Changed or not, good or not: the workers must open their logs anew."""
        before = self.settings
        self._reload.reload().addCallback(lambda _: self._renewed(before))

    def _renewed(self, before: Settings) -> None:
        if self.settings is before:
            for worker in self.workers:
                worker.reload()
