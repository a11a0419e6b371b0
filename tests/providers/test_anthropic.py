"""What Anthropic is sent, whether its dialect is known or passed through."""

from __future__ import annotations

import pytest

from aigw.model.headers import first
from aigw.model.instance import Crossing, Endpoint
from aigw.model.outcome import Verdict
from aigw.providers import built_in

from .uses import CHAT, STREAM, body_of, prepared

VERSION = b"anthropic-version"
WAYS = ["passthrough", "anthropic-messages"]
KEY = [(b"x-api-key", b"sk-ant")]


@pytest.mark.parametrize("dialect", WAYS)
def test_messages_keep_their_bytes_path_and_query(dialect: str) -> None:
    target = b"/v1/messages?beta=true"
    outbound = prepared("anthropic", STREAM, target, dialect, auth_headers=KEY)
    assert (outbound.method, outbound.target) == ("POST", target)
    assert outbound.body == STREAM
    assert outbound.origin.host == "api.anthropic.com"
    assert KEY[0] in outbound.headers
    assert outbound.stream
    assert not outbound.hides_usage
    assert outbound.model == "m"


@pytest.mark.parametrize("dialect", WAYS)
def test_the_version_is_added_where_nobody_sends_one(dialect: str) -> None:
    outbound = prepared("anthropic", CHAT, b"/v1/messages", dialect)
    assert first(outbound.headers, VERSION) == b"2023-06-01"


def test_the_clients_version_crosses_instead() -> None:
    mine = [(VERSION, b"2024-01-01")]
    outbound = prepared("anthropic", CHAT, b"/v1/messages", headers=mine)
    assert first(outbound.headers, VERSION) is None


def test_a_version_that_may_not_cross_is_replaced() -> None:
    outbound = prepared(
        "anthropic",
        CHAT,
        b"/v1/messages",
        headers=[(VERSION, b"2024-01-01")],
        crossing=Crossing(deny=frozenset({VERSION})),
    )
    assert first(outbound.headers, VERSION) == b"2023-06-01"


def test_the_configured_version_is_the_only_one() -> None:
    mine = [(VERSION, b"2024-01-01")]
    outbound = prepared("anthropic", CHAT, b"/v1/messages", auth_headers=mine)
    assert [value for name, value in outbound.headers if name == VERSION] == [
        b"2024-01-01"
    ]


def test_openai_clients_have_no_version() -> None:
    outbound = prepared("anthropic", dialect="openai-chat")
    assert first(outbound.headers, VERSION) is None


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (CHAT, b"/v1/messages/count_tokens"),
        (b'{"requests":[]}', b"/v1/messages/batches"),
        (b"", b"/v1/models?limit=2"),
    ],
)
def test_other_endpoints_are_passed_through(body: bytes, target: bytes) -> None:
    outbound = prepared("anthropic", body, target, max_tokens=5)
    assert (outbound.target, outbound.body) == (target, body)
    assert first(outbound.headers, VERSION) == b"2023-06-01"


@pytest.mark.parametrize("dialect", WAYS)
def test_the_cap_replaces_the_clients(dialect: str) -> None:
    body = b'{"model":"m","messages":[],"max_tokens":9}'
    outbound = prepared("anthropic", body, b"/v1/messages", dialect, max_tokens=5)
    assert body_of(outbound)["max_tokens"] == 5


def test_compatible_servers_are_asked_at_their_endpoint() -> None:
    endpoint = Endpoint("http", "h", 8000)
    outbound = prepared(
        "anthropic-compatible", CHAT, b"/v1/messages", endpoint=endpoint
    )
    assert (outbound.origin.host, outbound.target) == ("h", b"/v1/messages")


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (529, "overloaded_error", Verdict.OVERLOADED),
        (200, "overloaded_error", Verdict.OVERLOADED),
        (500, "overloaded_error", Verdict.OVERLOADED),
        (429, "rate_limit_error", Verdict.THROTTLED),
        (401, "authentication_error", Verdict.REFUSED),
        (402, "billing_error", Verdict.REFUSED),
        (400, "invalid_request_error", Verdict.REJECTED),
        (500, "api_error", Verdict.BROKEN),
        (418, "something_new", Verdict.REJECTED),
        (200, "something_new", Verdict.BROKEN),
    ],
)
def test_errors_are_judged_by_their_type(
    status: int, kind: str, verdict: Verdict
) -> None:
    body = b'{"type":"error","error":{"type":"%s","message":"m"}}' % kind.encode()
    assert built_in()["anthropic"].judge(status, [], body).verdict is verdict


def test_an_answer_is_no_error() -> None:
    body = b'{"type":"message","content":[{"type":"text","text":"error"}]}'
    assert built_in()["anthropic"].judge(200, [], body).verdict is Verdict.OK
