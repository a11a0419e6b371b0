"""
Every test of this folder that asks for a gateway runs behind each front.

pytest loads this file before pytest-twisted chooses a reactor, so nothing here may
import one at its top.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from .house import House
    from .many import Many

#: Makes a gateway with these ``ai-proxy`` fields, and ``server`` fields if given.
Open = Callable[..., "House"]


@pytest.fixture(params=["site", "channel"])
def front(request: pytest.FixtureRequest) -> str:
    """The front's name: twisted.web's, or the daemon's own."""
    name: str = request.param
    return name


@pytest_twisted.async_yield_fixture()
async def house(front: str) -> AsyncIterator[Open]:
    """Opens gateways; all are closed at the test's end."""
    from .house import House

    opened: list[House] = []

    def open_house(*, server: dict[str, Any] | None = None, **fields: Any) -> House:
        opened.append(House(front, server or {}, fields))
        return opened[-1]

    yield open_house
    for each in opened:
        await each.close()


@pytest_twisted.async_yield_fixture()
async def many() -> AsyncIterator[Callable[..., Many]]:
    """Opens gateways of several instances, as :class:`.many.Many` takes them."""
    from .many import Many

    opened: list[Many] = []

    def open_many(*arguments: Any, **fields: Any) -> Many:
        opened.append(Many(*arguments, **fields))
        return opened[-1]

    yield open_many
    for each in opened:
        await each.close()
