"""``_meta``: what every plugin object may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from .part import Part, about

_NOT_BUILT = "not implemented by this version"


class PluginMeta(Part, frozen=True, kw_only=True):
    """What every plugin object may hold beside its own fields."""

    ignored: ClassVar[frozenset[str]] = frozenset({"priority"})
    refused: ClassVar[Mapping[str, str]] = {
        "error_response": _NOT_BUILT,
        "filter": _NOT_BUILT,
        "pre_function": "Lua code is not supported",
    }

    disable: Annotated[bool, about("Whether the plugin is left out.")] = False
