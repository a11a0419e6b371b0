"""
The fixtures: bytes as the vendors publish them, in files named
``<operation>.<scenario>.<sse | json>`` beside this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from .knobs import BadKnob

_HERE: Final = files(__package__)


@cache
def fixture(operation: str, scenario: str, kind: str) -> bytes:
    """
    The bytes of one fixture.

    :param kind: ``sse`` or ``json``.
    :raises BadKnob: there is no such scenario.
    """
    try:
        return (_HERE / f"{operation}.{scenario}.{kind}").read_bytes()
    except OSError as error:
        raise BadKnob(
            f"{scenario!r} is neither a knob nor a scenario of {operation} ({kind})"
        ) from error


def streamed(
    operation: str,
    scenario: str,
    told: bytes | None,
    stream: Callable[[Any], Iterable[bytes]],
) -> list[bytes]:
    """
    The SSE events of an answer, without their ends: of the file that has them as they
    were published, else made.

    :param told: a whole answer that takes the place of the scenario's.
    :param stream: makes events of a whole answer.
    :raises BadKnob: there is no such scenario.
    """
    if told is None:
        try:
            data = fixture(operation, scenario, "sse")
        except BadKnob:
            told = fixture(operation, scenario, "json")
        else:
            return data.removesuffix(b"\n\n").split(b"\n\n")
    return list(stream(json.loads(told)))


@cache
def every(operation: str) -> tuple[Any, ...]:
    """All whole answers of an operation, read: what the vendor could have said."""
    return tuple(
        json.loads(file.read_bytes())
        for file in sorted(_HERE.iterdir(), key=lambda file: file.name)
        if file.name.startswith(f"{operation}.") and file.name.endswith(".json")
    )
