"""
The fixtures: bytes as the vendors publish them, in files named
``<operation>.<scenario>.<sse | json | bin>`` beside this module.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from .knobs import BadKnob

_HERE: Final = files(__package__)


@cache
def fixture(operation: str, scenario: str, kind: str) -> bytes:
    """
    The bytes of one fixture.

    :param kind: ``sse``, ``json`` or ``bin``.
    :raises BadKnob: there is no such scenario.
    """
    try:
        return (_HERE / f"{operation}.{scenario}.{kind}").read_bytes()
    except OSError as error:
        raise BadKnob(
            f"{scenario!r} is neither a knob nor a scenario of {operation} ({kind})"
        ) from error
