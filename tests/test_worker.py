"""A worker as its parent keeps it."""

from __future__ import annotations

import errno

from twisted.internet.task import Clock

from aigw.worker import Worker


class Crowded:
    """A keeper on a machine that has no process to spare for a while."""

    def __init__(self, refusals: int) -> None:
        self.reactor = Clock()
        self.refusals = refusals
        self.spawned = 0

    def spawn(self, worker: Worker) -> None:
        if self.refusals:
            self.refusals -= 1
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        self.spawned += 1

    def heard(self) -> None: ...


def test_a_worker_that_cannot_be_started_is_tried_again() -> None:
    keeper = Crowded(refusals=2)
    Worker(keeper, 1)
    keeper.reactor.pump([0.1, 0.2])
    assert keeper.spawned == 1
    assert not keeper.reactor.getDelayedCalls()
