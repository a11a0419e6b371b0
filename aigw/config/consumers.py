"""``consumers``: who may call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from .part import Part, about
from .plugins import ConsumerPlugins


class Consumer(Part, frozen=True, kw_only=True):
    """Someone who may call."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {"create_time", "desc", "labels", "update_time"}
    )
    refused: ClassVar[Mapping[str, str]] = {
        "group_id": "not implemented by this version",
    }

    username: Annotated[
        str,
        Meta(min_length=1, max_length=100, pattern=r"^[a-zA-Z0-9_-]+$"),
        about("The name records tell."),
    ]
    plugins: Annotated[
        ConsumerPlugins, about("How the consumer is known, and what limits it.")
    ] = ConsumerPlugins()
