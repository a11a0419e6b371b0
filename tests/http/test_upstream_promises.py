"""The real upstream keeps the promises of IUpstream, its connections in memory."""

from __future__ import annotations

from aigw.testing.upstream_check import check_upstream

from .wire import MemoryRig


def test_upstream_keeps_the_promises_of_an_upstream() -> None:
    check_upstream(MemoryRig)
