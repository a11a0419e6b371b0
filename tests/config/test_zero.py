"""No file at all."""

from __future__ import annotations

import pytest

from aigw.config.show import show
from aigw.config.zero import zero
from aigw.errors import ConfigError
from aigw.model.instance import Endpoint
from aigw.model.route import Route
from aigw.providers import built_in
from aigw.routing.match import Match

from .samples import PROVIDERS

MOCK = "http://127.0.0.1:1980"


def serving(environ: dict[str, str], method: str, path: str) -> Route:
    settings = zero(environ, providers=PROVIDERS, mock=MOCK)
    (found,) = Match(settings.routes).candidates(method, "localhost", path)
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/chat/completions"),
        ("POST", "/openai/v1/responses"),
        ("POST", "/v1/embeddings"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/gpt-4o"),
    ],
)
def test_an_openai_key_serves_openais_endpoints(method: str, path: str) -> None:
    made = serving({"OPENAI_API_KEY": "sk-1"}, method, path).instances[0]
    assert made.provider == "openai"
    assert made.endpoint is None
    assert made.auth_headers == [(b"authorization", b"Bearer sk-1")]


def test_it_listens_on_loopback_alone() -> None:
    settings = zero({"OPENAI_API_KEY": "sk"}, providers=PROVIDERS)
    assert settings.server.endpoints == ("tcp:9080:interface=127.0.0.1",)
    assert settings.admin.endpoints == ("tcp:9180:interface=127.0.0.1",)
    assert "sk" not in show(settings).replace("mask", "").split()


@pytest.mark.parametrize(
    ("base", "endpoint"),
    [
        ("http://h:8000/v1", Endpoint("http", "h", 8000)),
        ("http://h:8000/v1/", Endpoint("http", "h", 8000)),
        ("http://h:8000", Endpoint("http", "h", 8000)),
        ("http://[::1]:8000/v1", Endpoint("http", "::1", 8000)),
        ("https://h/api/v1", Endpoint("https", "h", 443, "/api/v1/chat/completions")),
    ],
)
def test_a_base_url_leads_elsewhere(base: str, endpoint: Endpoint) -> None:
    environ = {"OPENAI_API_KEY": "sk", "OPENAI_BASE_URL": base}
    made = serving(environ, "POST", "/v1/chat/completions").instances[0]
    assert made.endpoint == endpoint
    assert made.provider == "openai-compatible"


def test_openais_own_base_url_stays_openai() -> None:
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://api.openai.com/v1"}
    made = serving(environ, "POST", "/v1/chat/completions").instances[0]
    assert made.provider == "openai"


def test_a_malformed_base_url_is_told() -> None:
    environ = {"OPENAI_API_KEY": "sk", "OPENAI_BASE_URL": "h/v1"}
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL: the scheme is neither"):
        zero(environ, providers=PROVIDERS)


def test_each_endpoint_goes_to_the_first_vendor_that_has_it() -> None:
    environ = {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"}
    chat = serving(environ, "POST", "/v1/chat/completions").instances[0]
    messages = serving(environ, "POST", "/v1/messages").instances[0]
    assert chat.provider == "openai"
    assert messages.provider == "anthropic"
    assert messages.auth_headers == [(b"x-api-key", b"b")]
    del environ["OPENAI_API_KEY"]
    chat = serving(environ, "POST", "/v1/chat/completions").instances[0]
    assert chat.provider == "anthropic"


@pytest.mark.parametrize(
    ("key", "provider"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GEMINI_API_KEY", "gemini"),
        ("GROQ_API_KEY", "groq"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/model/any/converse-stream",
        "/v1beta/models/any:generateContent",
    ],
)
def test_one_key_serves_clients_of_every_chat_dialect(
    key: str, provider: str, path: str
) -> None:
    settings = zero({key: "secret"}, providers=BUILT)
    (found,) = Match(settings.routes).candidates("POST", "localhost", path)
    assert found.instances[0].provider == provider


BUILT = {name: provider.host for name, provider in built_in().items()}


@pytest.mark.parametrize(
    ("key", "path", "provider", "field"),
    [
        ("GEMINI_API_KEY", "/v1/chat/completions", "gemini", "authorization"),
        ("GEMINI_API_KEY", "/v1beta/models/g:countTokens", "gemini", "x-goog-api-key"),
        ("GROQ_API_KEY", "/v1/chat/completions", "groq", "authorization"),
        ("MISTRAL_API_KEY", "/v1/chat/completions", "mistral", "authorization"),
        ("TOGETHER_API_KEY", "/v1/chat/completions", "together", "authorization"),
        ("DEEPSEEK_API_KEY", "/v1/chat/completions", "deepseek", "authorization"),
        ("OPENROUTER_API_KEY", "/v1/chat/completions", "openrouter", "authorization"),
    ],
)
def test_every_vendor_is_served_by_its_key(
    key: str, path: str, provider: str, field: str
) -> None:
    settings = zero({key: "secret"}, providers=BUILT)
    (found,) = Match(settings.routes).candidates("POST", "localhost", path)
    made = found.instances[0]
    assert made.provider == provider
    ((name, value),) = made.auth_headers
    assert name == field.encode()
    assert value.removeprefix(b"Bearer ") == b"secret"


def test_bedrock_needs_a_region_beside_its_key() -> None:
    key = {"AWS_BEARER_TOKEN_BEDROCK": "k", "OPENAI_API_KEY": "sk"}
    made = serving(key, "POST", "/model/m/converse")
    assert made.instances[0].provider == "openai"
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        made = serving({**key, name: "eu-west-1"}, "POST", "/model/m/converse")
        assert made.instances[0].provider_conf == {"region": "eu-west-1"}
        assert made.instances[0].auth_headers == [(b"authorization", b"Bearer k")]


def test_vendors_that_are_not_built_are_passed_over() -> None:
    made = serving({"DEEPSEEK_API_KEY": "k"}, "POST", "/v1/chat/completions")
    assert made.instances[0].endpoint == Endpoint("http", "127.0.0.1", 1980)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/messages",
        "/model/mock/converse",
        "/v1beta/models/mock:generateContent",
    ],
)
def test_without_a_key_the_mock_serves_every_dialect(path: str) -> None:
    made = serving({"OPENAI_API_KEY": ""}, "POST", path)
    (only,) = made.instances
    assert only.provider == "openai-compatible"
    assert only.endpoint == Endpoint("http", "127.0.0.1", 1980)
    assert not made.injects


def test_without_a_key_and_a_mock_there_is_nothing_to_serve() -> None:
    with pytest.raises(ConfigError, match="set one of OPENAI_API_KEY, ANTHROPIC"):
        zero({}, providers=PROVIDERS)
