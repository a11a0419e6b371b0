"""
Access tokens of Google Cloud for service accounts: a signed assertion is exchanged for
a token (RFC 7523, section 2.1; https://developers.google.com/identity/protocols/oauth2/service-account).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.model.credential import BearerToken

from .flight import Flight
from .post import Post

log = Logger()

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
#: How long an assertion holds, seconds; the longest Google takes.
_ASSERTION: Final = 3600
#: How long an exchange may take, seconds.
_PATIENCE: Final = 10.0


class Account(msgspec.Struct, frozen=True):
    """A service account's key file, as far as it is read."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"


class _Granted(msgspec.Struct, frozen=True):
    """RFC 6749, section 5.1."""

    access_token: str
    expires_in: float = 3600.0


def assertion(account: Account, now: float) -> bytes:
    """
    What proves that we are ``account``: a JSON Web Token (RFC 7519) signed with RS256
    (RFC 7518, section 3.3). Takes some ms, and more for larger keys.

    :param now: Unix time, seconds.
    :raises ValueError: the key is none, or no RSA key.
    """
    key = load_pem_private_key(account.private_key.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the service account's key is no RSA key")
    head = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
    claims = {
        "iss": account.client_email,
        "scope": _SCOPE,
        "aud": account.token_uri,
        "iat": int(now),
        "exp": int(now) + _ASSERTION,
    }
    signed = b".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
    return signed + b"." + _coded(key.sign(signed, PKCS1v15(), SHA256()))


def _coded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


@implementer(ICredentials)
class ServiceAccount:
    """
    The access token of one service account.

    :param source: the JSON of the account's key file.
    :param expire_early: a token is renewed that long before its end, seconds.
    :param max_ttl: the longest a token is kept, seconds.
    :param reactor: IReactorTime.
    :param time: Unix time, seconds.
    :param in_thread: runs a function in a thread, as ``deferToThread`` does.
    :param post: makes the exchange.
    """

    def __init__(
        self,
        source: str,
        expire_early: float,
        max_ttl: float | None,
        reactor: Any,
        time: Callable[[], float],
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
        post: Post,
    ) -> None:
        self._source = source
        self._expire_early = expire_early
        self._max_ttl = max_ttl
        self._reactor = reactor
        self._time = time
        self._in_thread = in_thread
        self._token: BearerToken | None = None
        self._until = 0.0
        self._flight = Flight(self._fetch)
        self._post = post

    async def current(self) -> BearerToken:
        token = self._token
        if token is not None and self._reactor.seconds() < self._until:
            return token
        return await self._flight.join()

    def stop(self) -> None:
        self._flight.stop()

    async def _fetch(self) -> BearerToken:
        try:
            granted = await self._exchange()
        except Exception as error:
            # Our own cancelling comes back under several names, CancelledError is but
            # one of them; and nothing here is worth more than "no token".
            why = f"{type(error).__name__}: {error}"
            log.error("No Google Cloud access token: {why}", why=why)
            text = "failed to get gcp access token"
            raise CredentialsFailed(text, reason="credentials", detail=why) from error
        lasts = granted.expires_in
        if lasts > self._expire_early:
            lasts -= self._expire_early
        if self._max_ttl is not None:
            lasts = min(lasts, self._max_ttl)
        self._token = token = BearerToken(granted.access_token)
        self._until = self._reactor.seconds() + lasts
        return token

    async def _exchange(self) -> _Granted:
        account = msgspec.json.decode(self._source, type=Account)
        now = self._time()
        proof: bytes = await self._in_thread(lambda: assertion(account, now))
        form = urlencode({"grant_type": _GRANT, "assertion": proof}).encode()
        asking = Deferred.fromCoroutine(self._post(account.token_uri, form))
        status, body = await asking.addTimeout(_PATIENCE, self._reactor)
        if status != 200:
            raise ValueError(f"{account.token_uri} answered {status}: {_reason(body)}")
        return msgspec.json.decode(body, type=_Granted)


def _reason(body: bytes) -> str:
    """``error`` and ``error_description`` (RFC 6749, section 5.2), nothing else."""
    try:
        told = json.loads(body)
        return f"{told['error']}: {told.get('error_description', '')}"[:300]
    except (ValueError, TypeError, KeyError, AttributeError):
        return "no reason given"
