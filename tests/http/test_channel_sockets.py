"""The daemon's own front on real sockets: how connections end, TLS, unix, PROXY."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from zope.interface import implementer

from aigw.http.front import Front
from aigw.interfaces import IBodySource, IDownstream
from aigw.streaming.timers import Wheel

from .authority import Authority

reactor: Any = _reactor

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET /x HTTP/1.0\r\n\r\n"
HELLO = b"5\r\nhello\r\n"


async def until(true: Callable[[], Any], seconds: float = 5) -> None:
    """Wait for what real sockets do."""
    end = reactor.seconds() + seconds
    while not true():
        assert reactor.seconds() < end, "waited in vain"
        await deferLater(reactor, 0.002)


class Exchanges:
    """
    Serves as each test says.

    :ivar lost: how often a client was said to have left.
    """

    def __init__(self, answer: Callable[[IDownstream], Any]) -> None:
        self.answer = answer
        self.served: list[IDownstream] = []
        self.lost = 0

    async def __call__(self, downstream: IDownstream) -> None:
        self.served.append(downstream)
        gone: Deferred[None] = Deferred()

        def left() -> None:
            self.lost += 1
            gone.callback(None)

        downstream.on_lost = left
        if self.answer(downstream) == "wait":
            await gone
            raise CancelledError


def hello(downstream: IDownstream) -> None:
    downstream.start(200, [])
    downstream.write(b"hello")
    downstream.finish()


def half(downstream: IDownstream) -> None:
    downstream.start(200, [])
    downstream.write(b"hello")
    downstream.cut()


@asynccontextmanager
async def listening(exchanges: Exchanges, description: str) -> AsyncIterator[Any]:
    """A front that listens; its address."""
    wheel = Wheel(reactor, tick=0.01)
    front = Front(exchanges, wheel)
    port = await serverFromString(reactor, description).listen(front)
    try:
        yield port.getHost()
    finally:
        await port.stopListening()
        front.drop()
        await until(lambda: not front.channels)
        wheel.stop()


def connected(address: Any) -> socket.socket:
    if hasattr(address, "port"):
        client = socket.create_connection((address.host, address.port))
    else:
        client = socket.socket(socket.AF_UNIX)
        client.connect(address.name)
    client.settimeout(5)
    return client


def everything(client: socket.socket) -> tuple[bytes, str]:
    """All the server sends, and how it ended."""
    data = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return data, "rst"
        if not piece:
            return data, "fin"
        data += piece


def asking(address: Any, request: bytes) -> tuple[bytes, str]:
    with connected(address) as client:
        client.sendall(request)
        head, _, body = (got := everything(client))[0].partition(b"\r\n\r\n")
        assert head
        return body, got[1]


TCP = "tcp:0:interface=127.0.0.1"


@pytest.mark.parametrize("description", [TCP, "tcp6:0:interface=\\:\\:1"])
@pytest_twisted.ensureDeferred
async def test_a_cut_answer_ends_by_fin_without_its_closing_chunk(
    description: str,
) -> None:
    async with listening(Exchanges(half), description) as address:
        assert await deferToThread(asking, address, GET) == (HELLO, "fin")


@pytest_twisted.ensureDeferred
async def test_where_fin_means_success_the_client_gets_all_and_then_a_reset() -> None:
    async with listening(Exchanges(half), TCP) as address:
        assert await deferToThread(asking, address, GET_1_0) == (b"hello", "rst")


@pytest_twisted.ensureDeferred
async def test_a_slow_client_gets_all_that_was_queued_before_the_reset() -> None:
    body = b"x" * 4_000_000

    def answer(downstream: IDownstream) -> None:
        downstream.start(200, [])
        downstream.write(body)
        downstream.cut()

    def slowly(address: Any) -> tuple[int, str]:
        with connected(address) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.sendall(GET_1_0)
            size = 0
            try:
                while piece := client.recv(100_000):
                    size += len(piece)
            except ConnectionResetError:
                return size, "rst"
            return size, "fin"

    async with listening(Exchanges(answer), TCP) as address:
        size, end = await deferToThread(slowly, address)
    assert end == "rst"
    assert size >= len(body)


@pytest_twisted.ensureDeferred
async def test_who_is_still_sending_gets_to_read_why_it_was_refused() -> None:
    def answer(downstream: IDownstream) -> None:
        downstream.start(413, [(b"content-length", b"2")])
        downstream.write(b"no")
        downstream.finish()

    def sending(address: Any) -> tuple[bytes, str]:
        with connected(address) as client:
            client.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\n")
            client.sendall(b"Content-Length: 3000000\r\n\r\n")
            for _ in range(30):
                client.sendall(b"x" * 100_000)
            client.shutdown(socket.SHUT_WR)
            data, end = everything(client)
            return data.partition(b"\r\n\r\n")[2], end

    async with listening(Exchanges(answer), TCP) as address:
        assert await deferToThread(sending, address) == (b"no", "fin")


@pytest.mark.parametrize("how", ["fin", "half", "rst"])
@pytest.mark.parametrize("begun", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_is_noticed_at_once(how: str, begun: bool) -> None:
    def answer(downstream: IDownstream) -> str:
        if begun:
            downstream.start(200, [])
            downstream.write(b"hello")
        return "wait"

    exchanges = Exchanges(answer)
    async with listening(exchanges, TCP) as address:
        client = connected(address)
        client.sendall(GET)
        await until(lambda: exchanges.served)
        leave(client, how)
        await until(lambda: exchanges.lost, 0.2)
        client.close()
    assert exchanges.lost == 1


def leave(client: socket.socket, how: str) -> None:
    if how == "half":
        client.shutdown(socket.SHUT_WR)
        return
    if how == "rst":
        linger = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_a_paused_upload_is_noticed_soon(how: str) -> None:
    sources: list[IBodySource] = []
    failed: list[Exception] = []

    def answer(downstream: IDownstream) -> str:
        source = downstream.source()
        source.start(lambda data: source.pause(), lambda: None, failed.append)
        sources.append(source)
        return "wait"

    exchanges = Exchanges(answer)
    async with listening(exchanges, TCP) as address:
        client = connected(address)
        client.sendall(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\nabc")
        await until(lambda: sources)
        await deferLater(reactor, 0.05)
        client.sendall(b"unread")
        leave(client, how)
        await until(lambda: exchanges.lost, 3)
    assert [type(error) for error in failed] == [CancelledError]


@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_nothing_pauses_the_producer() -> None:
    @implementer(IPushProducer)
    class Source:
        def __init__(self, downstream: IDownstream) -> None:
            self.downstream = downstream
            self.paused = False
            self.sent = 0

        def pauseProducing(self) -> None:
            self.paused = True

        def resumeProducing(self) -> None:
            self.paused = False
            self.go_on()

        def stopProducing(self) -> None:
            self.paused = True

        def go_on(self) -> None:
            while not self.paused and self.sent < 100_000_000:
                self.sent += 50_000
                self.downstream.write(b"x" * 50_000)

    sources: list[Source] = []

    def answer(downstream: IDownstream) -> str:
        source = Source(downstream)
        sources.append(source)
        downstream.register(source)
        downstream.start(200, [])
        source.go_on()
        return "wait"

    async with listening(Exchanges(answer), TCP) as address:
        client = connected(address)
        client.sendall(GET)
        await until(lambda: sources and sources[0].paused)
        stalled = sources[0].sent
        assert stalled < 20_000_000, "only the kernel's buffers are filled"
        await deferToThread(client.recv, 65536, socket.MSG_WAITALL)

        def some() -> int:
            size = 0
            while size < stalled:
                size += len(client.recv(1 << 20))
            return size

        await deferToThread(some)
        await until(lambda: sources[0].sent > stalled)
        client.close()
        await until(lambda: sources[0].paused)


@pytest_twisted.ensureDeferred
async def test_unix_sockets_serve(tmp_path: Path) -> None:
    exchanges = Exchanges(half)
    async with listening(exchanges, f"unix:{tmp_path}/s") as address:
        assert await deferToThread(asking, address, GET) == (HELLO, "fin")
    assert exchanges.served[0].peer == "unix"


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
        + socket.inet_aton("198.51.100.7")
        + socket.inet_aton("127.0.0.1")
        + struct.pack("!HH", 4711, 80),
    ],
    ids=["v1", "v2"],
)
@pytest_twisted.ensureDeferred
async def test_the_proxy_protocol_tells_the_peer(header: bytes) -> None:
    exchanges = Exchanges(half)
    async with listening(exchanges, f"haproxy:{TCP}") as address:
        assert await deferToThread(asking, address, header + GET) == (HELLO, "fin")
    assert exchanges.served[0].peer == "198.51.100.7"


# -- TLS

#: Twisted's own ``ssl:`` endpoint has not followed pyOpenSSL yet.
twisteds_tls = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    authority = Authority(tmp_path_factory.mktemp("tls"))
    return authority.ca_file, authority.issue("127.0.0.1")


def tls(certificate: tuple[str, str]) -> str:
    return f"ssl:0:interface=127.0.0.1:privateKey={certificate[1]}"


def asking_tls(address: Any, ca_file: str, request: bytes) -> tuple[bytes, str]:
    context = ssl.create_default_context(cafile=ca_file)
    plain = connected(address)
    with context.wrap_socket(
        plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False
    ) as client:
        client.sendall(request)
        data = b""
        try:
            while piece := client.recv(65536):
                data += piece
        except (ssl.SSLEOFError, ConnectionResetError):
            return data.partition(b"\r\n\r\n")[2], "broken"
        return data.partition(b"\r\n\r\n")[2], "close_notify"


@pytest.mark.parametrize(
    ("request_", "body", "end"),
    [(GET, HELLO, "close_notify"), (GET_1_0, b"hello", "broken")],
    ids=["1.1", "1.0"],
)
@twisteds_tls
@pytest_twisted.ensureDeferred
async def test_a_cut_answer_is_told_apart_over_tls_too(
    certificate: tuple[str, str], request_: bytes, body: bytes, end: str
) -> None:
    exchanges = Exchanges(half)
    async with listening(exchanges, tls(certificate)) as address:
        ask = (asking_tls, address, certificate[0], request_)
        assert await deferToThread(*ask) == (body, end)
    assert exchanges.served[0].scheme == "https"
    assert exchanges.served[0].peer == "127.0.0.1"


@twisteds_tls
@pytest_twisted.ensureDeferred
async def test_answers_and_bodies_of_any_size_go_over_tls(
    certificate: tuple[str, str],
) -> None:
    body = bytes(range(256)) * 4000

    class Echo(Exchanges):
        async def __call__(self, downstream: IDownstream) -> None:
            got = await downstream.read(1 << 24)
            downstream.start(200, [])
            downstream.write(got)
            downstream.finish()

    head = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with listening(Echo(hello), tls(certificate)) as address:
        ask = (asking_tls, address, certificate[0], request)
        got, end = await deferToThread(*ask)
    assert end == "close_notify"
    assert got == b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest_twisted.ensureDeferred
async def test_who_speaks_tls_to_a_plain_port_is_refused() -> None:
    async with listening(Exchanges(hello), TCP) as address:
        ask = (asking, address, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
        assert (await deferToThread(*ask))[0].startswith(b'{"error":')
