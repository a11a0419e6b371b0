"""ai-proxy-multi: instances, and the policy among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from aigw.config.load import load
from aigw.config.policy import BALANCERS
from aigw.config.show import show
from aigw.model.check import ActiveCheck
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.policy import BreakerRule, Hedge, Policy, Retry
from aigw.model.route import Route
from aigw.routing.balance import BUILT_IN

from .samples import PROVIDERS, loaded, problems

AT = "routes[0].plugins.ai-proxy-multi"


def one(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"name": name, "provider": "openai", "auth": {}, "weight": 1, **fields}


def many(*instances: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    multi = {"instances": list(instances) or [one("a"), one("b")], **fields}
    return {"routes": [{"uri": "/v1/*", "plugins": {"ai-proxy-multi": multi}}]}


def made(*instances: Mapping[str, Any], **fields: Any) -> Route:
    return loaded(many(*instances, **fields)).routes[0]


def policy(**fields: Any) -> Policy:
    found = made(**fields).policy
    assert found is not None
    return found


def wrong(*instances: Mapping[str, Any], **fields: Any) -> list[str]:
    found = problems(many(*instances, **fields))
    assert all(line.startswith(AT) for line in found)
    return [line.removeprefix(f"{AT}.") for line in found]


def request(
    target: str = "/v1/chat/completions?user=u%201&x=2", headers: Headers | None = None
) -> Envelope:
    path, _, query = target.partition("?")
    fields = [(b"host", b"API.example.com:8080"), *(headers or [])]
    return Envelope("POST", path, target.encode(), query.encode(), fields)


# -- defaults


def test_defaults_are_the_references() -> None:
    route = made()
    assert route.policy == Policy()
    assert not route.retries
    assert [(each.name, each.weight, each.priority) for each in route.instances] == [
        ("a", 1, 0),
        ("b", 1, 0),
    ]
    assert route.instances[0].check is None


def test_a_balancer_without_algorithm_is_roundrobin() -> None:
    assert policy(balancer={}).balancer == "roundrobin"
    assert policy(balancer={"hash_on": "vars", "key": "uri"}).balancer == "roundrobin"


def test_configuration_and_routing_know_the_same_balancers() -> None:
    assert set(BUILT_IN) == BALANCERS


def test_a_third_partys_balancer_may_be_named() -> None:
    file = yaml.safe_dump(many(balancer={"algorithm": "mine"})).encode()
    settings = load(file, {}, providers=PROVIDERS, balancers={"mine"})
    assert settings.routes[0].policy is not None
    assert settings.routes[0].policy.balancer == "mine"


# -- cross-checks


def test_duplicate_names_are_told_with_both_places_counted_from_one() -> None:
    assert wrong(one("a"), one("b"), one("a")) == [
        "instances[2].name: duplicate instance name: a at index 1 and 3"
    ]


@pytest.mark.parametrize("missing", ["name", "provider", "auth", "weight"])
def test_what_an_instance_must_have(missing: str) -> None:
    instance = one()
    del instance[missing]
    found = wrong(instance, one("b"))
    assert [line.split(";")[0] for line in found] == [
        f"instances[0].{missing}: missing"
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"instances": []}, "instances: found a list: there is none"),
        ({"balancer": {"algorithm": "random"}}, "balancer.algorithm: found 'random'"),
        ({"balancer": {"algorithm": "chash"}}, "balancer.key: missing"),
        (
            {"balancer": {"algorithm": "chash", "key": "request_method"}},
            "balancer.key: found 'request_method'",
        ),
        (
            {"balancer": {"algorithm": "chash", "hash_on": "header", "key": "x y"}},
            "balancer.key: found 'x y'",
        ),
        (
            {
                "balancer": {
                    "algorithm": "chash",
                    "hash_on": "vars_combinations",
                    "key": "plain",
                }
            },
            "balancer.key: found 'plain'",
        ),
        ({"fallback_strategy": "rate_limiting"}, "fallback_strategy: found"),
        ({"fallback_strategy": ["http_4xx"]}, "fallback_strategy: found a list"),
        ({"fallback_http_statuses": []}, "fallback_http_statuses: found"),
        ({"fallback_http_statuses": [399]}, "fallback_http_statuses[0]: found 399"),
        (
            {"fallback_http_statuses": [404, 404]},
            "fallback_http_statuses: found a",
        ),
        ({"max_retries": -1}, "max_retries: found -1"),
        ({"retry_on_failure_within_ms": 0}, "retry_on_failure_within_ms: found 0"),
        ({"retry": {"jitter": 2}}, "retry.jitter: found 2"),
        ({"breaker": {"failures": 0}}, "breaker.failures: found 0"),
        ({"hedge": {}}, "hedge.delay_ms: missing"),
        ({"hedge": {"delay_ms": 0}}, "hedge.delay_ms: found 0"),
        ({"hedge": {"delay_ms": 50, "max": 6}}, "hedge.max: found 6"),
        ({"on_stream_failure": "retry"}, "on_stream_failure: found 'retry'"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, Any], told: str) -> None:
    (found,) = wrong(**fields)
    assert found.startswith(told)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "name: found ''"),
        ({"name": "x" * 101}, "name: found"),
        ({"weight": -1}, "weight: found -1"),
        ({"max_concurrent": 0}, "max_concurrent: found 0"),
        ({"prefill": "yes"}, "prefill: found 'yes'"),
        ({"allow_origins": ["https://a"]}, "allow_origins: it holds for the route"),
        ({"checks": {}}, "checks.active: missing"),
        ({"checks": {"active": {}, "passive": {}}}, "checks.passive: there are no"),
        ({"checks": {"active": {"type": "udp"}}}, "checks.active.type: found 'udp'"),
        ({"checks": {"active": {"http_path": "x"}}}, "checks.active.http_path: found"),
        (
            {"checks": {"active": {"req_headers": ["nonsense"]}}},
            "checks.active.req_headers[0]: found '***'",
        ),
        (
            {"checks": {"active": {"healthy": {"successes": 255}}}},
            "checks.active.healthy.successes: found 255",
        ),
        (
            {"checks": {"active": {"unhealthy": {"interval": 0}}}},
            "checks.active.unhealthy.interval: found 0",
        ),
        ({"override": {"endpoint": "ftp://x"}}, "override.endpoint: found"),
        ({"_meta": {}}, "_meta: unknown field"),
    ],
)
def test_what_is_wrong_with_an_instance_is_told(
    fields: dict[str, Any], told: str
) -> None:
    (found,) = wrong(one(**fields), one("b"))
    assert found.startswith(f"instances[0].{told}")


def test_a_route_is_served_by_one_plugin() -> None:
    file = many()
    file["routes"][0]["plugins"]["ai-proxy"] = {"provider": "openai", "auth": {}}
    assert problems(file) == [f"{AT}: beside ai-proxy; accepted: one of the two"]
    file["routes"][0]["plugins"]["ai-proxy"]["_meta"] = {"disable": True}
    assert len(loaded(file).routes[0].instances) == 2


def test_weights_of_nothing_but_zero_are_warned_of() -> None:
    settings = loaded(many(one(weight=0)))
    assert any("every weight is 0" in warning for warning in settings.warnings)


# -- what moves a request


@pytest.mark.parametrize(
    ("fields", "moving"),
    [
        ({}, set()),
        ({"fallback_strategy": "http_429"}, {429}),
        ({"fallback_strategy": "http_5xx"}, set(range(500, 600))),
        ({"fallback_strategy": "instance_health_and_rate_limiting"}, set()),
        ({"fallback_strategy": ["rate_limiting", "http_429"]}, {429}),
        ({"fallback_http_statuses": [404, 429]}, {404, 429}),
        (
            {"fallback_strategy": ["http_429"], "fallback_http_statuses": [503]},
            {429, 503},
        ),
    ],
)
def test_what_moves_a_request(fields: dict[str, Any], moving: set[int]) -> None:
    route = made(**fields)
    assert route.policy is not None
    assert route.policy.statuses == moving
    assert route.retries == bool(moving)


def test_bounds_of_retries_arrive_in_seconds() -> None:
    assert policy(
        max_retries=3,
        retry_on_failure_within_ms=1500,
        retry={"same_instance": 2, "backoff_ms": 100, "max_backoff_ms": 900},
        breaker={"failures": 2, "window_ms": 2000, "open_ms": 500},
        cooldown_max_ms=500,
        debug_headers=True,
    ) == Policy(
        max_retries=3,
        within=1.5,
        retry=Retry(2, 0.1, 0.9),
        breaker=BreakerRule(failures=2, window=2.0, open=0.5),
        cooldown=0.5,
        debug_headers=True,
    )


def test_breaker_and_retry_have_defaults_of_their_own() -> None:
    found = policy(retry={}, breaker={})
    assert (found.retry, found.breaker) == (Retry(), BreakerRule())
    assert (policy().retry, policy().breaker) == (None, None)


def test_a_lone_instance_retries_only_where_repeats_are_allowed() -> None:
    assert not made(one(), fallback_strategy="http_5xx").retries
    assert made(one(), retry={}).retries
    assert not made(one(), retry={}, max_retries=0).retries


# -- what is hashed on


@pytest.mark.parametrize(
    ("balancer", "key"),
    [
        ({"key": "remote_addr"}, "192.0.2.7"),
        ({"key": "uri"}, "/v1/chat/completions"),
        ({"key": "arg_user"}, "u 1"),
        ({"key": "arg_none"}, ""),
        ({"key": "host"}, "api.example.com"),
        ({"key": "server_name"}, "api.example.com"),
        ({"key": "remote_port"}, ""),
        ({"hash_on": "header", "key": "X-User"}, "bob"),
        ({"hash_on": "header", "key": "x-none"}, ""),
        ({"hash_on": "cookie", "key": "sid"}, "s1"),
        ({"hash_on": "consumer"}, "alice"),
        ({"hash_on": "vars_combinations", "key": "$arg_x-${http_x_user}"}, "2-bob"),
        ({"hash_on": "vars_combinations", "key": "$consumer_name$arg_x"}, "alice2"),
        ({"hash_on": "vars_combinations", "key": "p$arg_none"}, ""),
    ],
)
def test_what_a_request_is_hashed_on(balancer: dict[str, str], key: str) -> None:
    read = policy(balancer={"algorithm": "chash", **balancer}).key
    assert read is not None
    envelope = request(headers=[(b"x-user", b"bob"), (b"cookie", b"a=b; sid=s1")])
    assert read(envelope, "192.0.2.7", "alice") == key


def test_a_variable_no_request_has_is_warned_of() -> None:
    settings = loaded(many(balancer={"algorithm": "chash", "key": "server_addr"}))
    assert any("client's address" in warning for warning in settings.warnings)


# -- instances


def test_what_is_written_beside_instances_holds_for_each() -> None:
    first, second = made(
        one("a", timeout=30_000, timeouts={"idle_ms": 7000}, ssl_verify=True),
        one("b"),
        timeout=5000,
        timeouts={"idle_ms": 1000, "first_byte_ms": 2000},
        ssl_verify=False,
        max_response_bytes=99,
    ).instances
    # Also where an instance says what happens to be the default.
    assert (first.patience.read, second.patience.read) == (30.0, 5.0)
    assert (first.deadlines.idle, second.deadlines.idle) == (7.0, 1.0)
    assert (first.deadlines.first_byte, second.deadlines.first_byte) == (2.0, 2.0)
    assert (first.trust.verify, second.trust.verify) == (True, False)
    assert first.streaming.max_response_bytes == 99


def test_the_file_is_shown_as_it_works() -> None:
    settings = loaded(many(one("a"), one("b", timeout=1000), timeout=5000))
    shown = show(settings)
    again = loaded(shown)
    assert [each.patience.read for each in again.routes[0].instances] == [5.0, 1.0]
    assert show(again) == shown


def test_what_is_wrong_beside_instances_is_told_once() -> None:
    assert len(wrong(timeout=0)) == 1


def test_new_fields_of_an_instance_arrive() -> None:
    (instance,) = made(
        one(
            priority=-3,
            weight=7,
            models=["gpt-*"],
            model_map={"fast": "gpt-4o-mini"},
            max_concurrent=4,
            max_queued=2,
            queue_timeout_ms=500,
        )
    ).instances
    assert (instance.priority, instance.weight) == (-3, 7)
    assert instance.takes("gpt-4o")
    assert not instance.takes("claude")
    assert instance.model_map == {"fast": "gpt-4o-mini"}
    assert (instance.max_concurrent, instance.max_queued) == (4, 2)
    assert instance.queue_timeout == 0.5


# -- checks


def check(active: Mapping[str, Any], **fields: Any) -> ActiveCheck:
    found = made(one(checks={"active": active}, **fields)).instances[0].check
    assert found is not None
    return found


def test_checks_have_the_references_defaults() -> None:
    assert check({}) == ActiveCheck()


def test_a_probe_carries_the_credentials_once() -> None:
    found = check(
        {
            "http_path": "/status?deep=1",
            "req_headers": ["Authorization: old", "X-Probe: 1", "Host: h.test"],
        },
        auth={"header": {"authorization": "Bearer k"}, "query": {"api-key": "a&b"}},
    )
    assert found.path == "/status?deep=1&api-key=a%26b"
    assert found.headers == ((b"authorization", b"Bearer k"), (b"x-probe", b"1"))
    assert found.host == "h.test"


def test_the_configuration_is_not_changed_by_its_credentials() -> None:
    file = many(
        one(checks={"active": {"http_path": "/s"}}, auth={"query": {"key": "v"}})
    )
    settings = loaded(file)
    shown = yaml.safe_load(show(settings))
    instance = shown["routes"][0]["plugins"]["ai-proxy-multi"]["instances"][0]
    assert instance["checks"]["active"]["http_path"] == "/s"
    assert check({"http_path": "/s"}, auth={"query": {"key": "v"}}).path == "/s?key=v"


def test_every_field_of_a_check_arrives() -> None:
    assert check(
        {
            "type": "https",
            "timeout": 0.5,
            "concurrency": 2,
            "host": "h",
            "port": 8443,
            "http_method": "POST",
            "http_req_body": "ping",
            "https_verify_certificate": False,
            "healthy": {"interval": 3, "http_statuses": [204], "successes": 1},
            "unhealthy": {
                "interval": 2,
                "http_statuses": [500],
                "http_failures": 3,
                "tcp_failures": 4,
                "timeouts": 5,
            },
        }
    ) == ActiveCheck(
        type="https",
        timeout=0.5,
        concurrency=2,
        host="h",
        port=8443,
        method="POST",
        body=b"ping",
        verify=False,
        healthy_interval=3,
        healthy_statuses=frozenset({204}),
        successes=1,
        unhealthy_interval=2,
        unhealthy_statuses=frozenset({500}),
        http_failures=3,
        tcp_failures=4,
        timeouts=5,
    )


# -- hedging and continuation


def test_a_hedge_is_one_further_attempt_unless_told() -> None:
    assert policy().hedge is None
    assert policy(hedge={"delay_ms": 250}).hedge == Hedge(0.25, 1)
    assert policy(hedge={"delay_ms": 250, "max": 3}).hedge == Hedge(0.25, 3)


def test_streams_are_continued_where_it_is_asked_for() -> None:
    assert not policy().continues
    route = made(one("a"), one("b", prefill=True), on_stream_failure="continue")
    assert route.policy is not None
    assert route.policy.continues
    assert [instance.prefill for instance in route.instances] == [False, True]


def test_continuation_without_a_prefill_instance_is_warned_of() -> None:
    conf = many(one("a"), one("b"), on_stream_failure="continue")
    (told,) = loaded(conf).warnings
    assert f"{AT}.on_stream_failure: no instance has prefill" in told


@pytest.mark.parametrize(
    ("conf", "place"),
    [
        (many(one(), hedge={"delay_ms": 5}), "hedge: no use with a single instance"),
        (many(max_retries=2), "max_retries: no use without fallback_strategy"),
        (many(one(prefill=True)), "instances[0].prefill: no use without on_stream"),
    ],
)
def test_what_can_never_happen_is_warned_of(conf: dict[str, Any], place: str) -> None:
    (told,) = loaded(conf).warnings
    assert f"{AT}.{place}" in told


@pytest.mark.parametrize("name", ["max_retries", "hedge", "fallback_strategy"])
def test_what_takes_several_instances_is_told_its_place(name: str) -> None:
    proxy = {"provider": "openai", "auth": {}, name: 1}
    conf = {"routes": [{"uri": "/a", "plugins": {"ai-proxy": proxy}}]}
    (told,) = problems(conf)
    at = f"routes[0].plugins.ai-proxy.{name}"
    assert told.startswith(f"{at}: a field of ai-proxy-multi")
