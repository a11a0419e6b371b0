"""A policy: how a route with several instances chooses, retries and judges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .envelope import Envelope
from .semantic import Semantic

#: Reads what a request is hashed on: envelope, peer, consumer; ``""`` where there is
#: nothing.
Key = Callable[[Envelope, str, str], str]


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Repeats at instances that were tried already, when no other is left. Times are
    seconds.

    :ivar same_instance: how often one instance may be asked again.
    :ivar backoff: the wait before the first repeat; doubled for each further one.
    :ivar max_backoff: the longest wait; a provider that asks for more is not repeated.
    :ivar jitter: the part of a wait that is random, 0 to 1.
    :ivar respect_retry_after: whether to wait as long as the provider asks.
    """

    same_instance: int = 1
    backoff: float = 0.2
    max_backoff: float = 5.0
    jitter: float = 0.5
    respect_retry_after: bool = True


@dataclass(frozen=True, slots=True)
class Hedge:
    """
    Further attempts beside one that is slow to begin.

    :ivar delay: seconds without content after which another is begun.
    :ivar max: how many may be begun for one request.
    """

    delay: float
    max: int = 1


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """
    When an instance is left alone, and when it is tried again. Times are seconds.

    :ivar failures: failures in a row that open the breaker.
    :ivar ratio: part of all attempts within ``window`` whose failure opens it, where
        there were ``min_requests`` of them.
    :ivar open: how long it stays open.
    :ivar half_open: how many attempts are then let through, all of which must succeed.
    """

    failures: int = 5
    ratio: float = 0.5
    min_requests: int = 20
    window: float = 10.0
    open: float = 5.0
    half_open: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """
    :ivar balancer: the balancer's name.
    :ivar key: what requests are hashed on, or None.
    :ivar statuses: what of an attempt moves a request to another instance (connection
        failures count as 502, timeouts as 504).
    :ivar max_retries: the most attempts after the first, or None.
    :ivar within: seconds; an attempt that took longer to fail is not followed.
    :ivar retry: repeats at the same instance, or None.
    :ivar hedge: attempts beside one that is slow to begin, or None.
    :ivar continues: whether another instance goes on where a stream breaks.
    :ivar breaker: the breaker each instance has, or None.
    :ivar cooldown: the most seconds an instance rests because it asked for it
        (Retry-After); 0 heeds none.
    :ivar semantic: how instances are ranked by what a request says, or None.
    :ivar debug_headers: whether the answer names the instance and counts the attempts.
    """

    balancer: str = "roundrobin"
    key: Key | None = None
    statuses: frozenset[int] = frozenset()
    max_retries: int | None = None
    within: float | None = None
    retry: Retry | None = None
    hedge: Hedge | None = None
    continues: bool = False
    breaker: BreakerRule | None = None
    cooldown: float = 60.0
    semantic: Semantic | None = None
    debug_headers: bool = False

    def retries(self, instances: int) -> bool:
        """Whether any attempt could be followed by another."""
        if self.max_retries == 0:
            return False
        beside = self.hedge is not None or self.continues or bool(self.statuses)
        again = self.retry is not None and self.retry.same_instance > 0
        return again or (beside and instances > 1)
