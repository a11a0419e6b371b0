"""Who may be asked, and who is asked next."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aigw.errors import Unavailable
from aigw.interfaces import IWheel
from aigw.model.instance import Instance
from aigw.routing.cluster import Cluster

from .asking import Asking
from .exchange import Exchange

log = Logger()


def eligible(exchange: Exchange, cluster: Cluster, asking: Asking) -> list[Instance]:
    """
    The instances that may be asked.

    :raises Unavailable: no instance takes the request.
    """
    envelope = exchange.envelope
    takers = cluster.eligible(envelope.model, len(envelope.body))
    if not takers:
        named = f" for model {envelope.model[:100]!r}" if envelope.model else ""
        raise Unavailable(f"no instance available{named}", reason="no_instance")
    able = [one for one in takers if asking.can(exchange, one)]
    return able or takers


def deadline(exchange: Exchange, among: Sequence[Instance]) -> float | None:
    """
    The exchange's own deadline in clock seconds, from here on in force: the most
    generous of its instances'. Each attempt then has its instance's.
    """
    totals = [instance.deadlines.total for instance in among]
    most = 0.0
    for total in totals:
        if total is None:
            return None
        most = max(most, total)
    exchange.limit(most)
    return exchange.arrived + most


def at_once(
    exchange: Exchange, cluster: Cluster, among: Sequence[Instance], now: float
) -> Instance | None:
    """The instance to ask next; a slot of it is taken. None where all are full."""
    ranked = cluster.policy.semantic is not None
    return cluster.choose(among, _key(exchange, cluster), now, ranked)


async def choose(
    exchange: Exchange, cluster: Cluster, among: Sequence[Instance], wheel: IWheel
) -> Instance:
    """
    The instance to ask next; a slot of it is taken.

    :raises Unavailable: all are full, and so are their queues; or none became free in
        time.
    """
    now = wheel.seconds()
    chosen = at_once(exchange, cluster, among, now)
    if chosen is not None:
        return chosen
    granted: Deferred[Instance] = Deferred()
    waiting = cluster.wait(among, granted.callback, now)
    if waiting is None:
        raise _full("queue_full")
    patience = max(instance.queue_timeout for instance in among)
    late = wheel.after(patience, lambda: granted.errback(_full("queue_timeout")))
    try:
        return await exchange.wait(granted)
    finally:
        late.cancel()
        waiting.leave()


def _key(exchange: Exchange, cluster: Cluster) -> str:
    """What the request is hashed on."""
    read = cluster.policy.key
    if read is None:
        return ""
    record = exchange.record
    key = read(exchange.envelope, record.peer, record.consumer)
    if not key and not cluster.warned:
        cluster.warned = True
        log.warn(
            "A request to route {route} has nothing to be hashed on; it and all such"
            " are hashed on the client's address.",
            route=cluster.route.id,
        )
    return key or record.peer


def _full(reason: str) -> Unavailable:
    return Unavailable("all instances are busy", reason=reason, retry_after=1.0)
