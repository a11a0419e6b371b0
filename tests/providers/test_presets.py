"""Where each vendor that is only data is asked, and what it is asked for."""

from __future__ import annotations

import pytest

from aigw.model.instance import Endpoint
from aigw.providers import built_in

from .uses import STREAM, body_of, prepared

CHAT = "openai-chat"
LOCAL = Endpoint("http", "127.0.0.1", 11434)


@pytest.mark.parametrize(
    ("provider", "host", "target"),
    [
        ("openai", "api.openai.com", b"/v1/chat/completions"),
        ("deepseek", "api.deepseek.com", b"/chat/completions"),
        ("aimlapi", "api.aimlapi.com", b"/chat/completions"),
        ("openrouter", "openrouter.ai", b"/api/v1/chat/completions"),
        ("groq", "api.groq.com", b"/openai/v1/chat/completions"),
        ("mistral", "api.mistral.ai", b"/v1/chat/completions"),
        ("together", "api.together.xyz", b"/v1/chat/completions"),
        ("anthropic", "api.anthropic.com", b"/v1/chat/completions"),
        (
            "gemini",
            "generativelanguage.googleapis.com",
            b"/v1beta/openai/chat/completions",
        ),
    ],
)
def test_chat_goes_to_the_vendors_own_address(
    provider: str, host: str, target: bytes
) -> None:
    outbound = prepared(provider, dialect=CHAT)
    origin = outbound.origin
    assert (origin.scheme, origin.host, origin.port) == ("https", host, 443)
    assert (outbound.method, outbound.target) == ("POST", target)
    assert built_in()[provider].host == host


@pytest.mark.parametrize("provider", ["ollama", "vllm", "anthropic-compatible"])
def test_servers_of_ones_own_are_where_the_endpoint_says(provider: str) -> None:
    assert built_in()[provider].host is None
    outbound = prepared(provider, dialect=CHAT, endpoint=LOCAL)
    assert (outbound.origin.host, outbound.origin.port) == ("127.0.0.1", 11434)
    assert outbound.target == b"/v1/chat/completions"


@pytest.mark.parametrize(
    ("provider", "field"),
    [
        ("openai", "max_completion_tokens"),
        ("deepseek", "max_tokens"),
        ("aimlapi", "max_tokens"),
        ("openrouter", "max_tokens"),
        ("groq", "max_completion_tokens"),
        ("mistral", "max_tokens"),
        ("together", "max_tokens"),
        ("anthropic", "max_tokens"),
        ("gemini", "max_completion_tokens"),
    ],
)
def test_the_cap_has_the_vendors_name(provider: str, field: str) -> None:
    body = b'{"model":"m","messages":[],"max_tokens":9}'
    sent = body_of(prepared(provider, body, dialect=CHAT, max_tokens=5))
    assert sent == {"model": "m", "messages": [], field: 5}


def test_mistral_is_not_asked_for_the_usage_it_tells_anyway() -> None:
    outbound = prepared("mistral", STREAM, dialect=CHAT)
    assert outbound.body == STREAM
    assert not outbound.hides_usage


@pytest.mark.parametrize(
    ("provider", "target"),
    [
        ("openai", b"/v1/models/a%2Fb?limit=2"),
        ("deepseek", b"/models/a%2Fb?limit=2"),
        ("openrouter", b"/api/v1/models/a%2Fb?limit=2"),
        ("groq", b"/openai/v1/models/a%2Fb?limit=2"),
        ("gemini", b"/v1beta/openai/models/a%2Fb?limit=2"),
        ("mistral", b"/v1/models/a%2Fb?limit=2"),
    ],
)
def test_what_is_passed_through_goes_below_the_vendors_base(
    provider: str, target: bytes
) -> None:
    outbound = prepared(provider, b"", b"/v1/models/a%2Fb?limit=2")
    assert (outbound.method, outbound.target) == ("GET", target)


def test_a_path_that_is_the_vendors_own_already_stays() -> None:
    target = b"/openai/v1/models"
    assert prepared("groq", b"", target).target == target


@pytest.mark.parametrize("provider", ["openai", "openrouter", "groq"])
def test_responses_have_rules_of_their_own(provider: str) -> None:
    body = b'{"model":"m","prompt":{"id":"p"},"stream":true}'
    outbound = prepared(provider, body, b"/v1/responses", max_tokens=5)
    assert outbound.target.endswith(b"/v1/responses")
    assert body_of(outbound)["max_output_tokens"] == 5
    assert "stream_options" not in body_of(outbound)
    assert outbound.stream


def test_a_vendor_without_responses_gets_them_as_they_came() -> None:
    body = b'{"model":"m","input":"hi"}'
    outbound = prepared("mistral", body, b"/v1/responses", max_tokens=5)
    assert (outbound.target, outbound.body) == (b"/v1/responses", body)
