"""
A worker, from both ends: the process its parent keeps alive, and the line on which it
tells its parent its state.

Parent and worker hold a pair of pipes. The worker tells its state in JSON lines on one;
on the other its parent tells it what it knows of the providers' health, and by closing
it that it has gone: no worker outlives its parent.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.internet.stdio import StandardIO
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()

#: Tells a worker which descriptors it inherits: ``4,5``.
VARIABLE: Final = "AIGW_WORKER"
#: The worker's descriptor for what it tells.
TELLS: Final = 3
#: The worker's descriptor of the configuration in force when it was started.
CONFIGURATION: Final = 4

#: Seconds before a dead worker is started again: doubled each time, up to the last.
_BACKOFF: Final = (0.1, 30.0)
#: A worker that lived this long has not died of its start, seconds.
_GROWN: Final = 30.0


def inherited(environ: Mapping[str, str]) -> list[int] | None:
    """The listening sockets a worker has from its parent; None in other processes."""
    told = environ.get(VARIABLE)
    return None if told is None else [int(each) for each in told.split(",")]


def configuration() -> bytes:
    """
    What a worker begins with, to be asked for once: the bytes of the file as its parent
    last found it good. The file itself may be wrong by now.
    """
    with open(CONFIGURATION, "rb") as handed:
        return handed.read()


class Keeper(Protocol):
    """Who keeps workers alive."""

    reactor: Any

    def spawn(self, worker: Worker) -> None:
        """Start its process."""

    def heard(self) -> None:
        """A worker has told its state."""


class Worker(ProcessProtocol):
    """
    One worker, as its parent sees it; started again when it dies.

    :ivar told: the state it told last.
    """

    def __init__(self, keeper: Keeper, number: int) -> None:
        self._keeper = keeper
        self.number = number
        self.told: dict[str, Any] = {}
        self.ended: Deferred[None] | None = None
        self._begun = 0.0
        self._delay = _BACKOFF[0]
        self._again: IDelayedCall | None = None
        self._line = b""
        self._reloads = False  # as soon as it can
        self.start()

    def start(self) -> None:
        """Start the process."""
        self._again = None
        self._begun = self._keeper.reactor.seconds()
        self._line = b""
        self._reloads = False
        try:
            self._keeper.spawn(self)
        except OSError as error:
            self._start_again(str(error))

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.transport is not None

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.transport is not None and self.transport.pid is not None:
            os.kill(self.transport.pid, number)

    def reload(self) -> None:
        """
        Let it read the file again and open its log anew; as soon as it has told its
        state, for the signal kills a process that is not ready for it.
        """
        if self.told:
            self.signal(signal.SIGHUP)
        else:
            self._reloads = True

    def tell(self, **news: Any) -> None:
        """Tell it something, if it runs; see :class:`Parent`."""
        try:
            if self.transport is not None:
                self.transport.writeToChild(0, json.dumps(news).encode() + b"\n")
        except KeyError:
            pass  # its pipe went before it: it is about to end

    def stop(self) -> Deferred[None]:
        """Let it drain; fires when its process has ended."""
        self.ended = Deferred()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self.alive:
            self.signal(signal.SIGTERM)
            return self.ended
        ended, self.ended = self.ended, None
        ended.callback(None)
        return ended

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self.told = json.loads(line)
            if self._reloads:
                self._reloads = False
                self.signal(signal.SIGHUP)
            self._keeper.heard()

    def processEnded(self, reason: Failure) -> None:
        self.told = {}
        self.transport = None
        if self.ended is not None:
            self.ended.callback(None)
            return
        self._start_again(reason.getErrorMessage())

    def _start_again(self, why: str) -> None:
        keeper = self._keeper
        if keeper.reactor.seconds() - self._begun > _GROWN:
            self._delay = _BACKOFF[0]
        log.error(
            "Worker {number} has died ({why}); it is started again in {delay} s.",
            number=self.number,
            why=why,
            delay=self._delay,
        )
        self._again = keeper.reactor.callLater(self._delay, self.start)
        self._delay = min(self._delay * 2, _BACKOFF[1])


class Parent(StreamProtocol):
    """
    A worker's line to its parent.

    :param stop: called when the parent has gone.
    :param heard: called with what the parent tells, by name.
    """

    def __init__(
        self,
        reactor: Any,
        stop: Callable[[], None],
        heard: Callable[[dict[str, Any]], None],
    ) -> None:
        self._stop = stop
        self._heard = heard
        self._line = b""
        # mypy looks at the class that Windows has
        self._io = StandardIO(  # type: ignore[call-arg]
            self, stdin=0, stdout=TELLS, reactor=reactor
        )

    def tell(self, **state: Any) -> None:
        """Tell the parent this worker's state."""
        self._io.write(json.dumps(state).encode() + b"\n")

    def dataReceived(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._heard(json.loads(line))

    def connectionLost(self, reason: Any = None) -> None:
        self._stop()
