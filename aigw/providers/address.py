"""Where a provider's requests go: origin, path, query."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from aigw.errors import BadRequest
from aigw.model.instance import Instance
from aigw.model.outbound import Origin

#: What stands in an encoded path as it is (RFC 3986, section 3.3: pchar and "/").
_PCHAR = "/:@!$&'()*+,;=-._~%"

#: The longest name of a model that a path takes, characters: Bedrock's
#: (API reference, ``modelId``). Targets are remembered, and clients name models.
LONGEST: Final = 2048


@lru_cache(maxsize=1024)
def origin_of(instance: Instance, host: str | None) -> Origin:
    """
    The origin of an instance: its endpoint's, else the vendor's ``host`` over https.

    :raises BadRequest: neither is known.
    """
    endpoint = instance.endpoint
    if endpoint is not None:
        return Origin(
            endpoint.scheme,
            endpoint.host,
            endpoint.port,
            trust=instance.trust,
            proxy=instance.proxy,
        )
    if host is None:
        raise BadRequest(
            "could not resolve upstream host: the provider needs an endpoint",
            key="error_msg",
        )
    return Origin("https", host, 443, trust=instance.trust, proxy=instance.proxy)


@lru_cache(maxsize=4096)
def target_of(instance: Instance, path: str) -> bytes:
    """
    The target of a native call: an endpoint's own path wins over ``path``, which is
    encoded already where it must be.
    """
    endpoint = instance.endpoint
    own = endpoint is not None and endpoint.path
    query = _joined(instance, b"")
    return _target(own or quote(path, safe=_PCHAR), query)


def queried_target(instance: Instance, path: str, query: bytes) -> bytes:
    """As :func:`target_of`, for vendors that read the client's query too."""
    if not query:
        return target_of(instance, path)
    endpoint = instance.endpoint
    own = endpoint is not None and endpoint.path
    return _target(own or quote(path, safe=_PCHAR), _joined(instance, query))


def passed_target(instance: Instance, target: bytes, query: bytes) -> bytes:
    """
    The target of a call passed through: the client's path as it came (it was found
    safe before it was matched, and an id that holds an encoded slash must keep it)
    unless the endpoint has one, and the client's query.
    """
    endpoint = instance.endpoint
    path = target.split(b"?", 1)[0].decode("ascii")
    own = endpoint is not None and endpoint.path
    return _target(own or path, _joined(instance, query))


def based(target: bytes, base: str) -> bytes:
    """A client's target, what stands under ``/v1`` moved under a vendor's ``base``."""
    if base != "/v1" and target.startswith(b"/v1/"):
        return base.encode("ascii") + target[len(b"/v1") :]
    return target


def segment(text: str) -> str:
    """
    One path segment that holds ``text``, whatever characters it has.

    :raises BadRequest: no segment can, because readers would take it for another path;
        or it is longer than any model's name.
    """
    if text in ("", ".", ".."):
        raise unresolved("the model's name is missing, or names no model")
    if len(text) > LONGEST:
        raise unresolved("the model's name is too long")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise unresolved("the model's name is no text") from error


def unresolved(why: str) -> BadRequest:
    """The error of a request for which no upstream path can be made."""
    return BadRequest(f"could not resolve upstream path: {why}", key="error_msg")


def _target(path: str, query: bytes) -> bytes:
    encoded = path.encode("ascii")
    return encoded + b"?" + query if query else encoded


def _joined(instance: Instance, query: bytes) -> bytes:
    """
    Client's query, endpoint's query, ``auth.query``; nobody overrides the last, and the
    endpoint's parameters win over the client's.
    """
    endpoint = instance.endpoint
    fixed = endpoint.query if endpoint is not None else ""
    if not instance.auth_query and not fixed:
        return query
    auth = dict(instance.auth_query)
    pairs = [
        (name, value)
        for name, value in parse_qsl(fixed, keep_blank_values=True)
        if name not in auth
    ]
    taken = {name for name, _ in pairs} | set(auth)
    client = [
        (name, value)
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        if name not in taken
    ]
    return urlencode(client + pairs + list(auth.items())).encode("ascii")
