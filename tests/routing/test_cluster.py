"""Who is asked next: health, rest, breaker, slots and priority together."""

from __future__ import annotations

import pytest

from aigw.errors import ConfigError
from aigw.model.instance import Instance
from aigw.model.outcome import Verdict
from aigw.model.policy import BreakerRule, Policy
from aigw.model.route import Route
from aigw.routing.balance.roundrobin import RoundRobin
from aigw.routing.cluster import Cluster

from .instances import cluster, instance


def asked(made: Cluster, count: int = 1, now: float = 0.0) -> str:
    """The names of those chosen, one attempt after the other."""
    names = []
    for _ in range(count):
        chosen = made.choose(made.route.instances, "", now)
        assert chosen is not None
        made.lease(chosen, now).release(now)
        names.append(chosen.name)
    return "".join(names)


def end(
    made: Cluster,
    one: Instance,
    verdict: Verdict,
    retry_after: float | None = None,
    now: float = 0.0,
) -> None:
    """One attempt at ``one`` that ended so."""
    made.standings[one].slots.take()
    lease = made.lease(one, now)
    lease.judged(verdict, retry_after, now)
    lease.release(now)


def test_a_lower_priority_is_asked_only_when_the_higher_has_nothing_left() -> None:
    a, b, c = instance("a", priority=1), instance("b", priority=1), instance("c")
    made = cluster(a, b, c)
    assert set(asked(made, 10)) == {"a", "b"}
    made.standings[a].healthy = False
    assert set(asked(made, 10)) == {"b"}
    made.standings[b].healthy = False
    assert set(asked(made, 10)) == {"c"}
    made.standings[c].healthy = False
    assert set(asked(made, 10)) == {"a", "b"}


def test_an_instance_rests_as_long_as_it_asks() -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b)
    end(made, a, Verdict.THROTTLED, 3.0)
    assert set(asked(made, 6, now=2.9)) == {"b"}
    assert set(asked(made, 6, now=3.0)) == {"a", "b"}


def test_a_rest_is_bounded_and_may_be_off() -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b)
    end(made, a, Verdict.THROTTLED, 3600.0)
    assert set(asked(made, 4, now=60.0)) == {"a", "b"}
    made = cluster(a, b, cooldown=0.0)
    end(made, a, Verdict.THROTTLED, 3600.0)
    assert set(asked(made, 4)) == {"a", "b"}


def test_when_all_rest_the_one_whose_rest_ends_first_is_asked() -> None:
    a, b = instance("a", priority=5), instance("b")
    made = cluster(a, b)
    end(made, a, Verdict.THROTTLED, 9.0)
    end(made, b, Verdict.THROTTLED, 3.0)
    assert asked(made, 3) == "bbb"


def test_the_least_bad_is_asked_when_none_is_well() -> None:
    a, b, c = (instance(name) for name in "abc")
    made = cluster(a, b, c, breaker=BreakerRule(failures=1))
    made.standings[a].healthy = False
    end(made, b, Verdict.BROKEN)
    end(made, c, Verdict.THROTTLED, 30.0)
    assert asked(made) == "c"
    made.standings[c].healthy = False
    assert asked(made) == "b"


@pytest.mark.parametrize(
    "verdict", [Verdict.BROKEN, Verdict.OVERLOADED, Verdict.REFUSED]
)
def test_trouble_opens_the_breaker(verdict: Verdict) -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b, breaker=BreakerRule(failures=2, open=5))
    end(made, a, verdict)
    end(made, a, verdict)
    assert set(asked(made, 4)) == {"b"}
    assert made.told(0.0)["instances"][0]["breaker"] == "open"
    assert set(asked(made, 4, now=5.0)) == {"a", "b"}
    assert made.told(0.0)["instances"][0]["breaker"] == "half_open"
    end(made, a, Verdict.OK, now=5.0)
    assert made.told(0.0)["instances"][0]["breaker"] == "closed"


def test_first_content_is_enough_to_close_a_breaker() -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b, breaker=BreakerRule(failures=1, open=5))
    end(made, a, Verdict.BROKEN)
    assert set(asked(made, 4)) == {"b"}
    leases = []
    for now in (5.0, 5.0):
        chosen = made.choose([a, b], "", now)
        assert chosen is not None
        leases.append(made.lease(chosen, now))
    (trial,) = [lease for lease in leases if lease.instance is a]
    assert set(asked(made, 4, now=5.5)) == {"b"}
    trial.judged(Verdict.OK, None, 5.5)
    trial.first(6.0)
    assert set(asked(made, 4, now=6.0)) == {"a", "b"}
    # And if the stream breaks after all, that counts as any other failure.
    trial.judged(Verdict.BROKEN, None, 7.0)
    trial.release(7.0)
    assert set(asked(made, 4, now=7.0)) == {"b"}


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.THROTTLED, Verdict.OK])
def test_what_is_not_its_fault_opens_no_breaker(verdict: Verdict) -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b, breaker=BreakerRule(failures=1))
    for _ in range(50):
        end(made, a, verdict)
    assert set(asked(made, 4)) == {"a", "b"}


def test_a_stream_that_breaks_after_a_good_beginning_counts_as_failed() -> None:
    a, b = instance("a"), instance("b")
    made = cluster(a, b, breaker=BreakerRule(failures=1))
    made.standings[a].slots.take()
    lease = made.lease(a, 0.0)
    lease.judged(Verdict.OK, None, 0.0)
    lease.judged(Verdict.BROKEN, None, 1.0)
    lease.release(1.0)
    assert set(asked(made, 4, now=1.0)) == {"b"}


def test_a_full_instance_is_passed_over_even_for_a_lower_priority() -> None:
    a, b = instance("a", priority=1, max_concurrent=1), instance("b")
    made = cluster(a, b)
    first = made.choose([a, b], "", 0.0)
    assert first is a
    assert made.choose([a, b], "", 0.0) is b
    made.lease(a, 0.0).release(0.0)
    assert made.choose([a, b], "", 0.0) is a


def test_full_instances_are_waited_for_although_a_bad_one_is_free() -> None:
    a, b = instance("a", max_concurrent=1), instance("b")
    made = cluster(a, b)
    made.standings[b].healthy = False
    assert made.choose([a, b], "", 0.0) is a
    assert made.choose([a, b], "", 0.0) is None
    got: list[Instance] = []
    assert made.wait([a, b], got.append, 0.0) is not None
    made.lease(a, 0.0).release(0.0)
    assert got == [a]
    assert made.standings[a].slots.taken == 1
    made.give_back(a)
    assert made.standings[a].slots.taken == 0


def test_a_full_queue_refuses() -> None:
    a = instance("a", max_concurrent=1, max_queued=1)
    made = cluster(a)
    made.choose([a], "", 0.0)
    assert made.wait([a], lambda _: None, 0.0) is not None
    assert made.wait([a], lambda _: None, 0.0) is None
    assert made.told(0.0)["instances"][0]["queued"] == 1


def test_only_what_takes_the_model_and_the_size_is_eligible() -> None:
    a = instance("a", models=("gpt-*", "o[13]"))
    b = instance("b", models=("claude-*",), max_body=10)
    c, d = instance("c", weight=0), instance("d")
    made = cluster(a, b, c, d)
    assert made.eligible("gpt-4o", 5) == [a, d]
    assert made.eligible("o3", 5) == [a, d]
    assert made.eligible("claude-x", 10) == [b, d]
    assert made.eligible("claude-x", 11) == [d]


def test_a_reload_keeps_what_is_known() -> None:
    a, b = instance("a"), instance("b")
    before = cluster(a, b)
    end(before, a, Verdict.THROTTLED, 30.0)
    before.standings[b].slots.take()
    again, new = instance("a", weight=3), instance("c")
    made = cluster(again, instance("b", max_concurrent=1), new, before=before)
    assert set(asked(made, 4)) == {"c"}
    assert made.standings[again].instance is again


def test_a_reload_with_another_breaker_begins_a_new_one() -> None:
    a, b = instance("a"), instance("b")
    before = cluster(a, b, breaker=BreakerRule(failures=1))
    end(before, a, Verdict.BROKEN)
    same = cluster(instance("a"), b, before=before, breaker=BreakerRule(failures=1))
    assert set(asked(same, 4)) == {"b"}
    other = cluster(instance("a"), b, before=before, breaker=BreakerRule(failures=2))
    assert set(asked(other, 4)) == {"a", "b"}


def test_an_unknown_balancer_is_named() -> None:
    with pytest.raises(ConfigError, match="no balancer 'best'; chash, ewma"):
        cluster(instance("a"), balancer="best")


def test_model_map_changes_what_is_asked_of_the_provider() -> None:
    one = instance("a", model_map={"fast": "gpt-4o-mini"}, options={"model": "x"})
    assert one.serving("fast").options == {"model": "gpt-4o-mini"}
    assert one.serving("other") is one


class Faulty(RoundRobin):
    """A third party's balancer with a mistake in one of its methods."""

    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    def began(self, instance: Instance, now: float) -> None:
        if self.wrong == "began":
            raise ZeroDivisionError

    def ended(self, instance: Instance, failed: bool, now: float) -> None:
        if self.wrong == "ended":
            raise ZeroDivisionError


@pytest.mark.parametrize("wrong", ["began", "ended"])
def test_a_balancers_mistake_keeps_no_slot(wrong: str) -> None:
    only = instance("a", max_concurrent=1)
    route = Route("r", ("/v1/*",), (only,), policy=Policy(balancer="faulty"))
    made = Cluster(route, balancers={"faulty": lambda random: Faulty(wrong)})
    assert made.choose([only], "", 0.0) is only
    with pytest.raises(ZeroDivisionError):
        made.lease(only, 0.0).release(0.0)
    assert made.standings[only].slots.taken == 0


def test_well_is_who_is_in_no_trouble_at_all() -> None:
    a, b, c = instance("a"), instance("b"), instance("c")
    made = cluster(a, b, c)
    made.standings[a].healthy = False
    end(made, b, Verdict.THROTTLED, 3.0)
    assert made.well((a, b, c), 0.0) == [c]
    assert made.well((a, b), 0.0) == []


def test_who_is_outrun_is_told_to_the_balancer_once() -> None:
    told: list[tuple[str, float]] = []

    class Told(RoundRobin):
        def first(self, instance: Instance, seconds: float, now: float) -> None:
            told.append((instance.name, seconds))

    a = instance("a")
    made = cluster(a)
    made.balancer = Told()
    made.balancer.use((a,))
    for first in (None, 1.0):
        made.standings[a].slots.take()
        lease = made.lease(a, 0.0)
        if first is not None:
            lease.first(first)
        lease.outrun(2.0)
        lease.release(2.0)
    assert told == [("a", 2.0), ("a", 1.0)]
