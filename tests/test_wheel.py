"""Deadlines ring on time or a tick later, and are put off for nothing."""

from __future__ import annotations

from collections.abc import Callable
from sys import getallocatedblocks
from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aigw.streaming.timers import Wheel


def told(wheel: Wheel, rung: list[tuple[str, float]], name: str) -> Callable[[], None]:
    return lambda: rung.append((name, wheel.seconds()))


def pump(clock: Clock, seconds: float, step: float = 0.01) -> None:
    clock.pump([step] * round(seconds / step))


def test_alarm_rings_at_its_time_or_a_tick_later() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    for name, delay in (("late", 1.0), ("soon", 0.12), ("now", 0.0)):
        wheel.after(delay, told(wheel, rung, name))
    pump(clock, 2)
    assert [name for name, _ in rung] == ["now", "soon", "late"]
    for (_, when), delay in zip(rung, (0.0, 0.12, 1.0), strict=True):
        assert delay <= when <= delay + wheel.tick + 0.011
    assert not clock.getDelayedCalls()


def test_alarm_put_off_rings_later() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    alarm = wheel.after(1.0, told(wheel, rung, "a"))
    pump(clock, 0.9)
    alarm.when = 2.5
    pump(clock, 1.5)
    assert rung == []
    pump(clock, 0.2)
    assert len(rung) == 1


def test_cancelled_alarm_does_not_ring_even_from_its_own_slot() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[str] = []

    def ring_one_cancel_others() -> None:
        rung.append("one")
        for alarm in alarms:
            alarm.cancel()

    alarms = [wheel.after(0.51, ring_one_cancel_others) for _ in range(3)]
    pump(clock, 1)
    assert rung == ["one"]


def test_cancelled_alarms_leave_nothing_in_memory() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    last = told(wheel, rung, "last")
    wheel.after(700, last)
    before = getallocatedblocks()
    for alarm in [wheel.after(600 + number / 10, last) for number in range(900)]:
        alarm.cancel()
    assert getallocatedblocks() - before < 300
    clock.advance(690)
    assert rung == []
    clock.advance(11)
    assert len(rung) == 1
    assert not clock.getDelayedCalls()
    wheel.stop()


def test_alarm_takes_the_place_of_one_that_was_cancelled() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    wheel.after(5.0, told(wheel, rung, "a")).cancel()
    wheel.after(5.0, told(wheel, rung, "b"))
    wheel.after(1.0, told(wheel, rung, "c"))
    pump(clock, 6)
    assert [name for name, _ in rung] == ["c", "b"]


def test_error_in_one_alarm_does_not_keep_others_from_ringing(
    logged_failures: list[Failure],
) -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []

    def boom() -> None:
        raise ValueError("boom")

    wheel.after(0.1, boom)
    wheel.after(0.1, told(wheel, rung, "a"))
    pump(clock, 0.3)
    assert [name for name, _ in rung] == ["a"]
    assert [f.getErrorMessage() for f in logged_failures] == ["boom"]
    logged_failures.clear()


def test_stop_leaves_the_clock_clean() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    wheel.after(1, told(wheel, rung, "a"))
    wheel.stop()
    assert not clock.getDelayedCalls()
    pump(clock, 2)
    assert rung == []


def test_an_alarm_set_while_another_rings_delays_none_that_is_due_before_it() -> None:
    clock = Clock()
    wheel = Wheel(clock, tick=0.05)
    rang: list[float] = []
    wheel.after(1.0, lambda: rang.append(clock.seconds()))

    def again() -> None:
        wheel.after(10.0, lambda: None)

    wheel.after(0.5, again)
    clock.pump([0.05] * 30)
    assert len(rang) == 1
    assert 1.0 <= rang[0] <= 1.11
    wheel.stop()
    assert clock.getDelayedCalls() == []


def test_nearer_alarms_move_the_one_call_the_reactor_knows() -> None:
    """One that is cancelled would stay in the reactor, and hold memory, to its time."""

    class Counting(Clock):
        made = 0

        def callLater(self, *arguments: Any, **named: Any) -> Any:
            self.made += 1
            return super().callLater(*arguments, **named)

    clock = Counting()
    wheel = Wheel(clock)
    rung: list[tuple[str, float]] = []
    for seconds in range(60, 0, -1):
        wheel.after(seconds, told(wheel, rung, str(seconds)))
    assert clock.made == 1
    clock.pump([0.5] * 122)
    assert [name for name, _ in rung] == [str(second) for second in range(1, 61)]
    assert not clock.getDelayedCalls()
