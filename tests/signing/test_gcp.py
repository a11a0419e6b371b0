"""Google's access tokens, from a token endpoint on loopback."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from twisted.internet.defer import Deferred, DeferredList
from zope.interface.verify import verifyObject

from aigw.errors import CredentialsFailed
from aigw.interfaces import ICredentials
from aigw.signing.gcp import Account, ServiceAccount, assertion

from .tokens import FORMAT, KEY, NOW, PEM, Endpoint, pause


@pytest_twisted.async_yield_fixture()
async def endpoint() -> AsyncIterator[Endpoint]:
    here = Endpoint()
    yield here
    await here.close()


async def token_of(account: ServiceAccount) -> str:
    return (await account.current()).value


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and claims of a JSON Web Token, its signature verified."""
    signed, _, coded = token.rpartition(".")
    KEY.public_key().verify(padded(coded), signed.encode(), PKCS1v15(), SHA256())
    head, claims = (json.loads(padded(part)) for part in signed.split("."))
    return head, claims


def padded(text: str) -> bytes:
    assert "=" not in text
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest_twisted.ensureDeferred
async def test_a_signed_assertion_is_exchanged_for_a_token(endpoint: Endpoint) -> None:
    account = endpoint.account()
    verifyObject(ICredentials, account)
    assert await token_of(account) == "token-1"
    (asked,) = endpoint.tokens.asked
    assert endpoint.tokens.types == ["application/x-www-form-urlencoded"]
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims = claims_of(asked["assertion"][0])
    assert head == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert claims == {
        "iss": "me@project.example",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": endpoint.uri,
        "iat": NOW,
        "exp": NOW + 3600,
    }


@pytest_twisted.ensureDeferred
async def test_all_who_ask_at_once_share_one_exchange(endpoint: Endpoint) -> None:
    account = endpoint.account()
    asking = [Deferred.fromCoroutine(token_of(account)) for _ in range(5)]
    told = await DeferredList(asking)
    assert {token for _, token in told} == {"token-1"}
    assert len(endpoint.tokens.asked) == 1


@pytest.mark.parametrize(
    ("expires_in", "early", "longest", "kept"),
    [
        (3600, 60, None, 3540),
        (3600, 0, None, 3600),
        (3600, 60, 100, 100),
        (50, 60, None, 50),
        (60, 60, None, 60),
        (100, 60, 1000, 40),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_token_is_kept_as_long_as_the_configuration_lets_it(
    endpoint: Endpoint, expires_in: int, early: int, longest: int | None, kept: int
) -> None:
    endpoint.tokens.answer = {"expires_in": expires_in}
    account = endpoint.account(early, longest)
    assert await token_of(account) == "token-1"
    endpoint.time.ahead = kept - 5
    assert await token_of(account) == "token-1"
    endpoint.time.ahead = kept
    assert await token_of(account) == "token-2"


def no_key(endpoint: Endpoint) -> ServiceAccount:
    return endpoint.account(private_key="none")


def another_key(endpoint: Endpoint) -> ServiceAccount:
    key = ec.generate_private_key(ec.SECP256R1())
    return endpoint.account(private_key=key.private_bytes(*FORMAT).decode())


def no_account(endpoint: Endpoint) -> ServiceAccount:
    return endpoint.account(client_email=None)


def nobody_there(endpoint: Endpoint) -> ServiceAccount:
    return endpoint.account(token_uri="http://127.0.0.1:1/token")


def refused(endpoint: Endpoint) -> ServiceAccount:
    endpoint.tokens.status = 400
    endpoint.tokens.answer = {"error": "invalid_grant", "error_description": "x"}
    return endpoint.account()


def moved(endpoint: Endpoint) -> ServiceAccount:
    endpoint.tokens.status = 302
    return endpoint.account()


def no_json(endpoint: Endpoint) -> ServiceAccount:
    endpoint.tokens.answer = b"<html>"
    return endpoint.account()


def endless(endpoint: Endpoint) -> ServiceAccount:
    endpoint.tokens.answer = b" " * 100_000
    return endpoint.account()


@pytest.mark.parametrize(
    "made",
    [no_key, another_key, no_account, nobody_there, refused, moved, no_json, endless],
)
@pytest_twisted.ensureDeferred
async def test_without_a_token_there_is_an_error_that_says_so(
    endpoint: Endpoint, made: Callable[[Endpoint], ServiceAccount]
) -> None:
    account = made(endpoint)
    with pytest.raises(CredentialsFailed) as failed:
        await account.current()
    error = failed.value
    assert (error.status, error.key, error.retryable) == (500, "error_msg", True)
    assert error.message == "failed to get gcp access token"
    assert "PRIVATE KEY" not in error.detail


@pytest_twisted.ensureDeferred
async def test_a_failure_is_not_kept(endpoint: Endpoint) -> None:
    account = refused(endpoint)
    with pytest.raises(CredentialsFailed):
        await account.current()
    endpoint.tokens.status, endpoint.tokens.answer = 200, {}
    assert await token_of(account) == "token-2"


@pytest_twisted.ensureDeferred
async def test_stopping_lets_go_of_an_exchange_under_way(endpoint: Endpoint) -> None:
    endpoint.tokens.silent = True
    account = endpoint.account()
    asking = Deferred.fromCoroutine(account.current())
    while not endpoint.tokens.asked:
        await pause()
    account.stop()
    with pytest.raises(CredentialsFailed):
        await asking


def test_the_assertion_names_the_endpoint_it_is_for() -> None:
    account = Account("me", PEM)
    _, claims = claims_of(assertion(account, NOW).decode())
    assert claims["aud"] == "https://oauth2.googleapis.com/token"


@pytest_twisted.ensureDeferred
async def test_the_exchange_goes_through_the_instances_proxy(
    endpoint: Endpoint,
) -> None:
    proxy = f"http://127.0.0.1:{endpoint.port.getHost().port}"
    uri = "http://tokens.example/token?a=b"
    account = endpoint.account(proxy=proxy, token_uri=uri)
    assert await token_of(account) == "token-1"
    assert endpoint.tokens.uris == [uri.encode()]
