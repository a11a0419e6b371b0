"""
Dialects: wire APIs for talking to models, one file each. They know frames and JSON,
never Twisted, never each other.
"""

from __future__ import annotations

from aigw.errors import ConfigError
from aigw.interfaces import IDialect

from .detect import ORDER, detect

_BY_NAME: dict[str, IDialect] = {dialect.name: dialect for dialect in ORDER}


def get(name: str) -> IDialect:
    """
    The dialect of that name.

    :raises ConfigError: there is none; the message lists those there are.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(sorted(_BY_NAME))
        raise ConfigError([f"no dialect is called {name!r}; known: {known}"]) from None


def known() -> frozenset[str]:
    """The names of all dialects."""
    return frozenset(_BY_NAME)


__all__ = ["detect", "get", "known"]
