"""ai-proxy objects into instances."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigw.config.load import load
from aigw.errors import ConfigError
from aigw.model.instance import Crossing, Deadlines, Endpoint, Streaming
from aigw.model.outbound import Keepalive, Patience, Trust

from .samples import PROVIDERS, instance, loaded, problems, route, with_route


def test_defaults_are_the_references() -> None:
    made = instance()
    assert made.name == "ai-proxy-openai"
    assert made.provider == "openai"
    assert made.endpoint is None
    assert made.max_body == 67_108_864
    assert made.patience == Patience(30.0, 30.0, 30.0)
    assert made.keepalive == Keepalive(30, 60.0)
    assert made.deadlines == Deadlines()
    assert made.streaming == Streaming()
    assert made.crossing == Crossing()
    assert made.trust == Trust()
    assert made.proxy is None
    assert not made.has_auth
    assert not made.logging.summaries
    assert not made.logging.payloads


def test_every_field_arrives_in_seconds_and_bytes() -> None:
    made = instance(
        {
            "provider": "openai-compatible",
            "auth": {"header": {"X-API-Key": "k"}, "query": {"key": "ü&"}},
            "options": {"model": "m", "temperature": 0.5},
            "override": {
                "endpoint": "http://h:8080/x?y=z",
                "llm_options": {"max_tokens": 5},
                "request_body": {"openai-chat": {"a": {"b": 1}}},
                "request_body_force_override": True,
            },
            "timeout": 2000,
            "max_req_body_size": 10,
            "max_stream_duration_ms": 9000,
            "max_response_bytes": 11,
            "keepalive_timeout": 5000,
            "keepalive_pool": 3,
            "streaming_flush_interval_ms": 0,
            "ssl_verify": False,
            "logging": {"summaries": True, "payloads": True},
            "timeouts": {
                "connect_ms": 100,
                "first_byte_ms": 200,
                "idle_ms": 300,
                "total_ms": 400,
                "client_stall_ms": 500,
            },
            "heartbeat_interval_ms": 15000,
            "max_event_bytes": 12,
            "commit_hold_ms": 250,
            "stream_usage": "inject",
            "on_client_disconnect": "drain",
            "drain_limits": {"max_ms": 700, "max_bytes": 13},
            "forward_request_headers": {
                "mode": "reference",
                "allow": ["X-One"],
                "deny": ["X-Two"],
            },
            "forward_response_headers": {"allow": ["X-3"], "deny": ["X-4"]},
            "allow_origins": ["https://app.example.com", "*"],
            "tls": {"ca_file": "/ca", "cert_file": "/cert", "key_file": "/key"},
            "proxy": "http://p:3128",
        }
    )
    assert made.auth_headers == [(b"x-api-key", b"k")]
    assert made.auth_query == {"key": "ü&"}
    assert made.has_auth
    assert made.options == {"model": "m", "temperature": 0.5}
    assert made.endpoint == Endpoint("http", "h", 8080, "/x", "y=z")
    assert made.max_tokens == 5
    assert made.request_body == {"openai-chat": {"a": {"b": 1}}}
    assert made.force_override
    assert made.max_body == 10
    assert made.patience == Patience(connect=0.1, send=2.0, read=2.0)
    assert made.keepalive == Keepalive(3, 5.0)
    assert made.deadlines == Deadlines(0.2, 0.3, 0.4, 9.0, 0.5)
    assert made.streaming == Streaming(
        flush=0.0,
        heartbeat=15.0,
        max_event_bytes=12,
        max_response_bytes=11,
        commit_hold=0.25,
        usage="inject",
        on_client_disconnect="drain",
        drain_seconds=0.7,
        drain_bytes=13,
    )
    assert made.crossing == Crossing(
        mode="reference",
        allow=frozenset({b"x-one"}),
        deny=frozenset({b"x-two"}),
        answer_allow=frozenset({b"x-3"}),
        answer_deny=frozenset({b"x-4"}),
    )
    assert made.trust == Trust(False, "/ca", "/cert", "/key")
    assert made.proxy == "http://p:3128"
    assert made.logging.summaries
    assert made.logging.payloads


def test_keepalive_switched_off_parks_nothing() -> None:
    assert instance({"keepalive": False}).keepalive.size == 0


@pytest.mark.parametrize(
    ("auth", "has"),
    [
        ({}, False),
        ({"header": {}}, False),
        ({"header": {"a": "b"}}, True),
        ({"query": {"a": "b"}}, True),
        ({"aws": {}}, True),
        ({"gcp": {"service_account_json": "{}"}}, True),
    ],
)
def test_a_route_injects_where_auth_has_a_credential(
    auth: dict[str, Any], has: bool
) -> None:
    assert route({"auth": auth}).injects is has
    assert instance({"auth": auth}).has_auth is has


def test_cloud_credentials_are_kept_as_configured() -> None:
    auth = {
        "aws": {"access_key_id": "a", "secret_access_key": "s"},
        "gcp": {"max_ttl": 60},
    }
    made = instance({"auth": auth}, {"GCP_SERVICE_ACCOUNT": '{"k": 1}'})
    assert made.auth == {
        "aws": {"access_key_id": "a", "secret_access_key": "s"},
        "gcp": {
            "service_account_json": '{"k": 1}',
            "max_ttl": 60,
            "expire_early_secs": 60,
        },
    }


PROXY = "routes[0].plugins.ai-proxy"


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        (
            {"provider": "openai-compatible"},
            [
                f"{PROXY}.override.endpoint: missing; the provider openai-compatible"
                " has no host of its own"
            ],
        ),
        (
            {"provider": "deepseek"},
            [
                f"{PROXY}.provider: deepseek is not implemented by this version;"
                " accepted: anthropic, bedrock, openai, openai-compatible, vertex-ai"
            ],
        ),
        (
            {"provider": "zzz"},
            [
                f"{PROXY}.provider: found 'zzz'; accepted: anthropic, bedrock, openai,"
                " openai-compatible, vertex-ai"
            ],
        ),
        (
            {"provider": "bedrock"},
            [
                f"{PROXY}.provider_conf.region: missing; bedrock needs a region",
                f"{PROXY}.auth.aws: missing; bedrock needs auth.aws, or a bearer key"
                " in auth.header",
            ],
        ),
        (
            {
                "provider": "vertex-ai",
                "provider_conf": {"region": "r"},
                "auth": {"gcp": {"service_account_json": "{}"}},
            },
            [
                f"{PROXY}.provider_conf.project_id: missing; vertex-ai needs"
                " project_id and region, or override.endpoint"
            ],
        ),
        (
            {"auth": {"aws": {"access_key_id": "a"}}},
            [
                f"{PROXY}.auth.aws.secret_access_key: missing; accepted: both keys,"
                " or neither and the AWS SDK finds them"
            ],
        ),
        (
            {"auth": {"gcp": {}}},
            [
                f"{PROXY}.auth.gcp.service_account_json: missing, and the environment"
                " has no variable GCP_SERVICE_ACCOUNT"
            ],
        ),
        (
            {"auth": {"gcp": {"service_account_json": "x"}}},
            [
                f"{PROXY}.auth.gcp.service_account_json: found '***': it is not JSON;"
                " accepted: the JSON of a service account"
            ],
        ),
        (
            {"options": {"model": 4}},
            [
                f"{PROXY}.options: found an object: model is no string; accepted:"
                " an object whose `model`, if any, is a string"
            ],
        ),
        (
            {"override": {"request_body": {"grok": {}}}},
            [
                f"{PROXY}.override.request_body: the name 'grok' is not accepted:"
                " object of objects (names: anthropic-messages, bedrock-converse,"
                " bedrock-invoke, gemini, openai-chat, openai-embeddings,"
                " openai-responses, passthrough, vertex-predict, vertex-raw-predict)"
            ],
        ),
        (
            {"override": {"llm_options": {"temperature": 1}}},
            [
                f"{PROXY}.override.llm_options.temperature: unknown field;"
                " accepted: max_tokens"
            ],
        ),
        (
            {"allow_origins": ["app.example.com"]},
            [
                f"{PROXY}.allow_origins[0]: found 'app.example.com': no origin;"
                " accepted: `scheme://host[:port]` or `*`"
            ],
        ),
        (
            {"_meta": {"filter": []}},
            [f"{PROXY}._meta.filter: not implemented by this version"],
        ),
        (
            {"timeouts": {"read_ms": 1}},
            [f"{PROXY}.timeouts.read_ms: unknown field; accepted: client_stall_ms,"
             " connect_ms, first_byte_ms, idle_ms, total_ms"],
        ),
    ],
)  # fmt: skip
def test_what_a_provider_cannot_do_with_is_told(
    proxy: dict[str, Any], told: list[str]
) -> None:
    assert problems(with_route(proxy)) == told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", 0),
        ("timeout", 600_001),
        ("timeout", 1.5),
        ("timeout", True),
        ("timeout", "30000"),
        ("max_req_body_size", 0),
        ("max_stream_duration_ms", 0),
        ("max_response_bytes", 0),
        ("keepalive", 1),
        ("keepalive_timeout", 999),
        ("keepalive_pool", 0),
        ("streaming_flush_interval_ms", -1),
        ("ssl_verify", "yes"),
        ("heartbeat_interval_ms", -1),
        ("max_event_bytes", 0),
        ("stream_usage", "show"),
        ("on_client_disconnect", "stop"),
        ("forward_request_headers", {"mode": "all"}),
        ("forward_request_headers", {"deny": ["a b"]}),
        ("drain_limits", {"max_ms": -1}),
        ("logging", {"payloads": "on"}),
        ("provider_conf", {"region": ""}),
        ("override", {"endpoint": ""}),
        ("override", {"llm_options": {"max_tokens": 0}}),
        ("auth", None),
        ("auth", {"header": {"a b": "c"}}),
        ("auth", {"header": {"a": "\u20ac"}}),
        ("auth", {"header": {"a": 1}}),
        ("auth", {"header": {"Authorization": "a", "authorization": "b"}}),
    ],
)
def test_a_value_out_of_bounds_is_refused(field: str, value: Any) -> None:
    (told,) = problems(with_route({field: value}))
    assert told.startswith(f"{PROXY}.{field}")
    assert "accepted" in told


def test_one_wrong_field_does_not_blame_another() -> None:
    proxy = {"provider": "openai-compatible", "override": {"endpoint": "h"}}
    assert len(problems(with_route(proxy))) == 1
    proxy = {"provider": "bedrock", "auth": {"aws": {}}, "provider_conf": {"x": 1}}
    assert len(problems(with_route(proxy))) == 1


def test_the_environments_proxy_is_the_default() -> None:
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "amazonaws.com"}
    assert instance({}, environ).proxy == "http://p:1"
    assert instance({"proxy": ""}, environ).proxy is None
    assert instance({"proxy": "http://q:2"}, environ).proxy == "http://q:2"
    bedrock = {
        "provider": "bedrock",
        "provider_conf": {"region": "eu-west-1"},
        "auth": {"aws": {}},
    }
    assert instance(bedrock, environ).proxy is None
    local = {"override": {"endpoint": "https://127.0.0.1:8443"}}
    assert instance(local, environ).proxy is None
    assert problems(with_route({}), {"HTTPS_PROXY": "socks5://p"}) == [
        f"{PROXY}.proxy: unset, and HTTPS_PROXY of the environment:"
        " the scheme is neither http nor https"
    ]


def test_an_endpoint_that_looks_like_a_base_url_is_warned_of() -> None:
    file = with_route({"override": {"endpoint": "https://h/v1/"}})
    (warning,) = loaded(file).warnings
    assert warning.startswith(f"gw.yaml: {PROXY}.override.endpoint: its path is used")


def test_files_of_tls_that_cannot_be_read_are_warned_of() -> None:
    file = with_route({"tls": {"ca_file": "/no/ca.pem", "cert_file": __file__}})
    (warning,) = loaded(file).warnings
    assert warning.startswith(f"gw.yaml: {PROXY}.tls.ca_file: '/no/ca.pem' cannot")


def test_a_key_without_its_certificate_is_refused() -> None:
    assert problems(with_route({"tls": {"key_file": __file__}})) == [
        f"{PROXY}.tls.cert_file: missing; key_file is the key of one"
    ]


BEDROCK = {"provider": "bedrock", "provider_conf": {"region": "eu-west-1"}}
TOKEN = {"AWS_BEARER_TOKEN_BEDROCK": "key"}


def test_the_bearer_key_of_bedrock_is_found_before_other_credentials() -> None:
    made = instance({**BEDROCK, "auth": {"aws": {}}}, TOKEN)
    assert made.auth_headers == [(b"authorization", b"Bearer key")]
    assert made.has_auth


@pytest.mark.parametrize(
    "auth",
    [
        {"aws": {"access_key_id": "a", "secret_access_key": "b"}},
        {"header": {"X-Api": "1"}},
    ],
)
def test_configured_keys_stand_before_it(auth: dict[str, Any]) -> None:
    made = instance({**BEDROCK, "auth": auth}, TOKEN)
    assert not [name for name, _ in made.auth_headers if name == b"authorization"]


def test_a_configured_bearer_key_stands_before_it_too() -> None:
    auth = {"aws": {}, "header": {"Authorization": "Bearer mine"}}
    made = instance({**BEDROCK, "auth": auth}, TOKEN)
    assert made.auth_headers == [(b"authorization", b"Bearer mine")]


@pytest.mark.parametrize("region", ["evil.example/", "a b", "", "x@y"])
def test_a_region_that_is_no_part_of_a_host_is_refused(region: str) -> None:
    conf = {**BEDROCK, "auth": {"aws": {}}, "provider_conf": {"region": region}}
    (told,) = problems(with_route(conf))
    assert "provider_conf.region" in told


SPOKEN = {"bedrock": ("bedrock-converse", "bedrock-invoke")}


def with_dialect(dialect: str) -> bytes:
    conf = {**BEDROCK, "auth": {"aws": {}}}
    conf["provider_conf"] = {"region": "r", "dialect": dialect}
    return json.dumps(with_route(conf)).encode()


def test_a_dialect_that_the_provider_speaks_can_be_chosen() -> None:
    data = with_dialect("bedrock-invoke")
    settings = load(data, {}, providers=PROVIDERS, dialects=SPOKEN)
    chosen = settings.routes[0].instances[0]
    assert chosen.provider_conf["dialect"] == "bedrock-invoke"


def test_a_dialect_that_the_provider_does_not_speak_is_told() -> None:
    with pytest.raises(ConfigError) as refused:
        load(with_dialect("gemini"), {}, providers=PROVIDERS, dialects=SPOKEN)
    (problem,) = refused.value.problems
    assert problem.endswith(
        f"{PROXY}.provider_conf.dialect: found gemini, which bedrock does not speak;"
        " accepted: bedrock-converse, bedrock-invoke"
    )
    # Where it is not known what is spoken, nothing can be said against it.
    load(with_dialect("gemini"), {}, providers=PROVIDERS)
    with pytest.raises(ConfigError, match=r"provider_conf\.dialect"):
        load(with_dialect("openai-embeddings"), {}, providers=PROVIDERS)
