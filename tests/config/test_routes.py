"""Route objects, and what is ignored and refused on them and on consumers."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.config.plugins import NOT_BUILT, OBSERVING
from aigw.model.envelope import Envelope

from .samples import loaded, problems, route, with_route


def test_a_route_is_compiled() -> None:
    made = route(
        {"allow_origins": ["https://a"]},
        uri=None,
        uris=["/v1/chat/completions", "/v1/*"],
        methods=["GET", "POST"],
        hosts=["API.example.com", "*.Example.org"],
        priority=5,
        strip_prefix=True,
        vars=[["post_arg.model", "==", "m"]],
    )
    assert made.id == "route-1"
    assert made.paths == ("/v1/chat/completions", "/v1/*")
    assert made.methods == {"GET", "POST"}
    assert made.hosts == ("api.example.com", "*.example.org")
    assert made.priority == 5
    assert made.strip_prefix
    assert made.reads_body
    assert made.allow_origins == ("https://a",)
    assert not made.retries


def test_an_id_may_be_a_number_and_is_unique() -> None:
    assert route(id=7).id == "7"
    file = with_route(id=7)
    file["routes"] += with_route(id="7")["routes"]
    assert problems(file) == ["routes[1].id: 7 is the id of routes[0] too"]


def test_a_route_switched_off_is_checked_but_not_served() -> None:
    file = with_route(status=0)
    assert loaded(file).routes == ()
    file = with_route({"timeout": 0}, status=0)
    assert len(problems(file)) == 1


def test_order_is_the_place_in_the_file() -> None:
    file = with_route(status=0)
    file["routes"] += with_route()["routes"] + with_route()["routes"]
    assert [(made.id, made.order) for made in loaded(file).routes] == [
        ("route-2", 1),
        ("route-3", 2),
    ]


def test_remote_addr_joins_vars() -> None:
    made = route(remote_addrs=["10.0.0.0/8"], vars=[["request_method", "==", "GET"]])
    assert made.test is not None
    get = Envelope("GET", "/", b"/", b"", [])
    post = Envelope("POST", "/", b"/", b"", [])
    assert made.test(get, "10.1.1.1")
    assert not made.test(get, "11.1.1.1")
    assert not made.test(post, "10.1.1.1")
    alone = route(remote_addr="::1").test
    assert alone is not None
    assert alone(post, "::1")
    assert not alone(post, "::2")
    assert route().test is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"uri": None}, "routes[0].uri: missing; accepted: uri or uris"),
        ({"uris": ["/a"]}, "routes[0].uri: beside uris; accepted: one of the two"),
        (
            {"host": "a", "hosts": ["b"]},
            "routes[0].host: beside hosts; accepted: one of the two",
        ),
        (
            {"plugins": {}},
            "routes[0].plugins: nothing here serves the route;"
            " accepted: ai-proxy, ai-proxy-multi",
        ),
        (
            {"script": "return 1"},
            "routes[0].script: Lua code is not supported",
        ),
        (
            {"filter_func": "function(vars) end"},
            "routes[0].filter_func: Lua code is not supported; use vars",
        ),
        (
            {"timeout": {"read": 3}},
            "routes[0].timeout: not implemented by this version;"
            " the timeout of ai-proxy is plugins.ai-proxy.timeout",
        ),
        (
            {"stripprefix": True},
            "routes[0].stripprefix: unknown field; did you mean strip_prefix?",
        ),
        ({"status": 2}, "routes[0].status: found 2; accepted: integer (0, 1)"),
        (
            {"vars": [["url", "==", "x"]]},
            "routes[0].vars: found a list: unknown variable url; there are uri,",
        ),
        ({"remote_addr": "10.0.0.0/40"}, "routes[0].remote_addr: found '10.0.0.0/40'"),
        ({"id": "a b"}, "routes[0].id: found 'a b'; accepted: string or integer"),
        ({"uris": [], "uri": None}, "routes[0].uris: found a list; accepted"),
    ],
)
def test_a_wrong_route_is_told(fields: dict[str, Any], told: str) -> None:
    (line,) = problems(with_route(**fields))
    assert line.startswith(told)


@pytest.mark.parametrize(
    "uri",
    ["v1", "", "*", "/a*b", "/a**", "/a?b", "/a%20b", "/a b", "/a//b", "/../a", "/a/."],
)
def test_a_path_no_request_can_have_is_refused(uri: str) -> None:
    (line,) = problems(with_route(uri=uri))
    assert line.startswith("routes[0].uri: found ")


@pytest.mark.parametrize("host", ["", "a:80", "*", "a.*", "*.*.a", "http://a", "a b"])
def test_what_is_no_host_is_refused(host: str) -> None:
    (line,) = problems(with_route(host=host))
    assert line.startswith("routes[0].host: found ")


@pytest.mark.parametrize(
    "field",
    [
        "desc",
        "labels",
        "upstream",
        "upstream_id",
        "enable_websocket",
        "create_time",
        "update_time",
    ],
)
def test_what_does_nothing_here_is_ignored_with_a_warning(field: str) -> None:
    file = with_route(**{field: {"any": "$env://THING"}})
    assert loaded(file).warnings == (
        f"gw.yaml: routes[0].{field}: accepted and ignored",
    )


def with_plugin(name: str, plugin: object) -> dict[str, Any]:
    file = with_route()
    file["routes"][0]["plugins"][name] = plugin
    return file


def test_plugins_that_observe_are_ignored_with_a_warning() -> None:
    for name in OBSERVING:
        assert loaded(with_plugin(name, {"a": 1})).warnings == (
            f"gw.yaml: routes[0].plugins.{name}: accepted and ignored",
        )


def test_protection_that_is_not_built_refuses_the_file() -> None:
    for name in NOT_BUILT:
        told = f"routes[0].plugins.{name}: not implemented"
        for plugin in ({}, None, {"_meta": {"disable": "true"}}):
            (line,) = problems(with_plugin(name, plugin))
            assert line.startswith(told)
        assert len(loaded(with_plugin(name, {"_meta": {"disable": True}})).routes) == 1


def test_the_two_lists_are_apart() -> None:
    assert not OBSERVING & NOT_BUILT
    assert {"key-auth", "ip-restriction", "ai-rate-limiting"} <= NOT_BUILT


def test_an_unknown_plugin_is_refused_with_the_nearest_name() -> None:
    assert problems(with_plugin("key-aut", {"_meta": {"disable": True}})) == [
        "routes[0].plugins.key-aut: unknown field; did you mean key-auth?"
    ]


def test_a_disabled_ai_proxy_serves_nothing() -> None:
    assert problems(with_route({"_meta": {"disable": True}})) == [
        "routes[0].plugins: nothing here serves the route;"
        " accepted: ai-proxy, ai-proxy-multi"
    ]


def consumer(**fields: Any) -> dict[str, Any]:
    return {**with_route(), "consumers": [{"username": "alice", **fields}]}


def test_consumers_are_read() -> None:
    settings = loaded(consumer(desc="x", plugins={"prometheus": {}}))
    assert [each.username for each in settings.consumers] == ["alice"]
    assert len(settings.warnings) == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"plugins": {"key-auth": {"key": "sk"}}}, "plugins.key-auth: not implemented"),
        ({"plugins": {"ai-proxy": {}}}, "plugins.ai-proxy: not implemented"),
        ({"group_id": "g"}, "group_id: not implemented"),
        ({"username": "a b"}, "username: found 'a b'"),
    ],
)
def test_a_consumer_that_cannot_be_known_is_refused(
    fields: dict[str, Any], told: str
) -> None:
    (line,) = problems(consumer(**fields))
    assert line.startswith(f"consumers[0].{told}")


def test_a_consumers_name_is_its_own() -> None:
    file = consumer()
    file["consumers"] *= 2
    assert problems(file) == ["consumers[1].username: the name is taken already"]


def test_objects_of_the_reference_that_are_not_built_refuse_the_file() -> None:
    (line,) = problems({**with_route(), "global_rules": []})
    assert line == "global_rules: not implemented by this version"
    file = {**with_route(), "plugin_metadata": {"limit-count": {}, "http-logger": {}}}
    (line,) = problems(file)
    assert line.startswith("plugin_metadata.limit-count: not implemented")
