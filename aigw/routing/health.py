"""Health of one node: what probes have said of it, counted. Pure."""

from __future__ import annotations

from enum import Enum

from aigw.model.check import ActiveCheck


class Probed(Enum):
    """What came of one probe."""

    SUCCESS = "success"
    HTTP_FAILURE = "http_failure"
    TCP_FAILURE = "tcp_failure"
    TIMEOUT = "timeout"
    NEITHER = "neither"  # a status that says nothing either way


class Health:
    """
    One node's. It counts as healthy until enough failures of one kind came in a row; a
    success ends every row of failures, any failure a row of successes.
    """

    def __init__(self, check: ActiveCheck) -> None:
        self.healthy = True
        self._check = check
        self._rows = dict.fromkeys(Probed, 0)
        self._enough = {
            Probed.HTTP_FAILURE: check.http_failures,
            Probed.TCP_FAILURE: check.tcp_failures,
            Probed.TIMEOUT: check.timeouts,
        }

    @property
    def interval(self) -> float:
        """Seconds until the next probe."""
        check = self._check
        return check.healthy_interval if self.healthy else check.unhealthy_interval

    def status(self, status: int) -> Probed:
        """What an answer's status says."""
        if status in self._check.healthy_statuses:
            return Probed.SUCCESS
        if status in self._check.unhealthy_statuses:
            return Probed.HTTP_FAILURE
        return Probed.NEITHER

    def tell(self, probed: Probed) -> bool:
        """Count one probe; whether the health has changed."""
        if probed is Probed.NEITHER:
            return False
        rows = self._rows
        row = rows[probed] + 1
        if probed is Probed.SUCCESS:
            self._rows = rows = dict.fromkeys(Probed, 0)
        else:
            rows[Probed.SUCCESS] = 0
        rows[probed] = row
        before = self.healthy
        if probed is Probed.SUCCESS:
            self.healthy = before or row >= self._check.successes
        else:
            self.healthy = before and row < self._enough[probed]
        return self.healthy is not before
