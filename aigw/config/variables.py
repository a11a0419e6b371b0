"""What ``vars`` may ask of a request: variables by the reference's names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from aigw.model.envelope import Envelope
from aigw.model.headers import first

#: Reads one variable; None where the request does not have it.
Read = Callable[[Envelope, str], Any]

_STEP = re.compile(r"\.?(?P<name>[^.\[\]]+)|\[(?P<index>\*|\d+)\]")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _host(envelope: Envelope) -> str | None:
    value = _text(first(envelope.headers, b"host"))
    if value is None:
        return None
    # An IPv6 literal keeps its brackets: its colons are no port.
    return re.sub(r":\d*\Z", "", value).lower()


_SIMPLE: dict[str, Read] = {
    "uri": lambda envelope, peer: envelope.path,
    "request_uri": lambda envelope, peer: envelope.target.decode("latin-1"),
    "request_method": lambda envelope, peer: envelope.method,
    "query_string": lambda envelope, peer: envelope.query.decode("latin-1"),
    "args": lambda envelope, peer: envelope.query.decode("latin-1"),
    "host": lambda envelope, peer: _host(envelope),
    "remote_addr": lambda envelope, peer: peer,
    "content_type": lambda envelope, peer: _text(
        first(envelope.headers, b"content-type")
    ),
    "content_length": lambda envelope, peer: _text(
        first(envelope.headers, b"content-length")
    ),
}


def _argument(name: str) -> Read:
    def read(envelope: Envelope, peer: str) -> str | None:
        for pair in envelope.query.decode("latin-1").split("&"):
            key, _, value = pair.partition("=")
            if unquote_plus(key) == name:
                return unquote_plus(value)
        return None

    return read


def _header(name: str) -> Read:
    wanted = name.lower().replace("_", "-").encode("latin-1")

    def read(envelope: Envelope, peer: str) -> str | None:
        values = [value for key, value in envelope.headers if key == wanted]
        return b", ".join(values).decode("latin-1") if values else None

    return read


def _cookie(name: str) -> Read:
    def read(envelope: Envelope, peer: str) -> str | None:
        for key, value in envelope.headers:
            if key != b"cookie":
                continue
            for pair in value.decode("latin-1").split(";"):
                found, _, text = pair.strip().partition("=")
                if found == name:
                    return text
        return None

    return read


def _body(path: str) -> Read:
    """``post_arg.a.b[0].c[*].d``: a value of the JSON body; ``[*]`` gathers a list."""
    steps: list[str | int] = []
    end = 0
    while end < len(path):
        step = _STEP.match(path, end)
        if step is None:
            break
        if step["name"] is not None:
            steps.append(step["name"])
        else:
            steps.append(-1 if step["index"] == "*" else int(step["index"]))
        end = step.end()
    if end != len(path) or not steps or not isinstance(steps[0], str):
        raise ValueError(f"post_arg.{path[:64]} is no path to a field of the body")
    top = steps[0]
    rest = steps[1:]

    def read(envelope: Envelope, peer: str) -> Any:
        raw = (envelope.fields or {}).get(top)
        if raw is None:
            return None
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            return None
        return _walk(value, rest)

    return read


def _walk(value: Any, steps: list[str | int]) -> Any:
    for position, step in enumerate(steps):
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif not isinstance(value, list):
            return None
        elif step >= 0:
            value = value[step] if step < len(value) else None
        else:
            gathered: list[Any] = []
            for item in value:
                found = _walk(item, steps[position + 1 :])
                if isinstance(found, list):
                    gathered.extend(found)
                elif found is not None:
                    gathered.append(found)
            return gathered
    return value


_PREFIXES: dict[str, Callable[[str], Read]] = {
    "post_arg.": _body,
    "arg_": _argument,
    "http_": _header,
    "cookie_": _cookie,
}


#: All variables; ``*`` stands for a name.
NAMES = (*_SIMPLE, *(f"{prefix}*" for prefix in _PREFIXES))


def reader_of(name: str) -> Read:
    """
    What reads the variable ``name``.

    :raises ValueError: there is none of that name.
    """
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple
    for prefix, make in _PREFIXES.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return make(name[len(prefix) :])
    raise ValueError(f"unknown variable {name[:64]}; there are {', '.join(NAMES)}")
