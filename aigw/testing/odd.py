"""Odd values: what servers and clients that only imitate an API put in any place."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import msgspec

from aigw.model.frame import EventStreamFrame, SSEFrame

#: JSON of the wrong kind, and what is no JSON at all.
BODIES = (
    b"",
    b" ",
    b"null",
    b"true",
    b"0",
    b'""',
    b"[]",
    b"[{}]",
    b"{}",
    b"{",
    b'{"a":1}x',
    b'{"a":1,"a":2}',
    b"NaN",
    b"\xff\xfe",
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\\ud800"}',
    b"\xef\xbb\xbf{}",
    b"<html>",
    b'{"error":null}',
    b'{"error":"x"}',
    b'{"error":[]}',
    b'{"error":{"message":1,"type":[],"code":{}}}',
    b'{"type":"error"}',
    b"[" * 100_000,
    b'{"a":' * 5_000,
)

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 2**70),
    *("", "x", "null", "\ud800", "\x00"),
    *([], {}, [None], [{}], {"type": None}, {"type": "x"}),
)


def bodies(samples: Iterable[bytes], chance: Random, each: int = 30) -> Iterator[bytes]:
    """
    :data:`BODIES`, and ``samples``, each with one of its fields changed, with a few
    values anywhere in it changed or left out, and cut short.

    :param each: how many of one sample are changed anywhere.
    """
    yield from BODIES
    for sample in samples:
        try:
            told = json.loads(sample)
        except (ValueError, RecursionError):
            continue
        for key in told if isinstance(told, dict) else ():
            for value in chance.sample(_VALUES, 4):
                yield json.dumps({**told, key: value}).encode()
        for _ in range(each):
            changed = json.loads(sample)
            for _ in range(chance.randint(1, 3)):
                changed = _changed(changed, chance)
            yield json.dumps(changed).encode()
        yield sample[: chance.randrange(len(sample))]


def frames(samples: Iterable[Any], chance: Random, each: int = 10) -> Iterator[Any]:
    """
    Frames like ``samples`` that hold :func:`bodies`, under any of their names, and
    ``samples`` themselves in any order. Frames of a third party's kind are but mixed.
    """
    samples = list(samples)
    made: list[Any] = list(samples)
    names = {frame.type for frame in samples if isinstance(frame, SSEFrame)}
    types = [*sorted(names), "message", "error", "ping", "odd", ""]
    for frame in samples:
        if isinstance(frame, SSEFrame):
            made.append(SSEFrame(type=frame.type))
            for body in bodies([frame.data or b"{}"], chance, each):
                kind = chance.choice((frame.type, frame.type, chance.choice(types)))
                made.append(SSEFrame(type=kind, data=body))
        elif isinstance(frame, EventStreamFrame):
            for body in bodies([frame.payload], chance, each):
                headers = dict(frame.headers)
                if headers and chance.random() < 0.3:
                    headers[chance.choice(list(headers))] = chance.choice([1, "x", b""])
                made.append(msgspec.structs.replace(frame, headers=headers))
                made.append(EventStreamFrame(headers=frame.headers, payload=body))
    chance.shuffle(made)
    yield from made


def _changed(value: Any, chance: Random) -> Any:
    """``value`` with one of the values in it replaced, or left out."""
    places = list(_places(value))
    if not places:
        return copy.deepcopy(chance.choice(_VALUES))
    holder, key = chance.choice(places)
    if chance.random() < 0.2:
        del holder[key]
    else:
        # A copy: what is put in may be changed in its turn.
        holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Iterable[Any] = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from _places(value[key])
