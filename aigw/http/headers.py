"""
Which header fields cross the gateway. Pure.

Towards the provider nearly everything crosses but what belongs to the connection, to
the client's relation with us, or is a credential where the route has its own. Towards
the client only a standing list crosses. Verdicts on names are remembered: clients send
the same dozen names in every request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from aigw.model.headers import Headers
from aigw.model.instance import Instance

#: Fields of the connection, not of the message (RFC 9110, section 7.6.1).
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)

#: Fields the gateway writes itself.
_OURS = frozenset({b"host", b"content-length", b"accept-encoding", b"expect"})

_PRIVATE = frozenset({b"cookie", b"cookie2", b"forwarded", b"x-real-ip", b"via"})
_PRIVATE_PREFIXES = (b"x-forwarded-", b"x-aigw-")

#: Where the vendors' clients put credentials.
CREDENTIALS = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"x-goog-user-project",
    }
)
_CREDENTIAL_PREFIXES = (b"x-amz-",)
#: The same in a query.
_PARAMETERS = CREDENTIALS | {b"key", b"access_token", b"api_key"}

_ANSWER = frozenset(
    {
        b"content-type",
        b"content-disposition",
        b"content-encoding",
        b"cache-control",
        b"location",
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
        b"x-request-id",
        b"request-id",
        b"x-amzn-requestid",
        b"x-amzn-errortype",
        b"openai-version",
        b"openai-processing-ms",
        b"openai-model",
        b"www-authenticate",
    }
)
_ADVICE = (b"retry-after-ms", b"x-should-retry")
_LIMITS = (b"x-ratelimit-", b"anthropic-ratelimit-")
_ANSWER_PREFIXES = (*_LIMITS, b"x-amzn-bedrock-")


#: Names remembered of each instance, and how long they may be: clients choose them.
_KNOWN: Final = 512
_LONGEST: Final = 64


class _Verdicts(dict[bytes, bool]):
    """Which names cross an instance one way, each judged when it is first met."""

    def __init__(
        self, judge: Callable[[bytes, Instance], bool], instance: Instance
    ) -> None:
        self._judge = judge
        self._instance = instance

    def __missing__(self, name: bytes) -> bool:
        verdict = self._judge(name, self._instance)
        if len(name) <= _LONGEST:
            if len(self) >= _KNOWN:
                self.clear()
            self[name] = verdict
        return verdict


# Remembered by instance, which is hashed by identity: a Crossing would be hashed field
# by field for each request.
@lru_cache(maxsize=1024)
def _outwards(instance: Instance) -> _Verdicts:
    return _Verdicts(_crosses, instance)


@lru_cache(maxsize=1024)
def _homewards(instance: Instance) -> _Verdicts:
    return _Verdicts(_returns, instance)


def _crosses(name: bytes, instance: Instance) -> bool:
    crossing = instance.crossing
    if name in crossing.deny or name in _OURS or name in HOP_BY_HOP:
        return False
    if name in crossing.allow or crossing.mode == "reference":
        return True
    if name in _PRIVATE or name.startswith(_PRIVATE_PREFIXES):
        return False
    if instance.has_auth:
        return name not in CREDENTIALS and not name.startswith(_CREDENTIAL_PREFIXES)
    return True


def _returns(name: bytes, instance: Instance) -> bool:
    crossing = instance.crossing
    if name in crossing.answer_deny or name in HOP_BY_HOP:
        return False
    if name == b"location" and instance.auth_query:
        return False  # where a redirection leads, our own key stands in it
    if name in _ANSWER or name.startswith(_ANSWER_PREFIXES):
        return True
    return name in crossing.answer_allow


def named_by_connection(headers: Headers) -> frozenset[bytes]:
    """The fields that ``Connection`` names, and that therefore end at this hop."""
    names: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            names.update(option.strip().lower() for option in value.split(b","))
    return frozenset(names)


def towards_provider(headers: Headers, own: Headers, instance: Instance) -> Headers:
    """
    The fields to send to a provider.

    :param headers: the client's fields.
    :param own: what the provider and the configuration set; these replace the client's
        fields of the same name.
    """
    stopped = {name for name, _ in own}
    dropped = named_by_connection(headers)
    if dropped:
        stopped |= dropped
    crosses = _outwards(instance)
    crossed = [pair for pair in headers if crosses[pair[0]] and pair[0] not in stopped]
    # A coded answer could not be metered, and a stream decoded and coded again would
    # have to be buffered.
    crossed.append((b"accept-encoding", b"identity"))
    return crossed + own


def towards_client(headers: Headers, instance: Instance) -> Headers:
    """The fields of a provider's answer that a client gets."""
    returns = _homewards(instance)
    return [pair for pair in headers if returns[pair[0]]]


def advice(headers: Headers, instance: Instance) -> Headers:
    """
    Of the fields that a client gets of an error answer those that say whether to come
    again, and what is left of its limits; ``retry-after`` is told by each dialect.
    """
    return [
        pair
        for pair in towards_client(headers, instance)
        if pair[0] in _ADVICE or pair[0].startswith(_LIMITS)
    ]


def query_without_credentials(query: bytes) -> bytes:
    """
    The client's query without the parameters that hold credentials: Google's ``key``
    and ``access_token``, AWS's signatures, and the names that other vendors' fields
    have.
    """
    parts = query.split(b"&")
    return b"&".join(part for part in parts if not _is_credential(part))


def _is_credential(part: bytes) -> bool:
    name = unquote_to_bytes(part.split(b"=", 1)[0]).lower()
    return name in _PARAMETERS or name.startswith(_CREDENTIAL_PREFIXES)
