"""The wheel keeps the promises of one, and broken ones are found out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from aigw.interfaces import IWheel
from aigw.streaming.timers import Alarm, Wheel
from aigw.testing.wheel import AlarmRaised, check_wheel


def take_expected(failures: list[Failure]) -> None:
    failures[:] = [each for each in failures if not each.check(AlarmRaised)]


@pytest.mark.parametrize("tick", [0.01, 0.05, 0.25])
def test_the_wheel_keeps_the_promises(
    tick: float, logged_failures: list[Failure]
) -> None:
    check_wheel(lambda clock: Wheel(clock, tick))
    take_expected(logged_failures)


class Changed(Wheel):
    """A wheel whose calls go through ``ring``."""

    def after(self, delay: float, call: Callable[[], None]) -> Alarm:
        return super().after(delay, lambda: self.ring(call))

    def ring(self, call: Callable[[], None]) -> None:
        call()


class RingsEarly(Wheel):
    def after(self, delay: float, call: Callable[[], None]) -> Alarm:
        super().after(delay / 2, call)
        return Alarm(self.seconds() + delay, call)


class RingsLate(Changed):
    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._later = clock.callLater

    def ring(self, call: Callable[[], None]) -> None:
        self._later(0.2, call)


class RingsTwice(Changed):
    def ring(self, call: Callable[[], None]) -> None:
        call()
        call()


class CannotBePutOff(Wheel):
    def after(self, delay: float, call: Callable[[], None]) -> Alarm:
        super().after(delay, call)
        return Alarm(self.seconds() + delay, call)


class StopsAtAnError(Changed):
    def ring(self, call: Callable[[], None]) -> None:
        try:
            call()
        except AlarmRaised:
            self.stop()


class SaysNothingOfErrors(Changed):
    def ring(self, call: Callable[[], None]) -> None:
        with suppress(AlarmRaised):
            call()


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (RingsEarly, "rang before"),
        (RingsLate, "s late"),
        (RingsTwice, r"rang at \["),
        (CannotBePutOff, "put off to 2.0"),
        (StopsAtAnError, "beside one that failed did not ring"),
        (SaysNothingOfErrors, "was not logged"),
    ],
)
def test_a_broken_wheel_is_found_out(
    kind: Callable[[IReactorTime], IWheel], why: str, logged_failures: list[Failure]
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_wheel(kind)
    take_expected(logged_failures)
