"""Who is told of exchanges that have ended."""

from __future__ import annotations

from zope.interface import Interface

from aigw.model.record import Record


class IRecorder(Interface):
    """Takes records. Called once per exchange, from its ``finally``; process-wide."""

    def record(record: Record) -> None:
        """Take note. Never blocks, never raises; may drop, and then counts that."""
