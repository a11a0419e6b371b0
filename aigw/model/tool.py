"""Tools: what a model may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .part import Cache, Rider


@dataclass(frozen=True, slots=True)
class Tool:
    """
    A tool that the client runs.

    :ivar schema: JSON Schema of its arguments as raw JSON; None where none is given.
    :ivar strict: whether arguments must match it; None where nothing is said.
    :ivar custom: whether it takes any text instead of a JSON object.
    :ivar grammar: syntax and definition that text must follow, None for any text.
    """

    name: str
    description: str = ""
    schema: bytes | None = None
    strict: bool | None = None
    custom: bool = False
    grammar: tuple[str, str] | None = None
    cache: Cache | None = None
    rider: Rider = ()


@dataclass(frozen=True, slots=True)
class Hosted:
    """
    A tool of another kind: run by the provider, or with a form of its own.

    :ivar dialect: the dialect that knows it.
    :ivar type: its word for it.
    :ivar raw: the whole definition, JSON.
    """

    dialect: str
    type: str
    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """
    :ivar mode: ``auto``, ``any`` (some tool), ``none``, ``tool`` (the one named), or
        ``other``: a choice only its own dialect can express.
    :ivar raw: the choice as it came, where ``mode`` is ``other``.
    """

    mode: Literal["auto", "any", "none", "tool", "other"]
    name: str = ""
    raw: bytes = b""
