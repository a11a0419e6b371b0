"""``balancer.hash_on`` and ``balancer.key``: what requests are hashed on."""

from __future__ import annotations

import re

from aigw.model.envelope import Envelope
from aigw.model.policy import Key

from .variables import Read, reader_of

#: What ``hash_on: vars`` may name; arguments of the query besides.
_VARIABLES = frozenset(
    """
    host hostname mqtt_client_id query_string remote_addr remote_port request_uri
    server_addr server_name uri
    """.split()
)
#: Those of them that no request here has: it is hashed on the client's address then.
UNKNOWN = frozenset({"hostname", "mqtt_client_id", "remote_port", "server_addr"})

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\Z")
_VARIABLE = re.compile(r"\$(?:\{(\w+(?:\.\w+)*)\}|(\w+))")


def key_of(hash_on: str, key: str | None) -> Key:
    """
    What reads the key of a request; it gives ``""`` where the request has none.

    :param hash_on: ``vars``, ``header``, ``cookie``, ``consumer``, or
        ``vars_combinations``: a text with variables, as ``$remote_addr$arg_user``.
    :raises ValueError: ``key`` is missing, or none of that kind.
    """
    if hash_on == "consumer":
        return lambda envelope, peer, consumer: consumer
    if not key:
        raise ValueError(f"missing; hash_on {hash_on} needs a key")
    if hash_on == "vars":
        if key not in _VARIABLES and not re.fullmatch(r"arg_\w+", key):
            names = ", ".join(sorted(_VARIABLES))
            raise ValueError(f"found {key[:64]!r}; accepted: {names}, arg_*")
        return _read(_reader(key))
    if hash_on == "vars_combinations":
        return _combination(key)
    if not _TOKEN.match(key):
        raise ValueError(f"found {key[:64]!r}; accepted: a {hash_on}'s name")
    if hash_on == "cookie":
        return _read(reader_of(f"cookie_{key}"))
    return _read(reader_of(f"http_{key.replace('-', '_')}"))


def _reader(name: str) -> Read:
    if name in UNKNOWN:
        return lambda envelope, peer: None
    return reader_of("host" if name == "server_name" else name)


def _read(read: Read) -> Key:
    def key(envelope: Envelope, peer: str, consumer: str) -> str:
        found = read(envelope, peer)
        return "" if found is None else str(found)

    return key


def _combination(text: str) -> Key:
    """The text with its variables filled in; ``""`` where the request has none."""
    parts: list[str | Read] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        name = found[1] or found[2]
        parts += [text[end : found.start()], _consumer_or(name)]
        end = found.end()
    if not end:
        raise ValueError(f"found {text[:64]!r}; accepted: a text with $variables")
    parts.append(text[end:])

    def key(envelope: Envelope, peer: str, consumer: str) -> str:
        values = [
            part
            if isinstance(part, str)
            else (consumer if part is _consumer else part(envelope, peer))
            for part in parts
        ]
        # Even parts are the text's own, odd ones the variables.
        if not any(values[1::2]):
            return ""
        return "".join("" if value is None else str(value) for value in values)

    return key


def _consumer(envelope: Envelope, peer: str) -> None:
    """Stands for the consumer's name, which no envelope holds."""


def _consumer_or(name: str) -> Read:
    return _consumer if name == "consumer_name" else _reader(name)
