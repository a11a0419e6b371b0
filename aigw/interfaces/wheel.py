"""Deadlines: many, cheap, mostly never reached."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Attribute, Interface


class IAlarm(Interface):
    """One deadline."""

    when: float = Attribute(
        "Clock seconds at which it is due. May be set to a *later* time at any moment: "
        "an attribute store, which is what makes a timer per read affordable."
    )

    def cancel() -> None:
        """It will not ring. Idempotent, also after it rang."""


class IWheel(Interface):
    """
    All deadlines of the process. An alarm rings at or up to ``tick`` seconds after its
    time, never before.
    """

    tick: float = Attribute("Granularity in seconds.")
    seconds: Callable[[], float] = Attribute("The clock's ``seconds``.")

    def after(delay: float, call: Callable[[], None]) -> IAlarm:
        """
        Call ``call`` once, ``delay`` seconds from now. What it raises is logged and
        keeps no other alarm from ringing.
        """
