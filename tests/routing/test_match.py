"""Which routes take a request: rules one by one, and against a slow, obvious oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import MethodNotAllowed, NotFound
from aigw.model.path import own_path
from aigw.model.route import Route
from aigw.routing.match import Match


def route(
    name: str,
    *paths: str,
    methods: str = "",
    hosts: tuple[str, ...] = (),
    priority: int = 0,
    order: int = 0,
    strip: bool = False,
) -> Route:
    return Route(
        id=name,
        paths=paths,
        instances=(),
        methods=frozenset(methods.split()),
        hosts=hosts,
        priority=priority,
        order=order,
        strip_prefix=strip,
    )


def names(
    routes: list[Route], path: str, method: str = "POST", host: str = "h.example.com"
) -> list[str]:
    return [found.id for found in Match(routes).candidates(method, host, path)]


def test_an_exact_path_comes_before_the_longest_prefix() -> None:
    routes = [
        route("all", "/*", order=0),
        route("short", "/v1/*", order=1),
        route("long", "/v1/chat/*", order=2),
        route("exact", "/v1/chat/completions", order=3),
    ]
    path = "/v1/chat/completions"
    assert names(routes, path) == ["exact", "long", "short", "all"]
    assert names(routes, "/v1/chat/") == ["long", "short", "all"]
    assert names(routes, "/v1/chat") == ["short", "all"]
    assert names(routes, "/v1") == ["all"]


def test_an_exact_host_comes_before_wildcards_before_none() -> None:
    routes = [
        route("none", "/exact", order=0, priority=9),
        route("wide", "/exact", hosts=("*.com",), order=1),
        route("wild", "/exact", hosts=("*.example.com",), order=2),
        route("host", "/*", hosts=("h.example.com",), order=3),
    ]
    assert names(routes, "/exact") == ["host", "wild", "wide", "none"]
    assert names(routes, "/exact", host="a.b.example.com") == ["wild", "wide", "none"]
    assert names(routes, "/exact", host="example.com") == ["wide", "none"]
    assert names(routes, "/exact", host="") == ["none"]
    assert names(routes, "/exact", host="h.example.com.") == [
        "host",
        "wild",
        "wide",
        "none",
    ]


def test_priority_then_order_decides_between_equals() -> None:
    routes = [
        route("first", "/a", order=0),
        route("second", "/a", order=1),
        route("high", "/a", order=2, priority=1),
    ]
    assert names(routes, "/a") == ["high", "first", "second"]


def test_a_route_is_named_once_whatever_matches() -> None:
    only = route("a", "/v1/*", "/v1/x", "/v1/x", hosts=("h.example.com", "*.com"))
    assert names([only], "/v1/x") == ["a"]


def test_methods_choose_and_tell_404_from_405() -> None:
    routes = [
        route("get", "/a", methods="GET HEAD"),
        route("post", "/a", methods="POST", order=1),
    ]
    match = Match(routes)
    assert [found.id for found in match.candidates("GET", "", "/a")] == ["get"]
    with pytest.raises(MethodNotAllowed):
        match.candidates("PUT", "", "/a")
    with pytest.raises(NotFound):
        match.candidates("PUT", "", "/b")
    assert match.methods("", "/a") == {"GET", "HEAD", "POST"}
    assert match.methods("", "/b") == frozenset()
    assert Match([*routes, route("any", "/a")]).methods("", "/a") == frozenset()


def test_a_table_without_routes_finds_none() -> None:
    with pytest.raises(NotFound):
        Match(()).candidates("GET", "", "/")


def test_prefixed_paths_reach_routes_that_strip_prefixes() -> None:
    routes = [
        route("plain", "/v1/messages"),
        route("strips", "/v1/messages", order=1, strip=True),
        route("literal", "/anthropic/*", order=2),
    ]
    assert names(routes, "/v1/messages") == ["plain", "strips"]
    assert names(routes, "/anthropic/v1/messages") == ["literal", "strips"]
    chat = route("chat", "/v1/chat/completions", strip=True)
    for path in ("/chat/completions", "/openai/chat/completions"):
        assert names([chat], path) == ["chat"]


def test_random_paths_do_not_grow_the_table() -> None:
    match = Match([route("all", "/*")])
    for number in range(5000):
        match.candidates("GET", "", f"/{number}")
    assert len(match._known) <= 1024


PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c", "/models", "/v1/models", "/openai/models"]
PATTERNS = [*PATHS, "/*", "/a*", "/a/*", "/a/b/*", "/v1/*", "/openai/*"]
HOSTS = ["", "x", "e.com", "a.e.com", "b.a.e.com"]
HOST_PATTERNS = ["x", "e.com", "a.e.com", "*.e.com", "*.a.e.com", "*.com"]

ROUTES = st.lists(
    st.builds(
        Route,
        id=st.just("r"),
        paths=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3).map(tuple),
        instances=st.just(()),
        methods=st.sampled_from([frozenset(), frozenset({"GET"}), frozenset({"POST"})]),
        hosts=st.lists(st.sampled_from(HOST_PATTERNS), max_size=2).map(tuple),
        priority=st.integers(-1, 1),
        order=st.integers(0, 0),
        strip_prefix=st.booleans(),
    ),
    max_size=8,
)


def _host_rank(route: Route, host: str) -> tuple[int, int] | None:
    """How well a route takes a host, the smaller the better; None if it does not."""
    ranks = []
    for pattern in route.hosts:
        if pattern == host:
            ranks.append((0, 0))
        elif pattern.startswith("*.") and host.endswith(pattern[1:]):
            if host != pattern[1:]:
                ranks.append((1, -len(pattern)))
    if not route.hosts:
        ranks.append((2, 0))
    return min(ranks, default=None)


def _path_rank(route: Route, path: str) -> tuple[int, int, int] | None:
    tried = [(0, path)]
    if route.strip_prefix and own_path(path) != path:
        tried.append((1, own_path(path)))
    ranks = []
    for stripped, each in tried:
        for pattern in route.paths:
            if pattern == each:
                ranks.append((stripped, 0, 0))
            elif pattern.endswith("*") and each.startswith(pattern[:-1]):
                ranks.append((stripped, 1, -len(pattern)))
    return min(ranks, default=None)


@given(
    ROUTES,
    st.sampled_from(PATHS),
    st.sampled_from(HOSTS),
    st.sampled_from(["GET", "POST"]),
)
def test_matching_agrees_with_the_rules_spelled_out(
    routes: list[Route], path: str, host: str, method: str
) -> None:
    numbered = [
        Route(
            id=str(order),
            paths=each.paths,
            instances=(),
            methods=each.methods,
            hosts=each.hosts,
            priority=each.priority,
            order=order,
            strip_prefix=each.strip_prefix,
        )
        for order, each in enumerate(routes)
    ]
    ranked = []
    for each in numbered:
        of_host, of_path = _host_rank(each, host), _path_rank(each, path)
        if of_host is not None and of_path is not None:
            ranked.append(((of_host, of_path, -each.priority, each.order), each))
    ranked.sort(key=lambda pair: pair[0])
    taken = [
        each.id for _, each in ranked if not each.methods or method in each.methods
    ]
    match = Match(numbered)
    for _ in range(2):  # the second answer is the remembered one
        if taken:
            found = match.candidates(method, host, path)
            assert [each.id for each in found] == taken
        elif ranked:
            with pytest.raises(MethodNotAllowed):
                match.candidates(method, host, path)
        else:
            with pytest.raises(NotFound):
                match.candidates(method, host, path)
