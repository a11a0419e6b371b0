"""The front for embedders over HTTP/2, where ``stopProducing`` never comes."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from aigw.http.resource import RequestDownstream
from aigw.http.site import GatewaySite

h2_connection = pytest.importorskip("h2.connection")
pytest.importorskip("priority")

from h2 import config, events  # noqa: E402
from twisted.web._http2 import H2Connection  # noqa: E402


class Wire(StringTransport):
    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.disconnecting = True


class Bench:
    """An HTTP/2 client and a site, joined by hand."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        self.served: list[RequestDownstream] = []
        self.site = GatewaySite(self.serve, self.clock, http2=True, **limits)
        self.wire = Wire()
        self.server = H2Connection(self.clock)
        self.server.requestFactory = self.site.requestFactory
        self.server.site = self.site
        self.server.factory = self.site
        self.server.timeOut = None
        self.server.callLater = self.clock.callLater
        self.server.makeConnection(self.wire)
        self.client = h2_connection.H2Connection(config.H2Configuration())
        self.client.initiate_connection()
        self.events: list[Any] = []
        self.turn()

    async def serve(self, downstream: Any) -> None:
        self.served.append(downstream)
        await Deferred()

    def turn(self, turns: int = 10) -> list[Any]:
        """Carry bytes both ways for some reactor turns; what the client was told."""
        told: list[Any] = []
        for _ in range(turns):
            self.server.dataReceived(self.client.data_to_send())
            self.clock.advance(0.01)
            data = self.wire.value()
            self.wire.clear()
            told += self.client.receive_data(data)
        return told

    def request(self, stream: int, body: bytes = b"") -> RequestDownstream:
        head = [
            (":method", "POST"),
            (":path", "/v1/x?y"),
            (":scheme", "https"),
            (":authority", "example.com"),
        ]
        self.client.send_headers(stream, head, end_stream=not body)
        if body:
            self.client.send_data(stream, body, end_stream=True)
        self.turn()
        return self.served[-1]

    def close(self) -> None:
        self.server.connectionLost(Failure(ConnectionDone()))


def kinds(told: list[Any]) -> list[type]:
    return [type(event) for event in told]


def test_a_request_is_served_over_a_stream() -> None:
    bench = Bench()
    downstream = bench.request(1, b"{}")
    assert (downstream.path, downstream.host) == ("/v1/x", "example.com")
    downstream.start(200, [(b"x-a", b"1")])
    downstream.write(b"hello")
    downstream.finish()
    told = bench.turn()
    assert kinds(told)[:2] == [events.ResponseReceived, events.DataReceived]
    assert kinds(told)[-1] is events.StreamEnded
    assert bench.site.held == 0
    bench.close()


def test_cut_delivers_what_is_queued_and_then_resets_the_stream() -> None:
    bench = Bench()
    downstream = bench.request(1, b"{}")
    downstream.start(200, [])
    for _ in range(3):
        downstream.write(b"error frame")
    downstream.cut()
    told = bench.turn()
    assert kinds(told).count(events.DataReceived) == 3
    assert kinds(told)[-1] is events.StreamReset
    assert events.StreamEnded not in kinds(told)
    assert bench.site.held == 0
    bench.close()


def test_abort_resets_one_stream_and_leaves_the_others() -> None:
    bench = Bench()
    first = bench.request(1, b"{}")
    second = bench.request(3, b"{}")
    first.abort()
    second.start(200, [])
    second.finish()
    told = bench.turn()
    assert [e.stream_id for e in told if isinstance(e, events.StreamReset)] == [1]
    assert [e.stream_id for e in told if isinstance(e, events.StreamEnded)] == [3]
    bench.close()


@pytest.mark.parametrize("how", ["reset", "connection"])
def test_a_client_that_leaves_is_noticed(how: str) -> None:
    bench = Bench()
    downstream = bench.request(1, b"{}")
    told: list[str] = []
    downstream.on_lost = lambda: told.append(how)
    downstream.start(200, [])
    if how == "reset":
        bench.client.reset_stream(1)
        bench.turn()
    else:
        bench.close()
    assert told == [how]
    downstream.write(b"x")
    downstream.finish()
    assert bench.site.held == 0
    if how == "reset":
        bench.close()


def test_a_body_over_the_limit_is_refused_and_not_kept() -> None:
    bench = Bench(max_body=4)
    head = [(":method", "POST"), (":path", "/"), (":scheme", "https")]
    bench.client.send_headers(1, [*head, (":authority", "example.com")])
    bench.client.send_data(1, b"12345", end_stream=True)
    told = bench.turn()
    response = next(e for e in told if isinstance(e, events.ResponseReceived))
    assert dict(response.headers)[b":status"] == b"413"
    assert kinds(told)[-1] is events.StreamEnded
    assert not bench.served
    assert bench.site.held == 0
    bench.close()
