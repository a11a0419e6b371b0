"""What follows a failed attempt."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.model.instance import Instance
from aigw.model.outcome import Judgement, Verdict
from aigw.model.policy import Policy, Retry
from aigw.routing.budget import LEAST, Budget
from aigw.routing.plan import Failure, Plan, Step, Way

from .instances import instance

A, B, C = (instance(name) for name in "abc")
RETRIABLE = frozenset({429, *range(500, 600)})


def plan(
    *instances: Instance,
    budget: Budget | None = None,
    until: float | None = None,
    **policy: Any,
) -> Plan:
    policy.setdefault("statuses", RETRIABLE)
    own = budget or Budget()
    return Plan(Policy(**policy), instances or (A, B), own, lambda: 0.5, until)


def fail(
    made: Plan,
    one: Instance,
    status: int = 500,
    *,
    retry_after: float | None = None,
    lasted: float = 0.1,
    now: float = 1.0,
) -> Step:
    verdict = {429: Verdict.THROTTLED, 401: Verdict.REFUSED, 400: Verdict.REJECTED}
    made.begins(one)
    failure = Failure(
        one, status, verdict.get(status, Verdict.BROKEN), retry_after, lasted
    )
    return made.failed(failure, now)


# -- stepping on


def test_a_failure_of_the_chosen_kinds_moves_to_the_untried() -> None:
    assert fail(plan(A, B, C), A) == Step(Way.NEXT, (B, C))


@pytest.mark.parametrize("status", [400, 401, 404])
def test_any_other_failure_is_returned_as_it_is(status: int) -> None:
    assert fail(plan(), A, status) == Step(Way.RETURN)


def test_nothing_moves_without_a_strategy() -> None:
    assert fail(plan(statuses=frozenset()), A) == Step(Way.RETURN)


def test_further_statuses_move_where_they_are_named() -> None:
    made = plan(statuses=frozenset({404}))
    assert fail(made, A, 404).way is Way.NEXT
    assert fail(plan(statuses=frozenset({404})), A, 500).way is Way.RETURN


def test_none_left_is_exhausted() -> None:
    made = plan()
    fail(made, A)
    assert fail(made, B) == Step(Way.EXHAUSTED)


def test_a_lone_instance_is_never_exhausted_but_returned() -> None:
    assert fail(plan(A), A) == Step(Way.RETURN)


@pytest.mark.parametrize(
    ("most", "ways"),
    [
        (0, [Way.RETURN]),
        (1, [Way.NEXT, Way.RETURN]),
        (2, [Way.NEXT, Way.NEXT, Way.RETURN]),
        (None, [Way.NEXT, Way.NEXT, Way.EXHAUSTED]),
    ],
)
def test_max_retries_bounds_what_follows_the_first(
    most: int | None, ways: list[Way]
) -> None:
    made = plan(A, B, C, max_retries=most)
    assert [fail(made, one).way for one in (A, B, C)[: len(ways)]] == ways


def test_an_attempt_that_failed_late_is_not_followed() -> None:
    assert fail(plan(within=2.0), A, lasted=2.0).way is Way.NEXT
    assert fail(plan(within=2.0), A, lasted=2.1).way is Way.RETURN


def test_stepping_on_needs_no_budget() -> None:
    budget = Budget()
    while budget.take(1.0):
        pass
    assert fail(plan(budget=budget), A).way is Way.NEXT


def test_throttling_told_by_a_word_moves_as_429_does() -> None:
    made = plan(statuses=frozenset({429}))
    made.begins(A)
    failure = Failure(A, 400, Verdict.THROTTLED, None, 0.1)
    assert made.failed(failure, 1.0).way is Way.NEXT


# -- repeats

RETRY = Retry(same_instance=2, backoff=0.2, max_backoff=1.0, jitter=0.0)


def test_others_come_before_repeats() -> None:
    made = plan(retry=RETRY)
    assert fail(made, A) == Step(Way.NEXT, (B,))
    assert fail(made, B) == Step(Way.NEXT, (A, B), 0.2)


def test_the_wait_doubles_up_to_its_bound() -> None:
    made = plan(A, retry=Retry(5, 0.2, 1.0, jitter=0.0))
    delays = [fail(made, A).delay for _ in range(5)]
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])
    assert fail(made, A) == Step(Way.RETURN)


def test_jitter_shortens_the_wait() -> None:
    made = plan(A, retry=Retry(1, 1.0, 5.0, jitter=0.5))
    assert fail(made, A).delay == pytest.approx(0.75)


def test_a_lone_instance_is_repeated_without_a_strategy() -> None:
    made = plan(A, retry=RETRY, statuses=frozenset())
    assert fail(made, A).way is Way.NEXT
    assert fail(made, A, 429).way is Way.NEXT
    assert fail(made, A) == Step(Way.RETURN)


def test_without_a_strategy_only_the_failed_instance_is_repeated() -> None:
    made = plan(A, B, retry=RETRY, statuses=frozenset())
    assert fail(made, A) == Step(Way.NEXT, (A,), 0.2)


@pytest.mark.parametrize("status", [400, 401])
def test_what_a_repeat_cannot_change_is_not_repeated(status: int) -> None:
    made = plan(A, retry=RETRY, statuses=frozenset({400, 401}))
    assert fail(made, A, status).way is Way.RETURN


def test_the_provider_says_how_long_to_wait() -> None:
    made = plan(A, retry=RETRY)
    assert fail(made, A, 429, retry_after=0.7).delay == pytest.approx(0.7)


def test_who_asks_for_too_long_a_wait_is_not_repeated() -> None:
    assert fail(plan(A, retry=RETRY), A, 429, retry_after=2.0).way is Way.RETURN
    deaf = Retry(1, 0.2, 1.0, jitter=0.0, respect_retry_after=False)
    assert fail(plan(A, retry=deaf), A, 429, retry_after=2.0).delay == 0.2


def test_no_wait_leads_past_the_deadline() -> None:
    assert fail(plan(A, retry=RETRY, until=1.2), A, now=1.0).way is Way.RETURN
    assert fail(plan(A, retry=RETRY, until=1.3), A, now=1.0).way is Way.NEXT


def test_repeats_end_with_the_budget() -> None:
    budget = Budget()
    ways = [fail(plan(A, retry=RETRY, budget=budget), A).way for _ in range(LEAST + 1)]
    assert ways == [Way.NEXT] * LEAST + [Way.RETURN]


# -- holding the first bytes


def test_bytes_are_held_only_while_another_attempt_is_possible() -> None:
    made = plan()
    made.begins(A)
    assert made.may_follow()
    made.begins(B)
    assert not made.may_follow()


def test_a_lone_instance_holds_nothing_unless_it_may_be_repeated() -> None:
    made = plan(A)
    made.begins(A)
    assert not made.may_follow()
    made = plan(A, retry=Retry(same_instance=1))
    made.begins(A)
    assert made.may_follow()
    made.begins(A)
    assert not made.may_follow()


def test_nothing_is_held_beyond_max_retries() -> None:
    made = plan(A, B, C, max_retries=1)
    made.begins(A)
    assert made.may_follow()
    made.begins(B)
    assert not made.may_follow()


# -- what the client is told


def test_the_smallest_wait_of_all_throttled_is_told() -> None:
    made = plan(A, B, C)
    fail(made, A, 429, retry_after=9.0)
    fail(made, B, 429, retry_after=3.0)
    fail(made, C, 429)
    assert made.all_throttled()
    assert made.retry_after() == 3.0


def test_one_other_failure_is_enough_not_to_be_throttled() -> None:
    made = plan()
    fail(made, A, 429)
    fail(made, B, 500)
    assert not made.all_throttled()
    assert made.retry_after() is None


# -- the budget


def test_a_fifth_of_the_requests_may_be_repeats() -> None:
    budget = Budget()
    for _ in range(100):
        budget.request(1.0)
    taken = 0
    while budget.take(1.0):
        taken += 1
    assert taken == 20


def test_a_window_counts_as_long_as_it_is_the_larger() -> None:
    budget = Budget()
    for _ in range(100):
        budget.request(1.0)
    taken = 0
    while budget.take(11.5):
        taken += 1
    assert taken == 20
    taken = 0
    while budget.take(40.0):
        taken += 1
    assert taken == LEAST


# -- attempts side by side


def test_those_beside_count_as_attempts() -> None:
    made = plan(A, B, C, max_retries=1)
    made.begins(A)
    assert made.others() == (B, C)
    made.begins(B)
    assert made.others() == ()


def test_what_was_noted_is_part_of_what_the_client_is_told() -> None:
    made = plan(A, B)
    made.begins(A)
    made.begins(B)
    made.noted(Failure(A, 429, Verdict.THROTTLED, 9.0, 0.1))
    last = Failure(B, 429, Verdict.THROTTLED, 3.0, 0.1)
    assert made.failed(last, 1.0) == Step(Way.EXHAUSTED)
    assert made.all_throttled()
    assert made.retry_after() == 3.0


def test_a_body_is_told_of_its_own_failure() -> None:
    made = plan(A, B, C)
    first = Failure(A, 429, Verdict.THROTTLED, None, 0.1)
    made.noted(first)
    made.noted(Failure(B, 429, Verdict.THROTTLED, None, 0.1))
    made.amend(first, Judgement(Verdict.OVERLOADED, 4.0))
    told = [(failure.verdict, failure.retry_after) for failure in made.failures]
    assert told == [(Verdict.OVERLOADED, 4.0), (Verdict.THROTTLED, None)]


# -- who cannot be asked


def test_who_cannot_be_asked_is_as_if_it_were_not_there() -> None:
    made = plan(A, B, C)
    made.begins(A)
    assert made.unable(A, 1.0) == Step(Way.NEXT, (B, C))
    assert fail(made, B) == Step(Way.NEXT, (C,))
    made.begins(C)
    assert made.unable(C, 1.0).way is Way.EXHAUSTED


def test_where_nobody_can_be_asked_that_is_the_answer() -> None:
    made = plan(A)
    made.begins(A)
    assert made.unable(A, 1.0) == Step(Way.RETURN)


def test_behind_who_cannot_be_asked_another_is_repeated() -> None:
    made = plan(A, B, retry=Retry(same_instance=1, backoff=1.0, jitter=0.0))
    assert fail(made, A) == Step(Way.NEXT, (B,))
    made.begins(B)
    assert made.unable(B, 1.0) == Step(Way.NEXT, (A,), 1.0)
