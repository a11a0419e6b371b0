"""
Watching the configuration file: a change (or a signal) loads it, checks all of it and
swaps it in at once; a wrong file changes nothing but what :attr:`Reload.version` says.

The file is looked at once a second, in a thread, because a file system may hang and a
large file takes its time. A change is read only when two looks in a row see the same
file: an editor that truncates and then writes is not caught halfway.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aigw.config.settings import Settings
from aigw.errors import ConfigError

log = Logger()

#: Seconds between two looks at the file.
_INTERVAL: Final = 1.0

#: What tells one state of a file from another; None where it cannot be looked at.
_Sight = tuple[int, int, int, int] | None


class Reload:
    """
    Keeps a running gateway at its file.

    :param path: the configuration file.
    :param settings: what is in force at first, loaded from that file.
    :param load: makes settings of the file's bytes, called in a thread; raises
        ConfigError.
    :param swap: puts new settings in force, called in the reactor's thread. Where it
        raises ConfigError, it must have changed nothing.
    :param clock: drives the looks.
    :param in_thread: runs a function in a thread, as ``deferToThread`` does.
    :param tells: whether the log is told what the file warns of and why it is refused;
        False where another process reads the same file and says so.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: Settings,
        load: Callable[[bytes], Settings],
        swap: Callable[[Settings], None],
        clock: IReactorTime,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
        *,
        tells: bool = True,
    ) -> None:
        self._path = Path(path)
        self._load = load
        self._swap = swap
        self._in_thread = in_thread
        self._tells = tells
        self._lock = DeferredLock()
        self._number = 1
        self._fixed = settings.fixed()
        self._in_force = settings.sha256
        self._sha256 = settings.sha256
        self._error: str | None = None
        self._read: _Sight = None
        self._last: _Sight = None
        self._seen = False
        self._stopped = False
        self._loop = LoopingCall(self._watch)
        self._loop.clock = clock

    @property
    def version(self) -> dict[str, Any]:
        """
        ``version`` grows with each swap, ``sha256`` is of the file last read, ``error``
        is None or why that file was refused (secrets hidden).
        """
        return {
            "version": self._number,
            "sha256": self._sha256,
            "error": self._error,
        }

    def start(self) -> None:
        """Begin to look."""
        self._loop.start(_INTERVAL, now=True).addErrback(
            lambda failure: log.failure(
                "Watching the configuration broke off.", failure
            )
        )

    def stop(self) -> None:
        """Look no more; a load under way is forgotten. Idempotent."""
        self._stopped = True
        if self._loop.running:
            self._loop.stop()

    def reload(self) -> Deferred[None]:
        """
        Load the file now and swap it in, changed or not (SIGHUP). Never fails: what is
        wrong with the file is logged and told by :attr:`version`.
        """
        return Deferred.fromCoroutine(self._reload())

    async def _reload(self) -> None:
        await self._lock.acquire()
        try:
            await self._take(always=True)
        finally:
            self._lock.release()

    def _watch(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> None:
        await self._lock.acquire()
        try:
            sight = await self._in_thread(self._sight)
            if not self._seen:
                # The settings in force may be older than what stands there now.
                await self._take(always=False)
            elif sight != self._read and sight == self._last:
                await self._take(always=False)
            self._last = sight
            self._seen = True
        finally:
            self._lock.release()

    def _sight(self) -> _Sight:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    async def _take(self, always: bool) -> None:
        """Read the file and swap it in, if it is another one (or ``always``)."""
        sight, digest, settings, problems = await self._in_thread(
            lambda: self._attempt(always)
        )
        if self._stopped:
            return
        self._read = sight
        if digest:
            self._sha256 = digest
        if settings is not None:
            try:
                self._swap(settings)
            except ConfigError as error:
                problems = error.problems
            except Exception as error:
                log.failure("New settings could not be put in force.")
                problems = [f"{self._path}: not usable: {type(error).__name__}"]
            else:
                self._number += 1
                self._in_force = digest
                log.info(
                    "Configuration {version} is in force, sha256 {sha256}.",
                    version=self._number,
                    sha256=digest,
                )
                if self._tells:
                    self._warn(settings)
        self._error = "\n".join(problems) if problems else None
        if self._tells:
            for problem in problems:
                log.error("Configuration refused: {problem}", problem=problem)

    def _warn(self, settings: Settings) -> None:
        for warning in settings.warnings:
            log.warn("{warning}", warning=warning)
        for name, now in settings.fixed().items():
            if now != self._fixed[name]:
                log.warn("{name} has changed: that takes a restart.", name=name)

    def _attempt(self, always: bool) -> tuple[_Sight, str, Settings | None, list[str]]:
        """
        In a thread: the sight of the file, its digest, the settings it makes (None
        where it is the one in force, or wrong) and what is wrong with it.
        """
        sight = self._sight()
        try:
            data = self._path.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return sight, "", None, [f"{self._path}: cannot be read: {reason}"]
        digest = sha256(data).hexdigest()
        if digest == self._in_force and not always:
            return sight, digest, None, []
        try:
            return sight, digest, self._load(data), []
        except ConfigError as error:
            return sight, digest, None, error.problems
        except Exception as error:
            # A mistake of ours must not end the watching: the next file may be good.
            log.failure("The configuration could not be loaded.")
            return (
                sight,
                digest,
                None,
                [f"{self._path}: not loadable: {type(error).__name__}"],
            )
