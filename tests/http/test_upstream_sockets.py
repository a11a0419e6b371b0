"""Connections to providers on real sockets: TLS, proxies, names, resets."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.base import BaseConnector
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from aigw.errors import ConnectFailed, UpstreamBroke, UpstreamTimeout
from aigw.http.upstream import Call, Upstream
from aigw.model.outbound import Origin, Outbound, Patience, Trust
from aigw.streaming.timers import Wheel
from aigw.testing.upstream import MemoryReceiver

from .authority import Authority

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Provider:
    """
    A server in a thread, on plain blocking sockets, that does with each connection what
    ``serve`` says.

    :ivar seen: what ``serve`` returned for each connection, or the error it met.
    """

    def __init__(self, serve: Callable[[socket.socket], Any], family: int = 0) -> None:
        family = family or socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.seen: list[Any] = []
        self._serve = serve
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            connection.settimeout(5)
            each = threading.Thread(target=self._one, args=(connection,), daemon=True)
            each.start()
            threads.append(each)
        for each in threads:
            each.join(5)

    def _one(self, connection: socket.socket) -> None:
        try:
            self.seen.append(self._serve(connection))
        except OSError as error:
            self.seen.append(error)
        finally:
            connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def request_on(connection: socket.socket) -> bytes:
    """Read one request with a short body, or nothing if the client has gone."""
    data = b""
    while not data.endswith((b"{}", b"\r\n\r\n")):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


def answer_all(connection: socket.socket) -> list[bytes]:
    """Answer request after request until the client goes."""
    requests: list[bytes] = []
    while True:
        data = request_on(connection)
        if not data:
            return requests
        requests.append(data)
        connection.sendall(OK)


def over_tls(
    pem: str, serve: Callable[[Any], Any], client_ca: str | None = None
) -> Callable[[socket.socket], Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    names: list[str | None] = []
    context.sni_callback = lambda connection, name, _: names.append(name)

    def run(connection: socket.socket) -> Any:
        with context.wrap_socket(connection, server_side=True) as secured:
            return names[-1] if names else None, serve(secured)

    return run


class Rig:
    """An upstream on the real reactor, and the servers of one test."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.wheel = Wheel(self.reactor, tick=0.01)
        self.upstream = Upstream(self.reactor, self.wheel)
        self.providers: list[Provider] = []

    def provider(
        self, serve: Callable[[socket.socket], Any], family: int = 0
    ) -> Provider:
        provider = Provider(serve, family)
        self.providers.append(provider)
        return provider

    def send(
        self,
        scheme: str,
        port: int,
        host: str = "127.0.0.1",
        patience: Patience = Patience(5, 5, 5),
        **origin: Any,
    ) -> tuple[Call, MemoryReceiver]:
        receiver = MemoryReceiver()
        to = Origin(scheme, host, port, **origin)
        outbound = Outbound(to, "POST", b"/", [], b"{}", patience)
        return self.upstream.send(outbound, receiver), receiver

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            await deferLater(self.reactor, 0.005)

    async def done(self, receiver: MemoryReceiver) -> MemoryReceiver:
        await self.until(lambda: receiver.done)
        return receiver


Test = Callable[[Rig], Awaitable[None]]


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig

    async def stop() -> None:
        await rig.upstream.stop()
        rig.wheel.stop()

    pytest_twisted.blockon(Deferred.fromCoroutine(stop()))
    for provider in rig.providers:
        provider.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest_twisted.ensureDeferred
async def test_plain_connection_serves_again_and_again(rig: Rig) -> None:
    provider = rig.provider(answer_all)
    for turn in range(3):
        call, receiver = rig.send("http", provider.port)
        await rig.done(receiver)
        assert receiver.data == b"ok"
        assert call.reused is (turn > 0)
        assert call.address == f"127.0.0.1:{provider.port}"
        assert call.connected_at is not None
        assert call.sent_at is not None
    await rig.upstream.stop()
    await rig.until(lambda: provider.seen)
    assert len(provider.seen[0]) == 3


@pytest_twisted.ensureDeferred
async def test_open_connection_holds_nothing_of_what_made_it(rig: Rig) -> None:
    def makers() -> list[object]:
        kinds = (BaseConnector, Factory)
        return [each for each in gc.get_objects() if isinstance(each, kinds)]

    provider = rig.provider(answer_all)
    before = {id(each) for each in makers()}
    _, receiver = rig.send("http", provider.port)
    await rig.done(receiver)
    assert rig.upstream.parked(Origin("http", "127.0.0.1", provider.port)) == 1
    assert [each for each in makers() if id(each) not in before] == []


@pytest_twisted.ensureDeferred
async def test_ipv6_literal_is_reached(rig: Rig) -> None:
    provider = rig.provider(answer_all, socket.AF_INET6)
    call, receiver = rig.send("http", provider.port, host="::1")
    assert (await rig.done(receiver)).data == b"ok"
    assert call.address == f"[::1]:{provider.port}"


@pytest_twisted.ensureDeferred
async def test_name_is_resolved_by_the_reactor(rig: Rig) -> None:
    provider = rig.provider(answer_all)
    _, receiver = rig.send("http", provider.port, host="localhost")
    assert (await rig.done(receiver)).data == b"ok"


@pytest_twisted.ensureDeferred
async def test_unknown_name_and_closed_port_are_told_apart(rig: Rig) -> None:
    _, unknown = rig.send("http", 80, host="nowhere.invalid")
    await rig.done(unknown)
    assert isinstance(unknown.error, ConnectFailed)
    assert unknown.error.reason == "resolve"
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    _, refused = rig.send("http", closed.getsockname()[1])
    await rig.done(refused)
    closed.close()
    assert isinstance(refused.error, ConnectFailed)
    assert refused.error.reason == "connect"


@pytest_twisted.ensureDeferred
async def test_reset_in_the_body_is_told(rig: Rig) -> None:
    def serve(connection: socket.socket) -> None:
        request_on(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nabc")
        time.sleep(0.1)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    provider = rig.provider(serve)
    _, receiver = rig.send("http", provider.port)
    await rig.done(receiver)
    assert receiver.data == b"abc"
    assert isinstance(receiver.error, UpstreamBroke)
    assert receiver.error.reason == "reset"


@pytest_twisted.ensureDeferred
async def test_request_on_a_connection_the_provider_closes_is_replayed(
    rig: Rig,
) -> None:
    served = 0

    def serve(connection: socket.socket) -> int:
        nonlocal served
        served += 1
        request_on(connection)
        connection.sendall(OK)
        if served == 1:
            request_on(connection)  # swallowed, as by a provider that gives it up
            return 0
        return len(answer_all(connection))

    provider = rig.provider(serve)
    await rig.done(rig.send("http", provider.port)[1])
    call, receiver = rig.send("http", provider.port)
    assert call.reused
    await rig.done(receiver)
    assert receiver.data == b"ok"
    assert not call.reused
    assert served == 2


@pytest_twisted.ensureDeferred
async def test_large_request_arrives_whole(rig: Rig, authority: Authority) -> None:
    size = 8 * 1024 * 1024

    def serve(connection: socket.socket) -> int:
        got = 0
        while got < size:
            got += len(connection.recv(65536))
        connection.sendall(OK)
        request_on(connection)
        return got

    plain = rig.provider(serve)
    secured = rig.provider(over_tls(authority.issue("127.0.0.1"), serve))
    trust = Trust(ca_file=authority.ca_file)
    for scheme, port in (("http", plain.port), ("https", secured.port)):
        receiver = MemoryReceiver()
        origin = Origin(scheme, "127.0.0.1", port, trust)
        body = bytes(size)
        call = rig.upstream.send(Outbound(origin, "POST", b"/", [], body), receiver)
        await rig.done(receiver)
        assert receiver.data == b"ok"
        assert call.sent_at is not None


# -- TLS


@pytest_twisted.ensureDeferred
async def test_tls_is_verified_and_names_the_server(
    rig: Rig, authority: Authority
) -> None:
    provider = rig.provider(over_tls(authority.issue("a.example"), answer_all))
    trust = Trust(ca_file=authority.ca_file)
    for turn in range(2):
        call, receiver = rig.send(
            "https", provider.port, "a.example", trust=trust, address="127.0.0.1"
        )
        await rig.done(receiver)
        assert receiver.error is None, receiver.error and receiver.error.detail
        assert receiver.data == b"ok"
        assert call.reused is (turn > 0)
    await rig.upstream.stop()
    await rig.until(lambda: provider.seen)
    assert provider.seen[0][0] == "a.example"


@pytest_twisted.ensureDeferred
async def test_untrusted_or_misnamed_server_gets_no_request(
    rig: Rig, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    provider = rig.provider(over_tls(authority.issue("a.example"), request_on))
    trusted = Trust(ca_file=authority.ca_file)
    for host, trust in (
        ("b.example", trusted),
        ("127.0.0.1", trusted),
        ("a.example", Trust()),
        ("a.example", Trust(ca_file=stranger.ca_file)),
    ):
        _, receiver = rig.send(
            "https", provider.port, host, trust=trust, address="127.0.0.1"
        )
        await rig.done(receiver)
        assert isinstance(receiver.error, ConnectFailed)
        assert receiver.error.reason == "tls"
    await rig.until(lambda: len(provider.seen) == 4)
    for seen in provider.seen:
        assert isinstance(seen, OSError) or seen[1] == b""


@pytest_twisted.ensureDeferred
async def test_verification_can_be_switched_off(rig: Rig, authority: Authority) -> None:
    provider = rig.provider(over_tls(authority.issue("a.example"), answer_all))
    _, receiver = rig.send("https", provider.port, trust=Trust(verify=False))
    assert (await rig.done(receiver)).data == b"ok"


@pytest_twisted.ensureDeferred
async def test_address_in_the_certificate_is_verified(
    rig: Rig, authority: Authority
) -> None:
    provider = rig.provider(over_tls(authority.issue("127.0.0.1"), answer_all))
    trust = Trust(ca_file=authority.ca_file)
    _, receiver = rig.send("https", provider.port, trust=trust)
    assert (await rig.done(receiver)).data == b"ok"


@pytest_twisted.ensureDeferred
async def test_client_certificate_is_shown(rig: Rig, authority: Authority) -> None:
    def serve(connection: ssl.SSLSocket) -> Any:
        certificate = connection.getpeercert()
        answer_all(connection)
        return certificate

    pem = authority.issue("127.0.0.1")
    provider = rig.provider(over_tls(pem, serve, client_ca=authority.ca_file))
    own = authority.issue("client.example")
    trust = Trust(ca_file=authority.ca_file, cert_file=own)
    _, receiver = rig.send("https", provider.port, trust=trust)
    assert (await rig.done(receiver)).data == b"ok"


@pytest_twisted.ensureDeferred
async def test_unreadable_trust_is_told_as_tls(rig: Rig, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    provider = rig.provider(request_on)
    for name in (str(tmp_path / "none.pem"), str(empty)):
        trust = Trust(ca_file=name)
        _, receiver = rig.send("https", provider.port, trust=trust)
        await rig.done(receiver)
        assert isinstance(receiver.error, ConnectFailed)
        assert receiver.error.reason == "tls"


@pytest_twisted.ensureDeferred
async def test_renewed_certificate_files_are_read_when_told(
    rig: Rig, authority: Authority, tmp_path: Path
) -> None:
    provider = rig.provider(over_tls(authority.issue("127.0.0.1"), answer_all))
    trust = Trust(ca_file=Authority(tmp_path).ca_file)
    _, receiver = rig.send("https", provider.port, trust=trust)
    await rig.done(receiver)
    assert receiver.error is not None
    Path(str(trust.ca_file)).write_bytes(Path(authority.ca_file).read_bytes())
    rig.upstream.renew()
    _, receiver = rig.send("https", provider.port, trust=trust)
    assert (await rig.done(receiver)).data == b"ok"


@pytest_twisted.ensureDeferred
async def test_tls_that_ends_without_close_notify_completes_nothing(
    rig: Rig, authority: Authority
) -> None:
    def rude(connection: ssl.SSLSocket) -> None:
        request_on(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nabc")
        connection.shutdown(socket.SHUT_RDWR)

    def polite(connection: ssl.SSLSocket) -> None:
        request_on(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nabc")
        connection.unwrap()

    trust = Trust(ca_file=authority.ca_file)
    pem = authority.issue("127.0.0.1")
    for serve, complete in ((rude, False), (polite, True)):
        provider = rig.provider(over_tls(pem, serve))
        _, receiver = rig.send("https", provider.port, trust=trust)
        await rig.done(receiver)
        assert receiver.data == b"abc"
        assert receiver.complete is complete, serve.__name__


@pytest_twisted.ensureDeferred
async def test_paused_tls_connection_closes_at_once_when_stopped(
    rig: Rig, authority: Authority
) -> None:
    def serve(connection: ssl.SSLSocket) -> float:
        request_on(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(bytes(65536))
        except OSError:
            return time.monotonic()

    provider = rig.provider(over_tls(authority.issue("127.0.0.1"), serve))
    trust = Trust(ca_file=authority.ca_file)
    call, receiver = rig.send("https", provider.port, trust=trust)
    await rig.until(lambda: receiver.pieces)
    call.pause()
    await deferLater(rig.reactor, 0.2)
    before, told = time.monotonic(), len(receiver.told)
    call.stop()
    await rig.until(lambda: provider.seen)
    assert provider.seen[0][1] - before < 0.5
    assert len(receiver.told) == told


@pytest_twisted.ensureDeferred
async def test_connect_deadline_covers_the_handshake(rig: Rig) -> None:
    provider = rig.provider(
        lambda connection: connection.recv(1000) and _eof(connection)
    )
    patience = Patience(0.2, 5, 5)
    _, receiver = rig.send("https", provider.port, patience=patience)
    await rig.done(receiver)
    assert isinstance(receiver.error, UpstreamTimeout)
    assert receiver.error.reason == "connect"
    await rig.until(lambda: provider.seen)


# -- egress proxies


def _eof(connection: socket.socket) -> bytes:
    data = b""
    while True:
        more = connection.recv(65536)
        if not more:
            return data
        data += more


def proxy_to(port: int, answer: bytes) -> Callable[[socket.socket], bytes]:
    """A CONNECT proxy that leads everywhere to ``port``; its client must not reset."""
    resets: list[OSError] = []
    onwards: list[socket.socket] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError as error:
            if source is not onwards[-1]:
                resets.append(error)

    def serve(connection: socket.socket) -> bytes:
        head = request_on(connection)
        with socket.create_connection(("127.0.0.1", port)) as onward:
            onwards.append(onward)
            for byte in answer:
                connection.sendall(bytes([byte]))
            back = threading.Thread(target=pump, args=(onward, connection))
            back.start()
            pump(connection, onward)
            back.join(5)
        assert not resets
        return head

    return serve


@pytest_twisted.ensureDeferred
async def test_https_goes_through_a_proxy_by_connect(
    rig: Rig, authority: Authority
) -> None:
    provider = rig.provider(over_tls(authority.issue("a.example"), answer_all))
    opened = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Opened\r\nx: y\r\n\r\n"
    proxy = rig.provider(proxy_to(provider.port, opened))
    for turn in range(2):
        call, receiver = rig.send(
            "https",
            443,
            "a.example",
            trust=Trust(ca_file=authority.ca_file),
            proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}",
        )
        await rig.done(receiver)
        assert receiver.error is None, receiver.error and receiver.error.detail
        assert receiver.data == b"ok"
        assert call.reused is (turn > 0)
    await rig.upstream.stop()
    await rig.until(lambda: proxy.seen)
    assert proxy.seen[0] == (
        b"CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n"
        b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nbytes behind",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"x" * 70_000,
        b"",
    ],
)
@pytest_twisted.ensureDeferred
async def test_proxy_that_refuses_is_told(rig: Rig, answer: bytes) -> None:
    def serve(connection: socket.socket) -> bytes:
        head = request_on(connection)
        connection.sendall(answer)
        return head

    proxy = rig.provider(serve)
    url = f"http://127.0.0.1:{proxy.port}"
    _, receiver = rig.send("https", 443, "a.example", proxy=url)
    await rig.done(receiver)
    assert isinstance(receiver.error, ConnectFailed)
    assert receiver.error.reason == "proxy"
    await rig.until(lambda: proxy.seen)


@pytest_twisted.ensureDeferred
async def test_call_stopped_in_any_phase_of_connecting_leaves_nothing(
    rig: Rig, authority: Authority
) -> None:
    silent = rig.provider(_eof)
    calls = [
        rig.send("http", silent.port),
        rig.send("http", 80, "nowhere.invalid"),
        rig.send("https", silent.port, trust=Trust(ca_file=authority.ca_file)),
        rig.send("https", 443, proxy=f"http://127.0.0.1:{silent.port}"),
    ]
    for delay in (0.0, 0.1):
        await deferLater(rig.reactor, delay)
        for call, _ in calls:
            call.stop()
        calls = [
            rig.send("https", silent.port, trust=Trust(ca_file=authority.ca_file)),
            rig.send("https", 443, proxy=f"http://127.0.0.1:{silent.port}"),
        ]
    for call, _ in calls:
        call.stop()
    assert not rig.upstream.connecting
    await deferLater(rig.reactor, 0)  # Twisted's own callLater(0) of a TCP client
    await rig.upstream.stop()
    assert all(not receiver.told for _, receiver in calls)
