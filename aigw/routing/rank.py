"""
The semantic ranker: scores instances by how like their examples are to the request.

All examples of all instances are embedded in one call, whose vectors are kept for an
hour; a call that failed is not kept. The vectors of the latest queries are kept too.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from aigw.errors import GatewayError, RankingFailed, UpstreamError
from aigw.interfaces import IRanker, IReceiver, IUpstream, IWheel
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Keepalive, Outbound, Patience
from aigw.model.semantic import Embedding

from .similarity import Vector, score, vectors_of

#: How long the vectors of the examples are kept, seconds.
KEPT: Final = 3600.0
#: How many queries' vectors are kept.
QUERIES: Final = 1000
#: The largest answer that is read, bytes.
LARGEST: Final = 32 * 1024 * 1024


@implementer(IReceiver)
class _Whole:
    """Takes an answer whole."""

    def __init__(self) -> None:
        self.done: Deferred[tuple[int, bytes]] = Deferred()
        self._status = 0
        self._pieces: list[bytes] = []
        self._size = 0

    def head(self, status: int, headers: Headers) -> None:
        self._status = status
        if status != 200:
            # Its body is of no use: it is never logged, and nothing is made of it.
            self._finish(b"")

    def body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > LARGEST:
            self.failed(UpstreamError("too large"))
        self._pieces.append(data)

    def ended(self) -> None:
        self._finish(b"".join(self._pieces))

    def failed(self, error: UpstreamError) -> None:
        if not self.done.called:
            self.done.errback(error)

    def _finish(self, body: bytes) -> None:
        if not self.done.called:
            self.done.callback((self._status, body))


@implementer(IRanker)
class SemanticRanker:
    """See the module. Each instance has at least one example."""

    def __init__(
        self, upstream: IUpstream, wheel: IWheel, embedding: Embedding
    ) -> None:
        self._upstream = upstream
        self._wheel = wheel
        self._embedding = embedding
        self._instances: Sequence[Instance] = ()
        self._examples: dict[Instance, list[Vector]] = {}
        self._until = float("-inf")
        self._waiting: list[Deferred[None]] | None = None
        # By a digest of their texts, and packed: as texts and tuples of numbers a
        # thousand of them would hold 65 MB.
        self._queries: OrderedDict[bytes, array[float]] = OrderedDict()

    def use(self, instances: Sequence[Instance]) -> None:
        self._instances = instances

    async def rank(self, text: str) -> Mapping[Instance, float]:
        if self._wheel.seconds() >= self._until:
            await self._learn()
        key = sha256(text.encode("utf-8", "surrogatepass")).digest()
        kept = self._queries.get(key)
        if kept is None:
            (query,) = await self._embed([text], self._dimensions)
            self._queries[key] = array("d", query)
            if len(self._queries) > QUERIES:
                self._queries.popitem(last=False)
        else:
            self._queries.move_to_end(key)
            query = tuple(kept)
        return {one: score(query, known) for one, known in self._examples.items()}

    @property
    def _dimensions(self) -> int:
        return len(next(iter(self._examples.values()))[0])

    # -- the examples

    def _learn(self) -> Deferred[None]:
        """
        Embed the examples; one call, however many requests wait for it. A client that
        leaves waits no more, and the call goes on for the others.
        """
        mine: Deferred[None] = Deferred()
        if self._waiting is not None:
            self._waiting.append(mine)
            return mine
        self._waiting = [mine]
        learning = Deferred.fromCoroutine(self._learned())
        learning.addBoth(self._told)
        return mine

    async def _learned(self) -> None:
        texts = [text for one in self._instances for text in one.examples]
        vectors = iter(await self._embed(texts))
        self._examples = {
            one: [next(vectors) for _ in one.examples] for one in self._instances
        }
        self._queries.clear()
        self._until = self._wheel.seconds() + KEPT

    def _told(self, result: Failure | None) -> None:
        waiting, self._waiting = self._waiting or [], None
        for each in waiting:
            if each.called:
                continue  # its client has left
            if isinstance(result, Failure):
                each.errback(result)
            else:
                each.callback(None)

    # -- the call

    async def _embed(
        self, texts: Sequence[str], dimensions: int | None = None
    ) -> list[Vector]:
        embedding = self._embedding
        patience = embedding.timeout
        outbound = Outbound(
            origin=embedding.origin,
            method="POST",
            target=embedding.target,
            headers=embedding.fields(),
            body=msgspec.json.encode({"model": embedding.model, "input": texts}),
            patience=Patience(patience, patience, patience),
            keepalive=Keepalive(),
        )
        receiver = _Whole()
        try:
            call = self._upstream.send(outbound, receiver)
            late = self._wheel.after(
                patience, lambda: receiver.failed(UpstreamError("it took too long"))
            )
            try:
                status, body = await receiver.done
            finally:
                late.cancel()
                call.stop()
        except GatewayError as error:
            raise RankingFailed(f"no embeddings: {error.message}") from error
        if status != 200:
            raise RankingFailed(f"the embeddings provider answered with {status}")
        return vectors_of(body, len(texts), dimensions)
