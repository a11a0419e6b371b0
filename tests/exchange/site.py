"""A gateway without sockets: real exchange and relay, both ends in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.dialects import Dialects
from aigw.exchange.answer import Answers
from aigw.exchange.serve import Serve
from aigw.framing import Framings
from aigw.interfaces import IDialect, IFraming, IProvider, IRecorder
from aigw.model.headers import Headers
from aigw.model.instance import Endpoint, Instance
from aigw.model.record import Record
from aigw.model.route import Route
from aigw.providers import built_in
from aigw.routing.cluster import MakeRanker
from aigw.routing.clusters import Clusters
from aigw.routing.match import Match
from aigw.signing.signing import Signing
from aigw.streaming.flush import Flush
from aigw.streaming.timers import Wheel
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall, MemoryUpstream

SSE: Headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
JSON: Headers = [(b"content-type", b"application/json")]
#: What the gateway's clock on the wall says.
TIME = 1_800_000_000.0
CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'


@implementer(IRecorder)
class Kept:
    """Keeps the records it is told."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)


def instance(**settings: Any) -> Instance:
    settings.setdefault("endpoint", Endpoint("http", "provider.test", 80))
    return Instance(name="one", provider="openai-compatible", **settings)


class Site:
    """
    Serves requests by one route, or by those given.

    :param framings: beside the built-in ones.
    :param dialects: likewise.
    :param providers: likewise; one may take a built-in one's name.
    :param rankers: what makes third parties' rankers, by name.
    """

    def __init__(
        self,
        *routes: Route,
        framings: Iterable[IFraming] = (),
        providers: Iterable[IProvider] = (),
        rankers: Mapping[str, MakeRanker] | None = None,
        dialects: Iterable[IDialect] = (),
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        self.wheel = Wheel(self.clock)
        self.upstream = MemoryUpstream(self.clock)
        self.kept = Kept()
        self.failures: list[Failure] = []
        self.clusters = Clusters(random=lambda: 0.5, rankers=rankers or {})
        self.serve = Serve(
            self.upstream,
            self.kept,
            self.wheel,
            Answers(Framings(framings), Flush(self.clock), self.wheel),
            built_in() | {provider.name: provider for provider in providers},
            lambda: TIME,
            Signing(self.clock, lambda: TIME, self.upstream),
            self.clusters,
            Dialects(dialects),
        )
        if not routes:
            routes = (Route("chat", ("/v1/*",), (instance(**settings),)),)
        self.clusters.use(routes)
        self.serve.use(Match(routes))

    def ask(self, body: bytes = CHAT, **request: Any) -> MemoryDownstream:
        """A client's request, served until it waits."""
        client = MemoryDownstream(body, **request)
        self.begin(client)
        return client

    def begin(self, client: MemoryDownstream) -> None:
        served = Deferred.fromCoroutine(self.serve(client))
        served.addErrback(lambda failure: failure.trap(CancelledError))
        served.addErrback(self.failures.append)

    @property
    def call(self) -> MemoryCall:
        """The last call to a provider."""
        return self.upstream.last

    @property
    def record(self) -> Record:
        """The one record there is."""
        assert not self.failures, self.failures[0].getTraceback()
        assert len(self.kept.records) == 1, self.kept.records
        return self.kept.records[0]

    def wait(self, seconds: float) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))
