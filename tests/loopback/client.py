"""A client that keeps every read with its time, and can misbehave."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

reactor: Any = _reactor


async def until(condition: Any, seconds: float = 5.0) -> None:
    """Wait for ``condition``, looked at every few ms; fail after ``seconds``."""
    end = reactor.seconds() + seconds
    while not condition():
        assert reactor.seconds() < end, "what was waited for did not come"
        await deferLater(reactor, 0.002)


def chat(model: str, *, stream: bool = True, **fields: Any) -> bytes:
    """The body of a chat completion request."""
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": "hi"}],
        **({"stream": True} if stream else {}),
        **fields,
    }
    return json.dumps(asked, separators=(",", ":")).encode()


def post(
    body: bytes,
    *fields: str,
    path: str = "/v1/chat/completions",
    version: str = "1.1",
) -> bytes:
    """A POST request in full."""
    head = [
        f"POST {path} HTTP/{version}",
        "Host: gateway.test",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *fields,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def stream(framing: str, knobs: str) -> bytes:
    """Asks for a stream in that framing."""
    if framing == "sse":
        return post(chat(f"mock-{knobs}"))
    return post(b'{"messages":[]}', path=f"/model/mock-{knobs}/converse-stream")


@dataclass
class Answer:
    """
    An answer as far as it has come.

    :ivar pieces: the chunks of its body; each write of a front is one.
    :ivar framed: whether its end can be told from the bytes alone.
    :ivar ended: whether that end is there.
    """

    status: int
    headers: dict[bytes, bytes]
    pieces: list[bytes]
    framed: bool
    ended: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def parse(raw: bytes) -> Answer | None:
    """The answer in ``raw``, None before its head is complete."""
    head, separator, rest = raw.partition(b"\r\n\r\n")
    if not separator:
        return None
    status, *lines = head.split(b"\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in lines)
    }
    number = int(status.split()[1])
    if headers.get(b"transfer-encoding") == b"chunked":
        pieces, ended = _chunks(rest)
        return Answer(number, headers, pieces, True, ended)
    length = headers.get(b"content-length")
    ended = length is not None and len(rest) >= int(length)
    return Answer(number, headers, [rest] if rest else [], length is not None, ended)


def _chunks(data: bytes) -> tuple[list[bytes], bool]:
    pieces: list[bytes] = []
    at = 0
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line], 16)
        start, at = line + 2, line + 2 + size + 2
        if size == 0:
            return pieces, True
        pieces.append(data[start : start + size])
    return pieces, False


class Client(Protocol):
    """
    One connection to a gateway.

    :ivar reads: clock seconds and bytes of each read.
    :ivar received: how many bytes came.
    :ivar gone: why the connection has ended, None while it stands.
    """

    transport: Any

    def __init__(self) -> None:
        self.reads: list[tuple[float, bytes]] = []
        self.received = 0
        self.gone: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        self.reads.append((reactor.seconds(), data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = reason

    # -- what it does

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def pause(self) -> None:
        """Read no more."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()

    def fin(self) -> None:
        """Leave by FIN."""
        self.transport.loseWriteConnection()

    def rst(self) -> None:
        """Leave by RST."""
        self.transport.abortConnection()

    # -- what it got

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def answer(self) -> Answer:
        found = parse(self.raw)
        assert found is not None, f"no answer in {self.raw!r}"
        return found

    @property
    def looks_complete(self) -> bool:
        """Whether a client would take the answer for complete."""
        answer = self.answer
        if answer.framed:
            return answer.ended
        return self.gone is not None and self.gone.check(ConnectionDone) is not None

    async def events(self, count: int) -> None:
        """Wait until so many SSE events are here."""
        await until(lambda: self.raw.count(b"data: ") >= count)

    async def ended(self, seconds: float = 5.0) -> Answer:
        """Wait for the answer's end, proper or not."""
        await until(lambda: self.gone is not None or self._whole(), seconds)
        return self.answer

    async def closed(self, seconds: float = 5.0) -> None:
        """Wait for the connection's end."""
        await until(lambda: self.gone is not None, seconds)

    def _whole(self) -> bool:
        if not self.reads:
            return False
        # A look at the last bytes is enough to know that it is not over: large
        # answers are not parsed again with each read.
        found = parse(self.reads[0][1])
        if found is None or found.headers.get(b"transfer-encoding") != b"chunked":
            found = parse(self.raw)
            return found is not None and found.ended
        tail = b"".join(data for _, data in self.reads[-5:])
        return tail.endswith(b"0\r\n\r\n") and self.answer.ended


async def connect(port: int, *, receive_buffer: int = 0) -> Client:
    """
    Connect to ``port`` of this machine.

    :param receive_buffer: bytes of the kernel's receive buffer; 0 leaves it alone.
    """
    client = Client()
    factory: Any = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _address: client
    with socket.socket() as connection:
        if receive_buffer:
            # Before it connects, for then the window is agreed on.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        # The kernel accepts it at once, as long as the gateway gets its turns.
        connection.connect(("127.0.0.1", port))
        connection.setblocking(False)
        reactor.adoptStreamConnection(connection.fileno(), socket.AF_INET, factory)
    await deferLater(reactor, 0)
    return client
