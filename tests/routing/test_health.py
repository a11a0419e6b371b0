"""Health of a node, counted from its probes."""

from __future__ import annotations

import pytest

from aigw.model.check import ActiveCheck
from aigw.routing.health import Health, Probed

CHECK = ActiveCheck(
    successes=2, http_failures=3, tcp_failures=2, timeouts=3, unhealthy_interval=7.0
)


def told(*probes: Probed) -> list[bool]:
    """The health after each probe."""
    health = Health(CHECK)
    states = []
    for probed in probes:
        before = health.healthy
        assert health.tell(probed) is (health.healthy is not before)
        states.append(health.healthy)
    return states


@pytest.mark.parametrize(
    ("failure", "enough"),
    [(Probed.HTTP_FAILURE, 3), (Probed.TCP_FAILURE, 2), (Probed.TIMEOUT, 3)],
)
def test_enough_failures_of_a_kind_in_a_row_make_it_unhealthy(
    failure: Probed, enough: int
) -> None:
    assert told(*[failure] * enough) == [True] * (enough - 1) + [False]


def test_a_success_ends_a_row_of_failures() -> None:
    f, s = Probed.HTTP_FAILURE, Probed.SUCCESS
    assert all(told(f, f, s, f, f, s))


def test_failures_of_different_kinds_do_not_add_up() -> None:
    assert all(told(Probed.HTTP_FAILURE, Probed.TCP_FAILURE, Probed.HTTP_FAILURE))


def test_enough_successes_in_a_row_make_it_healthy_again() -> None:
    t, s = Probed.TCP_FAILURE, Probed.SUCCESS
    assert told(t, t, s, t, s, s) == [True, False, False, False, False, True]


def test_a_status_of_neither_kind_counts_for_nothing() -> None:
    t, n = Probed.TCP_FAILURE, Probed.NEITHER
    assert told(t, n, t) == [True, True, False]


@pytest.mark.parametrize(
    ("status", "probed"),
    [
        (200, Probed.SUCCESS),
        (302, Probed.SUCCESS),
        (503, Probed.HTTP_FAILURE),
        (404, Probed.HTTP_FAILURE),
        (401, Probed.NEITHER),
        (204, Probed.NEITHER),
    ],
)
def test_statuses_mean_what_is_configured(status: int, probed: Probed) -> None:
    assert Health(CHECK).status(status) is probed


def test_the_interval_goes_by_the_state() -> None:
    health = Health(CHECK)
    assert health.interval == 1.0
    health.tell(Probed.TCP_FAILURE)
    health.tell(Probed.TCP_FAILURE)
    assert health.interval == 7.0
