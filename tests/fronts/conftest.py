"""The fronts, each in its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aigw.testing.front import KINDS

from .bench import Bench

Open = Callable[..., Bench]


@pytest.fixture(params=KINDS)
def open_front(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a front of each kind; it is closed after the test."""
    benches: list[Bench] = []

    def open_front(**settings: object) -> Bench:
        benches.append(Bench(request.param, **settings))
        return benches[-1]

    yield open_front
    for bench in benches:
        bench.close()


@pytest.fixture
def front(open_front: Open) -> Bench:
    """One front of each kind."""
    return open_front()
