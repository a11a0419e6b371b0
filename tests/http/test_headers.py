"""Which fields cross the gateway."""

from __future__ import annotations

import pytest

from aigw.http.headers import (
    query_without_credentials,
    towards_client,
    towards_provider,
)
from aigw.model.headers import Headers
from aigw.model.instance import Crossing, Instance


def crossed(
    headers: Headers,
    *,
    own: Headers | None = None,
    has_auth: bool = True,
    crossing: Crossing | None = None,
) -> Headers:
    instance = Instance(
        name="one",
        provider="openai",
        has_auth=has_auth,
        crossing=crossing or Crossing(),
    )
    sent = towards_provider(headers, own or [], instance)
    return [pair for pair in sent if pair[0] != b"accept-encoding"]


@pytest.mark.parametrize(
    "name",
    [
        b"cookie",
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"host",
        b"content-length",
        b"expect",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-anything",
        b"x-real-ip",
        b"x-aigw-debug",
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"x-amz-date",
    ],
)
def test_stays_behind(name: bytes) -> None:
    assert crossed([(name, b"v"), (b"x-other", b"o")]) == [(b"x-other", b"o")]


@pytest.mark.parametrize(
    "name",
    [
        b"user-agent",
        b"openai-organization",
        b"anthropic-beta",
        b"x-stainless-lang",
        b"idempotency-key",
        b"traceparent",
        b"x-request-id",
    ],
)
def test_crosses(name: bytes) -> None:
    assert crossed([(name, b"v")]) == [(name, b"v")]


def test_clients_own_credentials_pass_where_the_route_has_none() -> None:
    headers = [(b"authorization", b"Bearer c"), (b"x-api-key", b"k")]
    assert crossed(headers, has_auth=False) == headers


def test_fields_that_connection_names_end_here() -> None:
    headers = [(b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"x-a", b"1")]
    assert crossed(headers) == [(b"x-a", b"1")]


def test_configured_fields_replace_the_clients() -> None:
    own = [(b"x-team", b"ours")]
    assert crossed([(b"x-team", b"theirs")], own=own) == own


def test_repeated_fields_stay_repeated_and_in_order() -> None:
    headers = [(b"accept", b"a"), (b"x-b", b"1"), (b"accept", b"c")]
    assert crossed(headers) == headers


def test_identity_coding_is_asked_for() -> None:
    instance = Instance(name="one", provider="openai")
    sent = towards_provider([(b"accept-encoding", b"gzip")], [], instance)
    assert sent == [(b"accept-encoding", b"identity")]


def test_reference_mode_forwards_what_the_reference_does() -> None:
    headers = [(b"cookie", b"c"), (b"authorization", b"b"), (b"te", b"trailers")]
    sent = crossed(headers, crossing=Crossing(mode="reference"))
    assert sent == [(b"cookie", b"c"), (b"authorization", b"b")]


def test_allow_and_deny() -> None:
    crossing = Crossing(allow=frozenset({b"cookie"}), deny=frozenset({b"user-agent"}))
    headers = [(b"cookie", b"c"), (b"user-agent", b"u")]
    assert crossed(headers, crossing=crossing) == [(b"cookie", b"c")]


def returned(headers: Headers, crossing: Crossing | None = None) -> Headers:
    instance = Instance(name="one", provider="openai", crossing=crossing or Crossing())
    return towards_client(headers, instance)


def test_answers_cross_by_a_list() -> None:
    kept = [
        (b"content-type", b"application/json"),
        (b"retry-after", b"3"),
        (b"x-ratelimit-remaining-tokens", b"1"),
        (b"anthropic-ratelimit-requests-limit", b"1"),
        (b"x-request-id", b"r"),
        (b"openai-processing-ms", b"5"),
        (b"x-amzn-bedrock-input-token-count", b"1"),
    ]
    stopped = [
        (b"set-cookie", b"s"),
        (b"server", b"x"),
        (b"content-length", b"3"),
        (b"connection", b"close"),
        (b"alt-svc", b"h3"),
    ]
    assert returned(kept + stopped) == kept


def test_answers_list_can_be_changed() -> None:
    crossing = Crossing(
        answer_allow=frozenset({b"server", b"connection"}),
        answer_deny=frozenset({b"retry-after"}),
    )
    headers = [(b"server", b"x"), (b"retry-after", b"3"), (b"connection", b"close")]
    assert returned(headers, crossing) == [(b"server", b"x")]


def test_key_leaves_the_query() -> None:
    assert query_without_credentials(b"a=1&key=s&b=2") == b"a=1&b=2"
    assert query_without_credentials(b"monkey=1") == b"monkey=1"
    assert query_without_credentials(b"") == b""


@pytest.mark.parametrize(
    "credential",
    [
        b"%6Bey=s",
        b"KEY=s",
        b"access_token=s",
        b"api_key=s",
        b"api-key=s",
        b"X-Amz-Signature=s",
        b"x-amz-security-token=s",
        b"key",
    ],
)
def test_no_credential_of_the_client_leaves_in_the_query(credential: bytes) -> None:
    query = b"alt=sse&" + credential + b"&pageSize=3"
    assert query_without_credentials(query) == b"alt=sse&pageSize=3"


def test_a_key_in_our_query_comes_back_in_no_redirection() -> None:
    headers = [(b"location", b"https://host.test/v1?key=secret")]
    assert towards_client(headers, Instance("a", "gemini")) == headers
    keyed = Instance("a", "gemini", auth_query={"key": "secret"})
    assert towards_client(headers, keyed) == []


def test_names_that_nobody_sends_twice_are_judged_like_the_others() -> None:
    instance = Instance("a", "openai")
    strange = [(b"x-acme-%d" % number, b"1") for number in range(1500)]
    private = (b"x-forwarded-" + b"a" * 100, b"1")
    for _ in range(2):
        crossed = towards_provider([*strange, private], [], instance)
        assert crossed == [*strange, (b"accept-encoding", b"identity")]
