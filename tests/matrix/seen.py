"""What the mock provider was sent, told from all the rest by the cell's mark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aigw.mock import Mock


@dataclass(frozen=True)
class Sent:
    """
    A request as it reached the provider.

    :ivar path: without its query.
    :ivar body: its JSON.
    """

    path: str
    body: Any

    def all(self) -> Iterator[Any]:
        """Every value in the body, those inside of JSON texts too."""
        return _all(self.body)

    def has(self, value: Any) -> bool:
        """Whether ``value`` is anywhere in the body, equal as JSON."""
        return any(held == value for held in self.all())


def _all(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for key in value:
            yield from _all(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from _all(item)
    elif isinstance(value, str) and value.startswith(("{", "[")):
        try:
            inner = json.loads(value)
        except ValueError:
            return
        yield from _all(inner)


def sent(mock: Mock, mark: str) -> list[Sent]:
    """The requests whose body holds ``mark``, in order."""
    marked = mark.encode()
    # One C call: the reactor's thread cannot add to it meanwhile.
    return [
        Sent(seen.request.path, json.loads(seen.body))
        for seen in list(mock.requests)
        if marked in seen.body
    ]
