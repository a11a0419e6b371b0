"""How many at once, and who is next."""

from __future__ import annotations

from aigw.routing.slots import Slots, Waiting


def test_who_waited_longest_is_next() -> None:
    slots = Slots(1, room=5)
    slots.take()
    got: list[str] = []
    for name in "abc":
        waiting = Waiting(lambda _, name=name: got.append(name))  # type: ignore[misc]
        assert waiting.join([slots])
    assert (slots.free, slots.waiting) == (False, 3)
    slots.give_back()
    assert (got, slots.taken) == (["a"], 1)
    slots.give_back()
    slots.give_back()
    assert (got, slots.taken) == (["a", "b", "c"], 1)
    slots.give_back()
    assert (slots.taken, slots.waiting) == (0, 0)


def test_a_queue_is_bounded() -> None:
    slots = Slots(1, room=1)
    slots.take()
    assert Waiting(lambda _: None).join([slots])
    assert not Waiting(lambda _: None).join([slots])
    assert not Waiting(lambda _: None).join([Slots(1, room=0)])


def test_who_waits_for_several_takes_the_first_and_no_other() -> None:
    one, other = Slots(1, room=5), Slots(1, room=5)
    one.take()
    other.take()
    got: list[Slots] = []
    assert Waiting(got.append).join([one, other])
    other.give_back()
    assert got == [other]
    assert (one.waiting, other.waiting) == (0, 0)
    one.give_back()
    assert (one.taken, other.taken) == (0, 1)


def test_who_leaves_gets_nothing() -> None:
    slots = Slots(1, room=5)
    slots.take()
    got: list[Slots] = []
    waiting = Waiting(got.append)
    waiting.join([slots])
    waiting.leave()
    waiting.leave()
    slots.give_back()
    assert (got, slots.taken, slots.waiting) == ([], 0, 0)


def test_slots_without_a_limit_are_always_free() -> None:
    slots = Slots(None, room=0)
    for _ in range(1000):
        slots.take()
    assert slots.free


def test_more_slots_after_a_reload_let_the_waiting_in() -> None:
    slots = Slots(1, room=5)
    slots.take()
    got: list[Slots] = []
    Waiting(got.append).join([slots])
    slots.most = 2
    slots.fill()
    assert (got, slots.taken) == ([slots], 2)
