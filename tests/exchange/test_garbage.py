"""
A request that is over leaves the collector nothing, whatever became of it. (But one
whose client left before the head: Twisted's cancelling leaves a traceback of its own.)
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.interfaces import IPushProducer

from aigw.model.instance import Deadlines, Streaming
from aigw.model.policy import Hedge, Policy
from aigw.model.route import Route
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryReceiver

from .site import JSON, SSE, STREAM, Site, instance
from .test_serve import DONE, HELLO, STOP


class Watched(MemoryDownstream):
    """
    A client.

    :ivar relays: who registered, and may be gone.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.relays: list[weakref.ref[object]] = []

    def register(self, producer: IPushProducer) -> None:
        self.relays.append(weakref.ref(producer))
        super().register(producer)


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def completes(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO + STOP + DONE)
    site.call.ended()


def breaks_off(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO)
    site.call.failed()


def is_left(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO)
    client.leave()


def stalls(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO)
    site.wait(4.0)
    assert site.record.reason == "idle"


def is_not_taken(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO)
    assert client.producer is not None
    client.producer.pauseProducing()
    site.wait(3.0)
    assert site.record.reason == "client_stall"


def is_late(site: Site, client: MemoryDownstream) -> None:
    site.wait(6.0)
    assert site.record.reason == "first_byte"


def fails(site: Site, client: MemoryDownstream) -> None:
    site.call.failed()


def is_refused(site: Site, client: MemoryDownstream) -> None:
    site.call.answer(500, JSON, b"{}")


@pytest.mark.parametrize(
    "end",
    [
        completes,
        breaks_off,
        is_left,
        stalls,
        is_not_taken,
        is_late,
        fails,
        is_refused,
    ],
)
def test_nothing_is_left(end: Callable[[Site, MemoryDownstream], None]) -> None:
    site = Site(
        deadlines=Deadlines(
            total=9.0, first_byte=5.0, idle=3.0, stream=8.0, client_stall=2.0
        ),
        streaming=Streaming(heartbeat=1.0),
    )
    client = Watched(STREAM)
    site.begin(client)
    exchanges = [weakref.ref(exchange) for exchange in site.serve.open]
    assert len(exchanges) == 1
    end(site, client)
    site.call.receiver = MemoryReceiver()  # a real call lets go of it
    left = [each() for each in (*exchanges, *client.relays)]
    assert left == [None] * len(left)


def is_gone_on_with(site: Site, client: MemoryDownstream) -> None:
    breaks_off(site, client)
    completes(site, client)


def is_not_gone_on_with(site: Site, client: MemoryDownstream) -> None:
    breaks_off(site, client)
    site.call.failed()


def stalls_and_is_gone_on_with(site: Site, client: MemoryDownstream) -> None:
    site.call.head(200, SSE)
    site.call.body(HELLO)
    site.wait(4.0)
    completes(site, client)


@pytest.mark.parametrize(
    ("end", "policy"),
    [
        (completes, Policy(hedge=Hedge(1.0))),
        (breaks_off, Policy(hedge=Hedge(1.0))),
        (fails, Policy()),
        (fails, Policy(hedge=Hedge(1.0))),
        (completes, Policy(continues=True)),
        (is_gone_on_with, Policy(continues=True)),
        (is_not_gone_on_with, Policy(continues=True)),
        (stalls_and_is_gone_on_with, Policy(continues=True)),
        (is_gone_on_with, Policy(continues=True, hedge=Hedge(1.0))),
    ],
)
def test_nothing_is_left_of_several(
    end: Callable[[Site, MemoryDownstream], None], policy: Policy
) -> None:
    several = tuple(
        instance(deadlines=Deadlines(idle=3.0), prefill=True) for _ in range(2)
    )
    site = Site(Route("many", ("/v1/*",), several, policy=policy))
    client = Watched(STREAM)
    site.begin(client)
    exchanges = [weakref.ref(exchange) for exchange in site.serve.open]
    end(site, client)
    assert client.ended
    for call in site.upstream.calls:
        call.receiver = MemoryReceiver()  # a real call lets go of it
    left = [each() for each in (*exchanges, *client.relays)]
    assert left == [None] * len(left)
