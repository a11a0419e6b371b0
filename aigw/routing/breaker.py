"""
The breaker: an instance that keeps failing is left alone for a while, then tried with
few requests before it gets its share again.

The life-cycle is the table at the end of :func:`_make_circuit`; counting stands beside
it, in :class:`Breaker`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from aigw.model.policy import BreakerRule


class _Circuit(Protocol):
    """The inputs of the life-cycle."""

    def trip(self) -> None:
        """Too much has failed: let nothing through."""

    def ripen(self) -> None:
        """It was left alone for long enough: let a few through."""

    def close(self) -> None:
        """Those came through: let everything through."""

    def phase(self) -> str:
        """``closed``, ``open`` or ``half_open``."""


class _Nothing:
    """All that changes is counted by the Breaker."""


def _make_circuit() -> Callable[[_Nothing], _Circuit]:
    machine = TypeMachineBuilder(_Circuit, _Nothing)
    closed = machine.state("closed")
    open_ = machine.state("open")
    half_open = machine.state("half_open")

    closed.upon(_Circuit.trip).to(open_).returns(None)
    open_.upon(_Circuit.ripen).to(half_open).returns(None)
    half_open.upon(_Circuit.trip).to(open_).returns(None)
    half_open.upon(_Circuit.close).to(closed).returns(None)

    closed.upon(_Circuit.phase).loop().returns("closed")
    open_.upon(_Circuit.phase).loop().returns("open")
    half_open.upon(_Circuit.phase).loop().returns("half_open")
    return machine.build()


_circuit = _make_circuit()


class Breaker:
    """
    One instance's breaker. Attempts that were sent although it is open (nothing else
    was left) change nothing; nor does what began before it opened and ends later.
    """

    def __init__(self, rule: BreakerRule) -> None:
        self.rule = rule
        self._circuit = _circuit(_Nothing())
        self._turn = 0  # how often the life-cycle has moved
        self._until = 0.0
        self._row = 0
        self._window = 0.0  # when the window began
        self._seen = 0
        self._failed = 0
        self._trials = 0  # under way, while half open
        self._passed = 0

    @property
    def phase(self) -> str:
        """``closed``, ``open`` or ``half_open``."""
        return self._circuit.phase()

    def lets(self, now: float) -> bool:
        """Whether an attempt may begin; opens halfway when the time has come."""
        phase = self._circuit.phase()
        if phase == "open":
            if now < self._until:
                return False
            self._turn += 1
            self._circuit.ripen()
            self._trials = self._passed = 0
            phase = "half_open"
        if phase == "half_open":
            return self._trials + self._passed < self.rule.half_open
        return True

    def began(self) -> int:
        """An attempt begins; what is returned is handed to :meth:`ended`."""
        if self._circuit.phase() == "half_open":
            self._trials += 1
        return self._turn

    def ended(self, began: int, failed: bool | None, now: float) -> None:
        """
        An attempt ended.

        :param began: what :meth:`began` returned for it.
        :param failed: None where its end says nothing of the instance.
        """
        if began != self._turn:
            return
        phase = self._circuit.phase()
        if phase == "half_open":
            self._tried(failed, now)
        elif phase == "closed" and failed is not None:
            self._count(failed, now)

    def _tried(self, failed: bool | None, now: float) -> None:
        self._trials -= 1
        if failed:
            self._trip(now)
        elif failed is not None:
            self._passed += 1
            if self._passed >= self.rule.half_open:
                self._turn += 1
                self._row = self._seen = self._failed = 0
                self._circuit.close()

    def _count(self, failed: bool, now: float) -> None:
        rule = self.rule
        if now - self._window >= rule.window:
            self._window, self._seen, self._failed = now, 0, 0
        self._seen += 1
        if not failed:
            self._row = 0
            return
        self._row += 1
        self._failed += 1
        enough = self._seen >= rule.min_requests
        if self._row >= rule.failures or (
            enough and self._failed >= rule.ratio * self._seen
        ):
            self._trip(now)

    def _trip(self, now: float) -> None:
        self._turn += 1
        self._until = now + self.rule.open
        self._row = self._seen = self._failed = 0
        self._circuit.trip()
