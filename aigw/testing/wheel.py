"""The promises every ``IWheel`` keeps, and its ``IAlarm``."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer
from zope.interface.verify import verifyObject

from aigw.interfaces import IAlarm, IWheel

#: How far the clock moves at a time, seconds.
_STEP = 0.01


class AlarmRaised(Exception):
    """Raised by an alarm of :func:`check_wheel`."""


def check_wheel(make: Callable[[IReactorTime], IWheel]) -> None:
    """
    Hold a wheel to what :class:`aigw.interfaces.IWheel` says: alarms ring at their time
    or up to a tick later and never before, once, may be put off and cancelled, and an
    error in one of them is logged and keeps no other from ringing.

    Logs one failure, an :exc:`AlarmRaised`, which a test that looks for logged failures
    has to take out.

    :param make: makes a fresh one on the clock given, which the check moves.
    :raises AssertionError: a promise is broken.
    """
    for promise in _PROMISES:
        clock = Clock()
        promise(clock, make(clock))


def _pass(clock: Clock, seconds: float) -> None:
    clock.pump([_STEP] * round(seconds / _STEP))


def _an_alarm_rings_on_time_and_once(clock: Clock, wheel: IWheel) -> None:
    verifyObject(IWheel, wheel)
    assert wheel.tick > 0, "a tick lasts"
    assert wheel.seconds() == clock.seconds(), "the wheel tells another time"
    clock.advance(0.033)  # nothing begins on a tick
    rung: dict[float, list[float]] = {}
    for delay in (0.0, 0.004, 0.05, 0.1, 0.333, 1.0, 2.5):
        due = wheel.seconds() + delay
        alarm = wheel.after(delay, lambda due=due: told(due))  # type: ignore[misc]
        verifyObject(IAlarm, alarm)
        assert abs(alarm.when - due) < 1e-6, f"due at {due}, but .when is {alarm.when}"
        rung[due] = []

    def told(due: float) -> None:
        rung[due].append(wheel.seconds())

    assert not any(rung.values()), "an alarm rang inside after()"
    _pass(clock, 3 + wheel.tick)
    for due, times in rung.items():
        assert times, f"the alarm due at {due} did not ring"
        assert len(times) == 1, f"the alarm due at {due} rang at {times}"
        assert times[0] >= due - 1e-6, f"due at {due}, it rang before, at {times[0]}"
        late = times[0] - due
        assert late <= wheel.tick + _STEP + 1e-6, f"it rang {late:.3f} s late"


def _an_alarm_may_be_put_off(clock: Clock, wheel: IWheel) -> None:
    rung: list[float] = []
    alarm = wheel.after(0.5, lambda: rung.append(wheel.seconds()))
    for when in (1.0, 1.5, 2.0):
        alarm.when = when
        _pass(clock, 0.4)
    assert not rung, f"put off to 2.0, it rang at {rung}"
    _pass(clock, 0.8 + wheel.tick + _STEP)
    assert len(rung) == 1, f"put off to 2.0, it rang at {rung}"
    assert rung[0] >= 2.0 - 1e-6, f"put off to 2.0, it rang at {rung}"


def _a_cancelled_alarm_is_silent(clock: Clock, wheel: IWheel) -> None:
    rung: list[int] = []
    alarms = [wheel.after(0.3, lambda: ring(0)) for _ in range(3)]
    late = wheel.after(1.0, lambda: rung.append(1))

    def ring(which: int) -> None:
        rung.append(which)
        for alarm in alarms:
            alarm.cancel()

    late.cancel()
    late.cancel()
    late.when = 1.5
    _pass(clock, 2)
    assert rung == [0], "one that was cancelled rang, from its own slot or later"
    alarms[0].cancel()  # long after it rang


def _an_error_keeps_no_other_from_ringing(clock: Clock, wheel: IWheel) -> None:
    rung: list[int] = []
    failures: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event)

    def fail() -> None:
        raise AlarmRaised

    wheel.after(0.2, lambda: rung.append(1))
    wheel.after(0.2, fail)
    for delay in (0.2, 0.2, 0.6):
        wheel.after(delay, lambda: rung.append(1))
    globalLogPublisher.addObserver(observe)
    try:
        _pass(clock, 1)
    except AlarmRaised:
        raise AssertionError("an alarm's error reached the reactor") from None
    finally:
        globalLogPublisher.removeObserver(observe)
    assert len(rung) == 4, f"{4 - len(rung)} alarms beside one that failed did not ring"
    assert failures, "an alarm's error was not logged"


def _an_alarm_may_set_others(clock: Clock, wheel: IWheel) -> None:
    rung: list[float] = []

    def again() -> None:
        rung.append(wheel.seconds())
        if len(rung) < 3:
            wheel.after(0.5, again)
            wheel.after(60, lambda: None).cancel()

    wheel.after(0.5, again)
    _pass(clock, 1.5 + 3 * (wheel.tick + _STEP))
    assert len(rung) == 3, f"set from inside another, alarms rang at {rung} only"


_PROMISES = (
    _an_alarm_rings_on_time_and_once,
    _an_alarm_may_be_put_off,
    _a_cancelled_alarm_is_silent,
    _an_error_keeps_no_other_from_ringing,
    _an_alarm_may_set_others,
)
