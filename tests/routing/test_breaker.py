"""When an instance is left alone, and when it is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigw.model.policy import BreakerRule
from aigw.routing.breaker import Breaker

RULE = BreakerRule(
    failures=3, ratio=0.5, min_requests=10, window=10, open=5, half_open=2
)


def attempt(breaker: Breaker, failed: bool | None, now: float) -> None:
    breaker.ended(breaker.began(), failed, now)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(RULE)
    for _ in range(3):
        attempt(breaker, True, now)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(RULE)
    for failed in (True, True, False, True, True, None):
        attempt(breaker, failed, 0.0)
        assert breaker.lets(0.0)
    attempt(breaker, True, 0.0)
    assert breaker.phase == "open"
    assert not breaker.lets(0.0)
    assert not breaker.lets(4.99)


def test_a_ratio_of_failures_opens_it_once_there_were_enough() -> None:
    breaker = Breaker(RULE)
    for number in range(9):
        attempt(breaker, number % 2 == 0, 1.0)
    assert breaker.phase == "closed"
    attempt(breaker, True, 1.0)
    assert breaker.phase == "open"


def test_failures_of_an_earlier_window_do_not_count_for_the_ratio() -> None:
    breaker = Breaker(RULE)
    for number in range(9):
        attempt(breaker, number % 2 == 0, 1.0)
    attempt(breaker, False, 12.0)
    attempt(breaker, True, 12.0)
    assert breaker.phase == "closed"


def test_it_lets_a_few_through_when_its_time_is_over() -> None:
    breaker = opened()
    assert breaker.lets(5.0)
    assert breaker.phase == "half_open"
    first = breaker.began()
    assert breaker.lets(5.0)
    second = breaker.began()
    assert not breaker.lets(5.0)
    breaker.ended(first, False, 6.0)
    assert breaker.phase == "half_open"
    breaker.ended(second, False, 6.0)
    assert breaker.phase == "closed"
    assert breaker.lets(6.0)


def test_one_failure_while_half_open_opens_it_again() -> None:
    breaker = opened()
    assert breaker.lets(5.0)
    first, second = breaker.began(), breaker.began()
    breaker.ended(first, False, 6.0)
    breaker.ended(second, True, 6.0)
    assert not breaker.lets(10.9)
    assert breaker.lets(11.0)


def test_a_trial_that_says_nothing_makes_room_for_another() -> None:
    breaker = opened()
    assert breaker.lets(5.0)
    trials = [breaker.began(), breaker.began()]
    assert not breaker.lets(5.0)
    breaker.ended(trials[0], None, 6.0)
    assert breaker.lets(6.0)
    assert breaker.phase == "half_open"


def test_what_began_before_it_opened_changes_nothing() -> None:
    breaker = Breaker(RULE)
    old = [breaker.began() for _ in range(4)]
    for _ in range(3):
        attempt(breaker, True, 0.0)
    breaker.ended(old[0], False, 1.0)
    assert breaker.phase == "open"
    assert breaker.lets(5.0)
    breaker.ended(old[1], True, 5.0)
    breaker.ended(old[2], False, 5.0)
    assert breaker.phase == "half_open"
    assert breaker.lets(5.0)


def test_closing_begins_a_new_count() -> None:
    breaker = opened()
    for _ in range(2):
        assert breaker.lets(5.0)
        attempt(breaker, False, 5.0)
    for _ in range(2):
        attempt(breaker, True, 6.0)
    assert breaker.phase == "closed"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["began", "ok", "failed", "unknown", "forced"]),
            st.floats(0, 3),
        ),
        max_size=80,
    )
)
def test_whatever_happens_it_lets_requests_through_again(
    events: list[tuple[str, float]],
) -> None:
    breaker = Breaker(RULE)
    now = 0.0
    open_attempts: list[int] = []
    for event, passed in events:
        now += passed
        if event == "forced" or (event == "began" and breaker.lets(now)):
            open_attempts.append(breaker.began())
        elif open_attempts and event != "began":
            failed = {"ok": False, "failed": True}.get(event)
            breaker.ended(open_attempts.pop(0), failed, now)
    for began in open_attempts:
        breaker.ended(began, None, now)
    assert breaker.lets(now + RULE.open)
