"""
A client that looks at bytes: what came, when, in which chunks, and how it ended. h11
reads the HTTP, so that the mock provider is not believed on its own word.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from aigw.mock import Mock, Seen

CHAT = "/v1/chat/completions"


def post(path: str, body: Any, *fields: str) -> bytes:
    """A request's bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: mock", f"Content-Length: {len(data)}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode() + data


def chat(model: str, stream: bool = True, **more: Any) -> dict[str, Any]:
    """The body of a chat completion."""
    return {"model": model, "stream": stream, "messages": [], **more}


@dataclass
class Got:
    """
    One answer.

    :ivar chunks: the body as the chunks of its coding cut it.
    :ivar ended: ``complete`` as HTTP; ``fin`` or ``rst`` before that; ``open``.
    """

    seen: Seen
    status: int
    fields: dict[bytes, bytes]
    chunks: list[bytes]
    ended: str
    hints: int = 0

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def events(self) -> list[bytes]:
        """The SSE blocks, and what is left of one."""
        return [block for block in self.body.split(b"\n\n") if block]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client(Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: Failure | None = None
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self._changed()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason
        self._changed()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what is tried at each arrival and at the end."""
        if not condition():
            waiting: Deferred[None] = Deferred()
            self._waiting.append((condition, waiting))
            await waiting

    async def leave(self) -> None:
        if self.lost is None:
            self.transport.abortConnection()
        await self.until(lambda: self.lost is not None)

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for condition, deferred in waiting:
            if condition():
                deferred.callback(None)
            else:
                self._waiting.append((condition, deferred))

    def got(self, seen: Seen) -> Got:
        """What came, as the answer to ``seen``."""
        reader = h11.Connection(h11.CLIENT)
        method = seen.request.method
        reader.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(bytes(self.data))
        got = Got(seen, 0, {}, [], "open")
        at_end = False
        while True:
            try:
                event = reader.next_event()
            except h11.RemoteProtocolError:
                break
            if event is h11.NEED_DATA and self.lost is not None and not at_end:
                at_end = True
                if self.lost.check(ConnectionDone):
                    reader.receive_data(b"")
                    continue
            if event is h11.NEED_DATA:
                break
            if isinstance(event, h11.InformationalResponse):
                got.hints += 1
            elif isinstance(event, h11.Response):
                got.status, got.fields = event.status_code, dict(event.headers)
            elif isinstance(event, h11.Data):
                if event.chunk_start or not got.chunks:
                    got.chunks.append(b"")
                got.chunks[-1] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                got.ended = "complete"
                break
            else:
                break
        if got.ended == "open" and self.lost is not None:
            got.ended = "fin" if self.lost.check(ConnectionDone) else "rst"
        return got


@dataclass
class Served:
    """The mock provider under test."""

    mock: Mock
    port: int
    clients: list[Client]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self) -> Client:
        endpoint = TCP4ClientEndpoint(self.mock.clock, "127.0.0.1", self.port)
        client: Client = await connectProtocol(endpoint, Client())
        self.clients.append(client)
        return client

    async def ask(self, request: bytes) -> Got:
        """Send a request on a connection of its own; the answer when it is over."""
        client = await self.connect()
        before = len(self.mock.requests)
        client.transport.write(request)
        await self.mock.until(lambda: len(self.mock.requests) > before)
        seen = self.mock.requests[-1]
        await self.mock.until(lambda: seen.state not in ("waiting", "sending"))
        if seen.state == "silent":
            await client.until(
                lambda: (
                    client.got(seen).status == seen.status
                    and len(client.got(seen).body) == seen.sent_bytes
                )
            )
        elif seen.state == "cut" or client.got(seen).fields.get(b"connection"):
            await client.until(lambda: client.lost is not None)
        else:
            await client.until(lambda: client.got(seen).ended != "open")
        return client.got(seen)

    async def stream(self, model: str, **more: Any) -> Got:
        """The answer to a streamed chat completion."""
        return await self.ask(post(CHAT, chat(model, **more)))

    async def converse(self, model: str) -> Got:
        """The answer to ConverseStream."""
        path = f"/model/{model}/converse-stream"
        return await self.ask(post(path, {"messages": []}))
