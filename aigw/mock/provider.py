"""The mock provider: what listens, and what it remembers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from .answer import answer
from .anthropic import Anthropic
from .bedrock import Bedrock
from .echo import Echo
from .gemini import Gemini
from .invoke import Invoke
from .openai import OpenAI
from .openai_files import OpenAIFiles
from .request import NotHTTP, Request, RequestReader
from .responses import Responses
from .script import Dialect
from .seen import Seen
from .sending import Sending
from .vertex import Vertex

#: The first is asked first, and its words are those of paths nobody knows.
DIALECTS: Final[tuple[Dialect, ...]] = (
    OpenAI(),
    OpenAIFiles(),
    Responses(),
    Anthropic(),
    Bedrock(),
    Invoke(),
    Gemini(),
    Vertex(),
    Echo(),
)


class Mock(Factory):
    """
    The mock provider, as a factory for any stream endpoint::

        mock = Mock(reactor)
        port = reactor.listenTCP(0, mock, interface="127.0.0.1")

    :param clock: when things happen.
    :param keep: how many of the latest requests are kept.
    :param keep_bytes: how many bytes of each answer's body are kept.
    :ivar requests: what was asked and what became of it, latest last; the calls for
        ``/stats`` are not among them.
    :ivar connections: those open now.
    :ivar accepted: how many connections there were.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, *, keep: int = 1000, keep_bytes: int = 1 << 20
    ) -> None:
        self.clock = clock
        self.keep_bytes = keep_bytes
        self.requests: deque[Seen] = deque(maxlen=keep)
        self.connections: set[Connection] = set()
        self.accepted = 0
        self._number = 0
        self._asked: dict[str, int] = {}
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        connection = Connection(self)
        connection.factory = self
        return connection

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """
        Fires as soon as ``condition`` holds; it is tried now and at each change of what
        was seen. Cancel it to give up.
        """
        if condition():
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._give_up)
        self._waiting.append((condition, waiting))
        return waiting

    def reset(self) -> None:
        """Forget what was seen; answers under way go on."""
        self.requests.clear()
        self._asked.clear()
        self._number = 0

    def stop(self) -> Deferred[None]:
        """Drop all connections; fires when they have gone."""
        for connection in list(self.connections):
            connection.drop()
        return self.until(lambda: not self.connections)

    def stats(self) -> dict[str, Any]:
        """What ``GET /stats`` answers."""
        seen = list(self.requests)
        return {
            "requests": self._number,
            "connections": len(self.connections),
            "accepted": self.accepted,
            "left": sum(one.left for one in seen),
            "events": sum(one.events for one in seen),
            "sent_bytes": sum(one.sent_bytes for one in seen),
            "now": self.clock.seconds(),
            "seen": [one.json() for one in seen],
        }

    # -- for connections

    def came(self, connection: Connection) -> int:
        """A connection is there; its number."""
        self.connections.add(connection)
        self.accepted += 1
        self.changed()
        return self.accepted

    def went(self, connection: Connection) -> None:
        """It is no more."""
        self.connections.discard(connection)
        self.changed()

    def saw(self, request: Request, connection: int) -> Seen:
        """A request is complete."""
        self._number += 1
        seen = Seen(self._number, connection, request, self.clock.seconds())
        self.requests.append(seen)
        return seen

    def again(self, words: str, first: int) -> bool:
        """Whether ``words`` asked for something ``first`` times before."""
        self._asked[words] = count = self._asked.get(words, 0) + 1
        return count > first

    def changed(self) -> None:
        """Something seen has changed."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for condition, deferred in waiting:
            if condition():
                deferred.callback(None)
            else:
                self._waiting.append((condition, deferred))

    def _give_up(self, cancelled: Deferred[None]) -> None:
        self._waiting = [item for item in self._waiting if item[1] is not cancelled]


class Connection(Protocol):
    """One connection: requests in, answered one after the other."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._reader = RequestReader()
        self._queue: deque[tuple[Request, Seen | None]] = deque()
        self._sending: Sending | None = None
        self._closing = False
        self._number = 0

    def connectionMade(self) -> None:
        self._number = self._mock.came(self)

    def dataReceived(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            requests = self._reader.feed(data)
        except NotHTTP as error:
            self._refuse(str(error))
            return
        for request in requests:
            of_stats = request.path == "/stats"
            seen = None if of_stats else self._mock.saw(request, self._number)
            self._queue.append((request, seen))
        self._serve()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = True
        if self._sending is not None:
            self._sending.lost()
        for _, seen in self._queue:
            if seen is not None:
                seen.state, seen.left_at = "left", self._mock.clock.seconds()
        self._queue.clear()
        self._mock.went(self)

    def drop(self) -> None:
        """Reset the connection."""
        self.transport.abortConnection()  # type: ignore[union-attr]  # while open

    def _serve(self) -> None:
        while self._queue and self._sending is None and not self._closing:
            request, seen = self._queue.popleft()
            if seen is None:
                self._tell(request)
                continue
            answered = answer(request, seen.number, DIALECTS, self._mock.again)
            self._sending = Sending(
                self._mock.clock,
                self.transport,
                answered,
                seen,
                self._mock.keep_bytes,
                self._mock.changed,
                self._ended,
            )
            self._mock.changed()
            self._sending.begin()

    def _ended(self, reusable: bool) -> None:
        self._sending = None
        if reusable:
            self._serve()
        else:
            self._closing = True
            self._close()

    def _tell(self, request: Request) -> None:
        body = json.dumps(self._mock.stats(), indent=2).encode()
        if "reset" in parse_qs(request.query):
            self._mock.reset()
        self._write(b"200 OK", body)

    def _refuse(self, message: str) -> None:
        self._closing = True
        self._write(b"400 Bad Request", json.dumps({"error": message}).encode())
        self._close()

    def _write(self, status: bytes, body: bytes) -> None:
        assert self.transport is not None
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (status, len(body), body)
        )

    def _close(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()
