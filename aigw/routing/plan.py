"""
The plan of one request: what to do after an attempt has failed. Pure.

Stepping to an instance that was not tried is limited by ``max_retries`` and
``retry_on_failure_within_ms`` (the reference, section 6.4). When none is left,
``retry`` may allow repeats, with a growing wait and within the route's budget. Nothing
here knows which instance is best: the cluster chooses among those a step names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from aigw.model.instance import Instance
from aigw.model.outcome import Judgement, Verdict
from aigw.model.policy import Policy, Retry

from .budget import Budget

#: Verdicts that a repeat at the same instance may change.
_PASSING = frozenset({Verdict.THROTTLED, Verdict.OVERLOADED, Verdict.BROKEN})


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A failed attempt, as far as the plan is concerned.

    :ivar status: the provider's, or the one a connection failure counts as.
    :ivar retry_after: seconds the provider asked to wait, or None.
    :ivar lasted: seconds from the attempt's start to its failure.
    """

    instance: Instance
    status: int
    verdict: Verdict
    retry_after: float | None
    lasted: float


class Way(Enum):
    """What may follow a failure."""

    NEXT = "next"  # another attempt
    RETURN = "return"  # nothing: the client gets the failure as it is
    WAIT = "wait"  # nothing yet: another attempt is under way
    EXHAUSTED = "exhausted"  # nothing: all that could serve it were tried


@dataclass(frozen=True, slots=True)
class Step:
    """
    :ivar among: the instances to choose from, where ``way`` is NEXT.
    :ivar delay: seconds to wait before that.
    """

    way: Way
    among: tuple[Instance, ...] = ()
    delay: float = 0.0


class Plan:
    """
    :param eligible: the instances that may serve the request, at least one.
    :param until: clock seconds of the request's own deadline, or None.
    :param random: numbers from 0 up to 1.
    :ivar failures: the failed attempts, in order.
    """

    def __init__(
        self,
        policy: Policy,
        eligible: Sequence[Instance],
        budget: Budget,
        random: Callable[[], float],
        until: float | None = None,
    ) -> None:
        self.failures: list[Failure] = []
        self.until = until
        self._policy = policy
        self._budget = budget
        self._random = random
        self._tries = dict.fromkeys(eligible, 0)  # of those that can be asked this
        self._began = 0

    def begins(self, instance: Instance) -> None:
        """An attempt at ``instance`` begins."""
        self._tries[instance] += 1
        self._began += 1

    def unable(self, instance: Instance, now: float) -> Step:
        """
        ``instance`` cannot be asked this at all, and was not: what follows instead, as
        if it were not there.
        """
        self._began -= 1
        del self._tries[instance]
        untried = self._untried()
        if untried:
            return Step(Way.NEXT, untried)
        if not self.failures:
            return Step(Way.RETURN)
        step = self._after(self.failures[-1], now)
        return step if step.way is Way.NEXT else Step(Way.EXHAUSTED)

    def may_follow(self) -> bool:
        """
        Whether the attempt under way could be followed by another, if it failed in the
        way that allows it: its first bytes are held then.
        """
        policy = self._policy
        if policy.max_retries is not None and self._began > policy.max_retries:
            return False
        if policy.statuses and self._untried():
            return True
        return policy.retry is not None and bool(self._repeatable(policy.retry))

    def failed(self, failure: Failure, now: float) -> Step:
        """What follows ``failure``."""
        self.failures.append(failure)
        return self._after(failure, now)

    def _after(self, failure: Failure, now: float) -> Step:
        policy = self._policy
        # Some vendors throttle with another status and say so by a word.
        throttled = failure.verdict is Verdict.THROTTLED
        status = 429 if throttled else failure.status
        moves = bool({status, failure.status} & policy.statuses)
        repeats = policy.retry is not None and failure.verdict in _PASSING
        if not (moves or repeats):
            return Step(Way.RETURN)
        if policy.within is not None and failure.lasted > policy.within:
            return Step(Way.RETURN)
        if policy.max_retries is not None and self._began > policy.max_retries:
            return Step(Way.RETURN)
        untried = self._untried()
        if moves and untried:
            return Step(Way.NEXT, untried)
        if repeats and policy.retry is not None:
            among = self._repeatable(policy.retry)
            if not moves:
                among = tuple(one for one in among if one is failure.instance)
            if among:
                delay = self._delay(policy.retry, failure)
                if self._affords(policy.retry, delay, now):
                    return Step(Way.NEXT, among, delay)
        alone = len(self._tries) == 1
        return Step(Way.EXHAUSTED if moves and not alone else Way.RETURN)

    def noted(self, failure: Failure) -> None:
        """An attempt has failed beside another that may still answer."""
        self.failures.append(failure)

    def others(self) -> tuple[Instance, ...]:
        """Who may be asked beside those that were, whatever becomes of them."""
        most = self._policy.max_retries
        if most is not None and self._began > most:
            return ()
        return self._untried()

    def amend(self, failure: Failure, judgement: Judgement) -> None:
        """The failure's body has been read, and says more than its head."""
        self.failures[self.failures.index(failure)] = replace(
            failure,
            verdict=judgement.verdict,
            retry_after=judgement.retry_after,
        )

    def all_throttled(self) -> bool:
        """Whether every attempt was throttled."""
        return all(one.verdict is Verdict.THROTTLED for one in self.failures)

    def retry_after(self) -> float | None:
        """The smallest wait that a provider asked for, seconds."""
        told = [one.retry_after for one in self.failures if one.retry_after is not None]
        return min(told, default=None)

    def _untried(self) -> tuple[Instance, ...]:
        return tuple(one for one, tries in self._tries.items() if not tries)

    def _repeatable(self, retry: Retry) -> tuple[Instance, ...]:
        most = retry.same_instance
        return tuple(one for one, tries in self._tries.items() if 0 < tries <= most)

    def _delay(self, retry: Retry, failure: Failure) -> float:
        repeats = self._began - sum(1 for tries in self._tries.values() if tries)
        delay = min(retry.backoff * 2.0 ** min(repeats, 30), retry.max_backoff)
        delay *= 1 - retry.jitter * self._random()
        if retry.respect_retry_after and failure.retry_after is not None:
            delay = max(delay, failure.retry_after)
        return delay

    def _affords(self, retry: Retry, delay: float, now: float) -> bool:
        """Whether waiting ``delay`` and asking again is allowed."""
        if delay > retry.max_backoff:
            return False
        if self.until is not None and now + delay >= self.until:
            return False
        return self._budget.take(now)
