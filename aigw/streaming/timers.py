"""
Deadlines for a process that has tens of thousands of them and reaches almost none.

A ``DelayedCall`` each costs 5 µs to make and cancel; there are several a request, and
one of them is put off by every byte that arrives. So alarms stand in slots of ``tick``
seconds, the reactor knows of one ``DelayedCall`` for the nearest slot, putting an alarm
off is an attribute store, and its slot looks at the real time when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from aigw.interfaces.wheel import IAlarm, IWheel

log = Logger()

#: Numbers of forgotten slots kept in order, beside one for each that stands.
_STALE = 64


def over() -> None:
    """
    The call of an alarm that will not ring any more. What it called usually holds the
    alarm, and a request shall leave the collector nothing.
    """


@implementer(IAlarm)
class Alarm:
    """See :class:`aigw.interfaces.wheel.IAlarm`."""

    __slots__ = ("_slot", "call", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call = call
        self._slot: _Slot | None = None

    def cancel(self) -> None:
        slot = self._slot
        if slot is not None:
            self._slot = None
            self.call = over
            slot.discard(self)
            if not slot:
                slot.wheel.forget(slot)


class _Slot(set[Alarm]):
    """The alarms that are looked at together, at ``number`` ticks of ``wheel``."""

    __slots__ = ("number", "wheel")
    number: int
    wheel: Wheel


@implementer(IWheel)
class Wheel:
    """See :class:`aigw.interfaces.wheel.IWheel`."""

    def __init__(self, clock: IReactorTime, tick: float = 0.05) -> None:
        self.tick = tick
        self.seconds: Callable[[], float] = clock.seconds
        self._clock = clock
        self._slots: dict[int, _Slot] = {}
        self._order: list[int] = []
        self._turn: IDelayedCall | None = None
        self._turn_slot = 0
        self._ringing = False

    def after(self, delay: float, call: Callable[[], None]) -> Alarm:
        alarm = Alarm(self.seconds() + delay, call)
        self._place(alarm)
        return alarm

    def forget(self, slot: _Slot) -> None:
        """
        The last alarm of a slot was cancelled. Deadlines lie minutes ahead, and slots
        left empty until then would each hold on to a piece of a burst's memory.
        """
        if self._slots.get(slot.number) is not slot:
            return  # its turn has just come
        del self._slots[slot.number]
        if len(self._order) > 2 * len(self._slots) + _STALE:
            self._order[:] = sorted(self._slots)

    def stop(self) -> None:
        """Forget all alarms; the reactor is left clean."""
        for slot in self._slots.values():
            for alarm in slot:
                alarm._slot = None
        self._slots.clear()
        self._order.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _place(self, alarm: Alarm) -> None:
        number = int(alarm.when / self.tick) + 1
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = _Slot()
            slot.number = number
            slot.wheel = self
            heappush(self._order, number)
            # What rings may set alarms; the nearest slot of all is armed behind it.
            if not self._ringing and (self._turn is None or number < self._turn_slot):
                self._arm(number)
        slot.add(alarm)
        alarm._slot = slot

    def _arm(self, number: int) -> None:
        self._turn_slot = number
        delay = max(0.0, number * self.tick - self.seconds())
        if self._turn is None:
            self._turn = self._clock.callLater(delay, self._ring)
        else:
            self._turn.reset(delay)

    def _ring(self) -> None:
        self._turn = None
        self._ringing = True
        now = self.seconds()
        due: list[Alarm] = []
        # A little early is on time: callLater and the division both round.
        while self._order and self._order[0] * self.tick <= now + 1e-6:
            due.extend(self._slots.pop(heappop(self._order), ()))
        for alarm in due:
            if alarm._slot is None:
                continue  # cancelled by one that rang before it
            alarm._slot = None
            if alarm.when > now:
                self._place(alarm)
                continue
            call, alarm.call = alarm.call, over
            try:
                call()
            except Exception:
                log.failure("A deadline's call failed.")
        self._ringing = False
        if self._order:
            self._arm(self._order[0])
