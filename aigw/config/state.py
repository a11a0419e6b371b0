"""``state``: where counters and caches are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from .part import SECRET_URL, Part, about


class State(Part, frozen=True, kw_only=True):
    """The store of counters and caches."""

    type: Annotated[
        Literal["memory", "redis"],
        about("`memory` is one per worker; `redis` is not built yet, and refused."),
    ] = "memory"
    url: Annotated[str | None, SECRET_URL, about("The Redis server's URL.")] = None
