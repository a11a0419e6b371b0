"""
Names and ids as a target allows them, made by a pure function of the original: the same
in every turn, without memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from aigw.model.tool import Hosted, Tool

_HASH = 8


class Fit:
    """
    A target's rule for a name: which characters, and how many at most.

    :param allowed: a regular expression's character set, without brackets.
    """

    __slots__ = ("_limit", "_other", "_whole")

    def __init__(self, allowed: str, limit: int) -> None:
        self._whole = re.compile(f"[{allowed}]{{1,{limit}}}")
        self._other = re.compile(f"[^{allowed}]")
        self._limit = limit

    def __call__(self, name: str) -> str:
        """
        ``name`` where it fits; else with ``_`` for other characters, cut, and the first
        8 hex digits of its SHA-256 behind ``_``, so that no two names become one.
        """
        if self._whole.fullmatch(name):
            return name
        digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
        kept = self._other.sub("_", name)[: self._limit - _HASH - 1]
        return f"{kept}_{digest}"

    def back(self, tools: Iterable[Tool | Hosted]) -> dict[str, str]:
        """Names as sent to the names of ``tools``, where they differ."""
        return {
            fitted: tool.name
            for tool in tools
            if (fitted := self(tool.name)) != tool.name
        }
