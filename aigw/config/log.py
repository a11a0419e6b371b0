"""``log``: the access records, and the daemon's own log."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .part import Part, about


class AccessLog(Part, frozen=True, kw_only=True):
    """Where access records go."""

    path: Annotated[
        str,
        Meta(min_length=1),
        about("A file that is appended to, or `-` for standard output."),
    ] = "-"
    format: Annotated[Literal["json"], about("One JSON object a line.")] = "json"


class Log(Part, frozen=True, kw_only=True):
    """What is logged, and where."""

    access: Annotated[
        AccessLog | None, about("The access records; `null` switches them off.")
    ] = AccessLog()
    level: Annotated[
        Literal["debug", "info", "warn", "error", "critical"],
        about("The least that the daemon's own log, on standard error, tells."),
    ] = "info"
