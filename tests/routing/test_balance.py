"""Who gets which share of the requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.interfaces.balancer import IBalancer
from aigw.model.instance import Instance
from aigw.routing.balance import BUILT_IN
from aigw.routing.balance.chash import POINTS, UNITS, ConsistentHash, units
from aigw.routing.balance.ewma import Ewma
from aigw.routing.balance.least_conn import LeastConn
from aigw.routing.balance.roundrobin import RoundRobin
from aigw.testing.balancer import check_balancer

from .instances import instance

A, B, C = instance("a", 4), instance("b", 1), instance("c", 2)
WEIGHTS = st.lists(st.integers(1, 20), min_size=1, max_size=6)


def balancer(name: str, *instances: Instance) -> IBalancer:
    made = BUILT_IN[name](Random(7).random)
    made.use(instances)
    return made


def picks(made: IBalancer, candidates: list[Instance], count: int) -> list[str]:
    return [made.pick(candidates, "", 0.0).name for _ in range(count)]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_each_balancer_keeps_the_interface(name: str) -> None:
    check_balancer(lambda: BUILT_IN[name](Random(7).random))
    assert balancer(name).name == name


class Stubborn(RoundRobin):
    """Chooses the last of all, shown or not."""

    def use(self, instances: Sequence[Instance]) -> None:
        self._all = instances

    def pick(self, candidates: Sequence[Instance], key: str, now: float) -> Instance:
        return self._all[-1]


def test_a_balancer_that_chooses_what_it_was_not_shown_is_found_out() -> None:
    with pytest.raises(AssertionError, match="which was not shown"):
        check_balancer(Stubborn)


# -- round robin


def test_weights_4_and_1_give_8_and_2_of_10() -> None:
    assert Counter(picks(balancer("roundrobin", A, B), [A, B], 10)) == {"a": 8, "b": 2}


def test_round_robin_makes_no_bursts() -> None:
    assert picks(balancer("roundrobin", A, B), [A, B], 5) == ["a", "a", "b", "a", "a"]


@given(WEIGHTS)
def test_round_robin_is_exact_after_each_full_turn(weights: list[int]) -> None:
    instances = [instance(str(place), w) for place, w in enumerate(weights)]
    made = RoundRobin()
    made.use(instances)
    counted = Counter(picks(made, instances, 2 * sum(weights)))
    assert [counted[one.name] for one in instances] == [2 * w for w in weights]


def test_round_robin_shares_what_is_left_by_weight() -> None:
    made = balancer("roundrobin", A, B, C)
    counted = Counter(picks(made, [B, C], 9))
    assert counted == {"b": 3, "c": 6}


# -- consistent hashing

KEYS = [f"user-{number}" for number in range(120)]


def ring(*instances: Instance) -> ConsistentHash:
    made = ConsistentHash()
    made.use(instances)
    return made


def test_equal_keys_go_to_one_instance() -> None:
    made = ring(A, B, C)
    for key in KEYS:
        assert len({made.pick([A, B, C], key, 0.0).name for _ in range(3)}) == 1


def test_no_key_of_a_healthy_instance_moves() -> None:
    every = [instance(name) for name in "abc"]
    made = ring(*every)
    before = {key: made.pick(every, key, 0.0) for key in KEYS}
    assert len(set(before.values())) == 3
    for gone in every:
        left = [one for one in every if one is not gone]
        after = {key: made.pick(left, key, 0.0) for key in KEYS}
        moved = {key for key in KEYS if after[key] is not before[key]}
        assert moved == {key for key in KEYS if before[key] is gone}
        # and those that moved spread over the others
        assert {after[key] for key in moved} == set(left)
    assert before == {key: made.pick(every, key, 0.0) for key in KEYS}


def test_keys_spread_by_weight() -> None:
    made = ring(A, B)
    counted = Counter(
        made.pick([A, B], f"key {number}", 0.0).name for number in range(5000)
    )
    assert 0.74 < counted["a"] / 5000 < 0.86


def test_a_ring_is_the_same_in_every_process() -> None:
    # Else workers would send one key to different instances.
    every = [instance(name) for name in "abc"]
    made = ring(*every)
    assert [made.pick(every, key, 0.0).name for key in KEYS[:6]] == list("cabccc")


def test_any_text_is_a_key() -> None:
    assert ring(A).pick([A], "\udc80\u20ac\x00", 0.0) is A


def test_weights_are_divided_by_their_divisor() -> None:
    assert units([400, 100]) == [4, 1]
    assert units([0, 7]) == [0, 1]
    assert len(ring(instance("a", 400), instance("b", 100))._points) == 5 * POINTS


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_a_ring_is_bounded_and_forgets_nobody(weights: list[int]) -> None:
    shares = units(weights)
    assert sum(shares) <= UNITS + len(weights)
    assert [bool(share) for share in shares] == [bool(weight) for weight in weights]


# -- least connections


def test_fewest_under_way_for_its_weight_is_asked() -> None:
    made = LeastConn()
    made.use([A, B])
    chosen = []
    for _ in range(10):
        one = made.pick([A, B], "", 0.0)
        made.began(one, 0.0)
        chosen.append(one.name)
    assert Counter(chosen) == {"a": 8, "b": 2}
    for _ in range(6):
        made.ended(A, False, 0.0)
    assert made.pick([A, B], "", 0.0) is A


def test_equally_loaded_ones_take_turns() -> None:
    one, other = instance("x"), instance("y")
    made = LeastConn()
    made.use([one, other])
    chosen = []
    for _ in range(6):
        picked = made.pick([one, other], "", 0.0)
        made.began(picked, 0.0)
        made.ended(picked, False, 0.0)
        chosen.append(picked.name)
    assert Counter(chosen) == {"x": 3, "y": 3}


# -- peak EWMA


def simulate(paces: dict[Instance, float], clients: int, requests: int) -> Counter[str]:
    """``clients`` each send one request after the other; who served how many."""
    made = Ewma(Random(1).random)
    made.use(list(paces))
    served: Counter[str] = Counter()
    under_way: list[tuple[float, int, Instance, float]] = []
    now = 0.0
    for number in range(requests):
        if len(under_way) == clients:
            now, _, done, began = heappop(under_way)
            made.first(done, now - began, now)
            made.ended(done, False, now)
        chosen = made.pick(list(paces), "", now)
        made.began(chosen, now)
        served[chosen.name] += 1
        heappush(under_way, (now + paces[chosen], number, chosen, now))
    return served


@pytest.mark.parametrize("clients", [1, 4, 20])
@pytest.mark.parametrize("others", [1, 3])
def test_a_three_times_slower_instance_gets_little(clients: int, others: int) -> None:
    paces = {instance(f"fast {number}"): 0.2 for number in range(others)}
    paces[instance("slow")] = 0.6
    served = simulate(paces, clients, 3000)
    assert served["slow"] < 0.15 * 3000
    assert served["slow"] > 0  # or its recovery would never be seen


def test_equally_fast_instances_share() -> None:
    served = simulate({instance("x"): 0.2, instance("y"): 0.2}, 8, 2000)
    assert 0.4 < served["x"] / 2000 < 0.6


def test_a_fast_failure_is_no_fast_answer() -> None:
    one, other = instance("x"), instance("y")
    made = Ewma(Random(1).random)
    made.use([one, other])
    for which in (one, other):
        made.began(which, 0.0)
        made.first(which, 0.2, 0.2)
        made.ended(which, False, 0.2)
    made.began(one, 1.0)
    made.ended(one, True, 1.0)
    assert made.pick([one, other], "", 1.0) is other


def test_what_was_slow_once_is_asked_again_some_day() -> None:
    one, other = instance("x"), instance("y")
    made = Ewma(Random(1).random)
    made.use([one, other])
    for which, seconds in ((one, 0.2), (other, 2.0)):
        made.began(which, 0.0)
        made.first(which, seconds, 0.0)
        made.ended(which, False, 0.0)
    assert made.pick([one, other], "", 1.0) is one
    for second in range(1, 60):
        made.began(one, float(second))
        made.first(one, 0.2, float(second))
        made.ended(one, False, float(second))
    assert made.pick([one, other], "", 60.0) is other
