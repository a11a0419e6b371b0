"""
Eager transports do what stock ones do, only sooner. Every promise here is kept by both,
on real sockets, from either end; run it also with ``--reactor=asyncio``.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IOpenSSLServerConnectionCreator,
    IPushProducer,
    ITCPTransport,
)
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from aigw.http import eager

from .authority import Authority

reactor: Any = _reactor


async def turn(seconds: float = 0) -> None:
    await deferLater(reactor, seconds)


async def until(true: Callable[[], Any]) -> None:
    """Wait for what real sockets do; five seconds at most."""
    end = reactor.seconds() + 5
    while not true():
        assert reactor.seconds() < end, "waited in vain"
        await turn(0.001)


class Probe(Protocol):
    """The protocol at our end."""

    def __init__(self, upgraded: bool) -> None:
        self.upgraded = upgraded
        self.data = bytearray()
        self.reason: type[Exception] | None = None
        self.halves: list[str] = []
        self.echoes = False

    def connectionMade(self) -> None:
        self.wire: Any = self.transport
        if self.upgraded:
            assert eager.upgrade(self.wire) is self.wire

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        if self.echoes:
            self.wire.write(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        assert self.reason is None
        self.reason = reason.type

    def readConnectionLost(self) -> None:
        self.halves.append("read")

    def writeConnectionLost(self) -> None:
        self.halves.append("write")


class Peer:
    """The raw socket at the other end; nothing of it waits."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        self.data = bytearray()
        self.ended = ""

    def read(self, most: int = 1 << 20) -> None:
        try:
            data = self.sock.recv(most)
        except BlockingIOError:
            return
        except ConnectionResetError:
            self.ended = "reset"
            return
        self.data += data
        if not data:
            self.ended = "end"

    async def take(self, count: int) -> bytes:
        def enough() -> bool:
            self.read()
            return len(self.data) >= count or bool(self.ended)

        await until(enough)
        return bytes(self.data)

    async def end(self) -> str:
        def ended() -> str:
            self.read()
            return self.ended

        await until(ended)
        return self.ended

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()


class Link:
    """Our end and the other."""

    def __init__(self, probe: Probe, peer: Peer) -> None:
        self.probe = probe
        self.peer = peer
        self.wire = probe.wire

    @property
    def queued(self) -> int:
        return len(self.wire.dataBuffer) + self.wire._tempDataLen


async def as_server(upgraded: bool) -> Link:
    probe = Probe(upgraded)
    factory = Factory.forProtocol(lambda: probe)  # type: ignore[arg-type]
    port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
    sock = socket.create_connection(("127.0.0.1", port.getHost().port))
    await until(lambda: probe.connected)
    await port.stopListening()
    return Link(probe, Peer(sock))


async def as_client(upgraded: bool) -> Link:
    listening = socket.create_server(("127.0.0.1", 0))
    probe = Probe(upgraded)
    factory = ClientFactory.forProtocol(lambda: probe)  # type: ignore[arg-type]
    # Not an endpoint: its wrapper would hide that the probe can be half-closed.
    reactor.connectTCP("127.0.0.1", listening.getsockname()[1], factory)
    await until(lambda: probe.connected)
    sock, _ = listening.accept()
    listening.close()
    return Link(probe, Peer(sock))


async def over_unix(upgraded: bool) -> Link:
    probe = Probe(upgraded)
    factory = Factory.forProtocol(lambda: probe)  # type: ignore[arg-type]
    path = f"/tmp/aigw-eager-{os.getpid()}"
    port = await serverFromString(reactor, f"unix:{path}:lockfile=0").listen(factory)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    await until(lambda: probe.connected)
    await port.stopListening()
    return Link(probe, Peer(sock))


ENDS = {"server": as_server, "client": as_client, "unix": over_unix}

Promise = Callable[[Link], Coroutine[Any, Any, None]]


def kept_by_both(promise: Promise, *ends: str) -> Any:
    """Test a promise on stock and on eager transports, at each end."""

    @pytest.mark.parametrize("end", ends or ["server", "client", "unix"])
    @pytest.mark.parametrize("kind", ["stock", "eager"])
    @pytest_twisted.ensureDeferred
    async def test(kind: str, end: str) -> None:
        link = await ENDS[end](kind == "eager")
        try:
            await promise(link)
        finally:
            link.peer.sock.close()
            if link.probe.reason is None:
                link.wire.abortConnection()
                await until(lambda: link.probe.reason)

    test.__name__ = promise.__name__
    test.__doc__ = promise.__doc__
    return test


def over_tcp(promise: Promise) -> Any:
    return kept_by_both(promise, "server", "client")


# -- what is written


@kept_by_both
async def test_all_that_is_written_arrives_in_order(link: Link) -> None:
    pieces = [bytes([n % 256]) * (1 + n * 997 % 70_000) for n in range(200)]
    whole = b"".join(pieces)
    for number, piece in enumerate(pieces):
        if number % 3:
            link.wire.write(piece)
        else:
            link.wire.writeSequence([piece[:10], b"", piece[10:]])
        if number % 7 == 0:
            await turn()
            link.peer.read(50_000)
    assert await link.peer.take(len(whole)) == whole


@kept_by_both
async def test_a_write_larger_than_any_buffer_arrives(link: Link) -> None:
    whole = os.urandom(12_000_000)
    link.wire.write(whole)
    assert link.queued > 0
    assert await link.peer.take(len(whole)) == whole
    await until(lambda: not link.queued)


@kept_by_both
async def test_writes_inside_data_received_arrive(link: Link) -> None:
    link.probe.echoes = True
    for number in range(5):
        link.peer.sock.send(b"%d" % number)
        await link.peer.take(number + 1)
    assert link.peer.data == b"01234"


@kept_by_both
async def test_only_bytes_are_taken(link: Link) -> None:
    with pytest.raises(TypeError):
        link.wire.write("text")
    with pytest.raises(TypeError):
        link.wire.writeSequence(["text"])
    link.wire.write(b"")
    link.wire.writeSequence([])
    link.wire.write(b"x")
    assert await link.peer.take(1) == b"x"


# -- producers


@implementer(IPushProducer)
class Spring:
    """Writes pieces until paused, ``count`` in all."""

    def __init__(self, link: Link, count: int, size: int = 65536) -> None:
        self.link = link
        self.left = count
        self.size = size
        self.calls: list[str] = []
        self.running = True
        self.most = 0

    def run(self) -> None:
        while self.running and self.left:
            self.left -= 1
            self.link.wire.write(bytes([self.left % 251]) * self.size)
            self.most = max(self.most, self.link.queued)

    def pauseProducing(self) -> None:
        self.running = False
        if self.calls[-1:] != ["pause"]:
            self.calls.append("pause")

    def resumeProducing(self) -> None:
        assert not self.link.queued
        self.calls.append("resume")
        self.running = True
        self.run()

    def stopProducing(self) -> None:
        self.running = False
        self.calls.append("stop")


@kept_by_both
async def test_a_push_producer_is_paused_in_time_and_resumed_when_all_is_sent(
    link: Link,
) -> None:
    spring = Spring(link, 300)
    link.wire.registerProducer(spring, True)
    spring.run()
    for _ in range(20):
        await turn()
    assert spring.calls[-1] == "pause"
    assert spring.left
    assert spring.most <= 2 * 65536
    wanted = b"".join(bytes([n % 251]) * 65536 for n in reversed(range(300)))
    assert await link.peer.take(len(wanted)) == wanted
    await until(lambda: spring.calls[-1] == "resume")
    assert spring.calls == ["pause", "resume"] * (len(spring.calls) // 2)
    link.wire.unregisterProducer()


@kept_by_both
async def test_a_pull_producer_is_asked_until_it_has_no_more(link: Link) -> None:
    class Well:
        left = 50

        def resumeProducing(self) -> None:
            if self.left:
                self.left -= 1
                link.wire.write(bytes([self.left]) * 1000)
            else:
                link.wire.unregisterProducer()

        def stopProducing(self) -> None:
            pass

    link.wire.registerProducer(Well(), False)
    wanted = b"".join(bytes([n]) * 1000 for n in reversed(range(50)))
    assert await link.peer.take(len(wanted)) == wanted
    await until(lambda: link.wire.producer is None)


@kept_by_both
async def test_a_producer_is_stopped_once_when_its_connection_is_lost(
    link: Link,
) -> None:
    spring = Spring(link, 10_000)
    link.wire.registerProducer(spring, True)
    spring.run()
    link.peer.sock.close()
    await until(lambda: link.probe.reason)
    assert spring.calls.count("stop") == 1
    link.wire.write(b"too late")


@kept_by_both
async def test_a_producer_told_to_go_on_keeps_a_closing_connection_open(
    link: Link,
) -> None:
    spring = Spring(link, 0)
    link.wire.registerProducer(spring, True)
    link.wire.write(b"x" * 10_000_000)
    assert spring.calls == ["pause"]
    link.wire.loseConnection()
    await link.peer.take(10_000_000)
    await until(lambda: spring.calls == ["pause", "resume"])
    for _ in range(5):
        await turn()
    assert link.probe.reason is None
    link.wire.write(b"last")
    link.wire.unregisterProducer()
    assert (await link.peer.take(10_000_004)).endswith(b"last")
    assert await link.peer.end() == "end"


# -- endings of ours


@kept_by_both
async def test_lose_connection_sends_what_is_queued_first(link: Link) -> None:
    link.wire.write(b"x" * 10_000_000)
    link.wire.loseConnection()
    assert len(await link.peer.take(10_000_000)) == 10_000_000
    assert await link.peer.end() == "end"
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionDone


@kept_by_both
async def test_lose_connection_after_a_small_write_sends_it(link: Link) -> None:
    link.wire.write(b"a")
    link.wire.loseConnection()
    assert link.probe.reason is None  # never from inside
    assert await link.peer.end() == "end"
    assert link.peer.data == b"a"
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionDone


@over_tcp
async def test_abort_drops_what_is_queued_and_resets(link: Link) -> None:
    link.wire.write(b"x" * 10_000_000)
    link.wire.abortConnection()
    link.wire.write(b"never")
    assert link.probe.reason is None
    assert await link.peer.end() == "reset"
    assert len(link.peer.data) < 10_000_000
    assert link.probe.reason is ConnectionAborted


@over_tcp
async def test_nothing_written_after_an_abort_is_sent(link: Link) -> None:
    link.wire.abortConnection()
    link.wire.write(b"never")
    with pytest.raises(BlockingIOError):
        link.peer.sock.recv(10)
    assert await link.peer.end() == "reset"
    assert link.peer.data == b""


@kept_by_both
async def test_half_closing_sends_what_is_written_and_still_reads(link: Link) -> None:
    alsoProvides(link.probe, IHalfCloseableProtocol)
    link.wire.write(b"x" * 3_000_000)
    link.wire.loseWriteConnection()
    link.wire.write(b"y")  # before the end: Twisted sends it
    assert await link.peer.end() == "end"
    assert link.peer.data == b"x" * 3_000_000 + b"y"
    assert link.probe.halves == ["write"]
    link.wire.write(b"never")
    link.peer.sock.send(b"answer")
    await until(lambda: link.probe.data == b"answer")


# -- endings of the peer's


@kept_by_both
async def test_a_proper_end_of_the_peer_is_connection_done(link: Link) -> None:
    link.peer.sock.send(b"bye")
    link.peer.sock.close()
    await until(lambda: link.probe.reason)
    assert link.probe.data == b"bye"
    assert link.probe.reason is ConnectionDone


@kept_by_both
async def test_a_half_closing_peer_still_gets_what_is_written(link: Link) -> None:
    alsoProvides(link.probe, IHalfCloseableProtocol)
    link.peer.sock.shutdown(socket.SHUT_WR)
    await until(lambda: link.probe.halves == ["read"])
    link.wire.write(b"still")
    assert await link.peer.take(5) == b"still"
    link.wire.loseConnection()
    assert await link.peer.end() == "end"


@over_tcp
async def test_a_reset_is_connection_lost(link: Link) -> None:
    link.peer.reset()
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@over_tcp
async def test_a_reset_found_by_a_write_is_connection_lost(link: Link) -> None:
    link.peer.sock.send(b"half of a body that ends with the connection")
    await until(lambda: link.probe.data)
    link.peer.reset()
    link.wire.write(b"finds it")
    assert link.probe.reason is None  # never from inside
    link.wire.write(b"and again")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@over_tcp
async def test_a_reset_found_by_a_write_is_no_half_close(link: Link) -> None:
    alsoProvides(link.probe, IHalfCloseableProtocol)
    link.peer.reset()
    link.wire.write(b"finds it")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost
    assert link.probe.halves == []


@over_tcp
async def test_a_reset_is_found_by_a_write_although_nothing_is_read(link: Link) -> None:
    link.wire.pauseProducing()
    link.peer.reset()
    link.wire.write(b"finds it")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@over_tcp
async def test_losing_a_connection_that_was_reset_is_connection_lost(
    link: Link,
) -> None:
    link.peer.reset()
    link.wire.write(b"finds it")
    link.wire.loseConnection()
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@over_tcp
async def test_a_half_closed_connection_finds_a_reset_by_its_writes(
    link: Link,
) -> None:
    alsoProvides(link.probe, IHalfCloseableProtocol)
    link.peer.sock.shutdown(socket.SHUT_WR)
    await until(lambda: link.probe.halves == ["read"])
    link.peer.reset()
    link.wire.write(b"finds it")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@over_tcp
async def test_a_proper_end_stays_one_although_writes_after_it_fail(
    link: Link,
) -> None:
    link.peer.sock.send(b"whole body")
    link.peer.sock.close()
    link.wire.write(b"answered by RST")
    link.wire.write(b"fails")
    await until(lambda: link.probe.reason)
    assert link.probe.data == b"whole body"
    assert link.probe.reason is ConnectionDone


@pytest.mark.parametrize("kind", ["stock", "eager"])
@pytest_twisted.ensureDeferred
async def test_a_unix_peer_that_reads_no_more_is_connection_lost(kind: str) -> None:
    link = await over_unix(kind == "eager")
    link.peer.sock.shutdown(socket.SHUT_RD)
    link.wire.write(b"nobody reads it")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost
    link.peer.sock.close()


# -- what only eager transports promise


@pytest.mark.parametrize("end", ["server", "client"])
@pytest_twisted.ensureDeferred
async def test_all_the_peer_had_sent_is_read_although_writes_fail(end: str) -> None:
    link = await ENDS[end](True)
    link.wire.pauseProducing()
    link.peer.sock.setblocking(True)
    link.peer.sock.sendall(b"x" * 100_000)  # more than one read
    link.peer.sock.close()
    link.wire.resumeProducing()
    link.wire.write(b"answered by RST")
    link.wire.write(b"fails")
    await until(lambda: link.probe.reason)
    assert len(link.probe.data) == 100_000
    assert link.probe.reason is ConnectionDone


@pytest.mark.parametrize("end", ENDS)
@pytest_twisted.ensureDeferred
async def test_a_write_is_with_the_peer_before_the_reactor_turns(end: str) -> None:
    link = await ENDS[end](True)
    link.wire.write(b"one")
    assert link.peer.sock.recv(10) == b"one"
    link.wire.writeSequence([b"t", b"wo"])
    assert link.peer.sock.recv(10) == b"two"
    assert link.wire not in reactor.getWriters()
    link.peer.sock.close()
    await until(lambda: link.probe.reason)


@pytest.mark.parametrize("end", ["server", "client"])
@pytest_twisted.ensureDeferred
async def test_an_upgraded_transport_is_the_same_and_can_be_upgraded_again(
    end: str,
) -> None:
    link = await ENDS[end](True)
    assert ITCPTransport.providedBy(link.wire)
    kind = type(link.wire)
    assert eager.upgrade(link.wire) is link.wire
    assert type(link.wire) is kind
    link.peer.sock.close()
    await until(lambda: link.probe.reason)


def test_a_transport_of_another_kind_stays_as_it_is() -> None:
    wire = StringTransport()
    assert eager.upgrade(wire) is wire
    assert type(wire) is StringTransport


@pytest_twisted.ensureDeferred
async def test_the_kernel_holds_little_for_a_peer_that_does_not_read() -> None:
    link = await as_server(True)
    link.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    spring = Spring(link, 10_000)
    link.wire.registerProducer(spring, True)
    spring.run()
    for _ in range(50):
        await turn(0.001)
    assert spring.calls[-1] == "pause"
    assert (10_000 - spring.left) * 65536 < 1_000_000
    link.wire.unregisterProducer()
    link.wire.abortConnection()
    await until(lambda: link.probe.reason)
    link.peer.sock.close()


# -- TLS


class Secured(Link):
    """Our end under TLS; the other is a plain ssl socket, shaken in a thread."""

    @property
    def below(self) -> Any:
        return self.wire.transport

    @property
    def queued(self) -> int:
        return len(self.below.dataBuffer) + int(self.below._tempDataLen)


class SSLPeer(Peer):
    sock: ssl.SSLSocket

    def read(self, most: int = 1 << 20) -> None:
        try:
            super().read(most)
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self.ended = "end"


@implementer(IOpenSSLServerConnectionCreator)
class Certified:
    def __init__(self, pem: str) -> None:
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate_file(pem)
        self.context.use_privatekey_file(pem)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self.context, None)


async def secured(upgraded: bool, folder: Path) -> Secured:
    authority = Authority(folder)
    pem = authority.issue("127.0.0.1")
    probe = Probe(upgraded)
    factory = Factory.forProtocol(lambda: probe)  # type: ignore[arg-type]
    tls = TLSMemoryBIOFactory(Certified(pem), False, factory, reactor)
    port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(tls)
    number = port.getHost().port

    def connect() -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=authority.ca_file)
        sock = socket.create_connection(("127.0.0.1", number), timeout=5)
        return context.wrap_socket(sock, server_hostname="127.0.0.1")

    sock = await deferToThread(connect)
    await until(lambda: probe.wire._handshakeDone)
    await port.stopListening()
    return Secured(probe, SSLPeer(sock))


def under_tls(promise: Callable[[Secured], Coroutine[Any, Any, None]]) -> Any:
    @pytest.mark.parametrize("kind", ["stock", "eager"])
    @pytest_twisted.ensureDeferred
    async def test(kind: str, tmp_path: Path) -> None:
        link = await secured(kind == "eager", tmp_path)
        try:
            await promise(link)
        finally:
            link.peer.sock.close()
            if link.probe.reason is None:
                link.wire.abortConnection()
                await until(lambda: link.probe.reason)

    test.__name__ = promise.__name__
    return test


@under_tls
async def test_under_tls_all_that_is_written_arrives_in_order(link: Secured) -> None:
    pieces = [bytes([n % 256]) * (1 + n * 997 % 70_000) for n in range(100)]
    for number, piece in enumerate(pieces):
        link.wire.write(piece)
        if number % 7 == 0:
            await turn()
    whole = b"".join(pieces)
    assert await link.peer.take(len(whole)) == whole


@under_tls
async def test_under_tls_a_push_producer_is_paused_and_resumed(link: Secured) -> None:
    spring = Spring(link, 200)
    link.wire.registerProducer(spring, True)
    spring.run()
    for _ in range(20):
        await turn()
    # Stock TLS holds all back until the next turn, and so may have taken it all.
    assert spring.calls[-1] == "pause"
    wanted = b"".join(bytes([n % 251]) * 65536 for n in reversed(range(200)))
    assert await link.peer.take(len(wanted)) == wanted
    await until(lambda: spring.calls[-1] == "resume")
    link.wire.unregisterProducer()


@under_tls
async def test_under_tls_closing_sends_what_is_written_first(link: Secured) -> None:
    link.wire.write(b"x" * 3_000_000)
    link.wire.loseConnection()
    assert len(await link.peer.take(3_000_000)) == 3_000_000
    assert await link.peer.end() == "end"


@under_tls
async def test_under_tls_a_reset_found_by_a_write_is_connection_lost(
    link: Secured,
) -> None:
    link.peer.reset()
    link.wire.write(b"finds it")
    link.wire.write(b"and again")
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost


@under_tls
async def test_under_tls_an_abort_drops_what_is_queued(link: Secured) -> None:
    link.wire.write(b"x" * 10_000_000)
    link.wire.abortConnection()
    await until(lambda: link.probe.reason)
    assert link.probe.reason is ConnectionLost  # as Twisted's TLS tells it
    await link.peer.end()
    assert len(link.peer.data) < 10_000_000


@pytest_twisted.ensureDeferred
async def test_under_tls_a_write_is_with_the_peer_before_the_reactor_turns(
    tmp_path: Path,
) -> None:
    link = await secured(True, tmp_path)
    assert type(link.wire) is TLSMemoryBIOProtocol
    link.peer.sock.settimeout(5)
    link.wire.write(b"one")
    assert link.peer.sock.recv(10) == b"one"
    assert link.below not in reactor.getWriters()
    link.wire.abortConnection()
    link.peer.sock.close()
    await until(lambda: link.probe.reason)
