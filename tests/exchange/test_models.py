"""The list of models, answered by the gateway itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.model.headers import Headers
from aigw.model.instance import Endpoint, Instance
from aigw.model.outcome import Outcome
from aigw.model.route import Route
from aigw.testing.downstream import MemoryDownstream

from .site import JSON, Site, instance
from .test_serve import error_of

PATHS = ("/v1/models", "/v1/models/*", "/v1beta/models", "/v1beta/models/*")
ANTHROPIC: Headers = [(b"anthropic-version", b"2023-06-01")]


def site() -> Site:
    route = Route(
        "models",
        PATHS,
        (),
        methods=frozenset({"GET", "HEAD"}),
        strip_prefix=True,
        models=("fast", "org/smart"),
    )
    return Site(route)


def get(
    place: Site, target: bytes = b"/v1/models", headers: Headers | None = None
) -> MemoryDownstream:
    return place.ask(b"", method="GET", target=target, headers=headers or [])


def told(client: MemoryDownstream) -> Any:
    assert client.status == 200, client.written
    return msgspec.json.decode(client.written)


def ids(client: MemoryDownstream) -> list[str]:
    return [each["id"] for each in told(client)["data"]]


# -- as each vendor's clients read it


def test_openais_clients_get_openais_list() -> None:
    place = site()
    assert told(get(place)) == {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": 0, "owned_by": "aigw"}
            for name in ("fast", "org/smart")
        ],
    }
    assert place.record.outcome is Outcome.COMPLETED
    assert place.upstream.calls == []


def test_anthropics_clients_get_anthropics_list() -> None:
    answer = told(get(site(), headers=ANTHROPIC))
    assert {each["type"] for each in answer["data"]} == {"model"}
    assert [each["display_name"] for each in answer["data"]] == ["fast", "org/smart"]
    assert (answer["first_id"], answer["last_id"]) == ("fast", "org/smart")
    assert answer["has_more"] is False


def test_googles_clients_get_googles_list() -> None:
    for target in (b"/v1beta/models", b"/v1beta/models?pageSize=50"):
        answer = told(get(site(), target))
        names = [each["name"] for each in answer["models"]]
        assert names == ["models/fast", "models/org/smart"]


@pytest.mark.parametrize(
    "target", [b"/v1/models/org%2Fsmart", b"/v1/models/org/smart", b"/models/org/smart"]
)
def test_one_model_is_told(target: bytes) -> None:
    assert told(get(site(), target))["id"] == "org/smart"


def test_the_list_is_found_without_v1_too() -> None:
    assert get(site(), b"/models").status == 200


@pytest.mark.parametrize(
    ("target", "headers", "word"),
    [
        (b"/v1/models/none", [], '"model_not_found"'),
        (b"/v1/models/none", ANTHROPIC, '"not_found_error"'),
        (b"/v1beta/models/none", [], '"NOT_FOUND"'),
    ],
)
def test_an_unknown_model_is_not_found_in_the_clients_words(
    target: bytes, headers: Headers, word: str
) -> None:
    client = get(site(), target, headers)
    assert client.status == 404
    assert word in client.written.decode()


# -- asked for by name


@pytest.mark.parametrize(
    ("target", "word"),
    [
        (b"/v1/chat/completions", b'"model_not_found"'),
        (b"/v1/messages", b'"not_found_error"'),
        (b"/anthropic/v1/messages", b'"not_found_error"'),
    ],
)
def test_a_model_that_no_route_takes_is_not_found_in_the_dialects_words(
    target: bytes, word: bytes
) -> None:
    route = Route(
        "model:fast",
        ("/v1/chat/completions", "/v1/messages", "/anthropic/*"),
        (instance(),),
        test=lambda envelope, peer: envelope.model == "fast",
        reads_body=True,
        strip_prefix=True,
        model="fast",
    )
    place = Site(route)
    body = b'{"model":"slow","max_tokens":1,"messages":[{"role":"user","content":"x"}]}'
    client = place.ask(body, target=target)
    assert client.status == 404
    assert word in client.written
    assert b"slow" in client.written
    assert place.record.reason == "no_route"


def test_a_request_without_a_model_is_told_that_one_is_missing() -> None:
    route = Route(
        "model:fast",
        ("/v1/responses",),
        (instance(),),
        test=lambda envelope, peer: envelope.model == "fast",
        reads_body=True,
        model="fast",
    )
    client = Site(route).ask(b'{"input":"x"}', target=b"/v1/responses")
    assert client.status == 404
    assert b"the request names no model" in client.written


# -- of what upstream has


def upstream(*instances: Instance) -> Site:
    made = instances or (instance(),)
    return Site(Route("all", ("/*",), made, lists_upstream=True))


def named(name: str, **settings: Any) -> Instance:
    endpoint = Endpoint("http", f"{name}.test", 80)
    settings.setdefault("provider", "openai-compatible")
    return Instance(name=name, endpoint=endpoint, **settings)


def some(*names: str) -> bytes:
    data = [{"id": name, "object": "model"} for name in names]
    return msgspec.json.encode({"object": "list", "data": data})


def test_all_instances_are_asked_at_once_and_their_lists_merged() -> None:
    place = upstream(named("one"), named("two"))
    client = get(place)
    one, two = place.upstream.calls
    assert [call.outbound.target for call in (one, two)] == [b"/v1/models"] * 2
    two.answer(200, JSON, some("b", "c"))
    assert client.status is None
    one.answer(200, JSON, some("a", "b"))
    assert ids(client) == ["a", "b", "c"]


def test_the_list_is_kept_for_a_minute() -> None:
    place = upstream()
    get(place)
    place.call.answer(200, JSON, some("a"))
    place.wait(59)
    assert ids(get(place)) == ["a"]
    assert told(get(place, b"/v1/models/a"))["id"] == "a"
    assert told(get(place, headers=ANTHROPIC))["first_id"] == "a"
    assert len(place.upstream.calls) == 1
    place.wait(2)
    client = get(place)
    place.call.answer(200, JSON, some("b"))
    assert ids(client) == ["b"]


def test_one_that_fails_is_left_out() -> None:
    names = ["good", "bad", "gone", "odd", "deep", "late"]
    place = upstream(*map(named, names))
    client = get(place)
    good, bad, gone, odd, deep, _ = place.upstream.calls
    good.answer(200, JSON, some("a"))
    deep.answer(200, JSON, b"[" * 5000)
    bad.answer(401, JSON, b'{"error":{"message":"no"}}')
    gone.failed()
    odd.answer(200, JSON, b"<html>")
    place.wait(9)
    assert client.status is None
    place.wait(2)
    assert ids(client) == ["a"]


def test_where_all_fail_the_list_is_empty_and_not_kept() -> None:
    place = upstream()
    client = get(place)
    place.call.failed()
    assert ids(client) == []
    again = get(place)
    place.call.answer(200, JSON, some("a"))
    assert ids(again) == ["a"]


def test_those_who_wait_share_one_call_and_may_leave() -> None:
    place = upstream()
    first, second = get(place), get(place)
    assert len(place.upstream.calls) == 1
    first.leave()
    assert not place.call.stopped
    place.call.answer(200, JSON, some("a"))
    assert ids(second) == ["a"]


def test_our_credentials_are_sent_and_never_a_clients() -> None:
    own = [(b"authorization", b"Bearer own")]
    place = upstream(named("one", auth_headers=own, has_auth=True), named("two"))
    get(place, headers=[(b"authorization", b"Bearer client")])
    one, two = (call.outbound.headers for call in place.upstream.calls)
    assert (b"authorization", b"Bearer own") in one
    assert b"authorization" not in dict(two)


def test_vendors_are_asked_in_their_own_way() -> None:
    bearer = [(b"authorization", b"Bearer k")]
    place = upstream(
        named("one", provider="anthropic"),
        named("g", provider="gemini"),
        named("b", provider="gemini", auth_headers=bearer, has_auth=True),
    )
    client = get(place)
    one, native, other = place.upstream.calls
    assert one.outbound.target == b"/v1/models?limit=1000"
    assert b"anthropic-version" in dict(one.outbound.headers)
    one.answer(200, JSON, b'{"data":[{"type":"model","id":"claude"}]}')
    assert native.outbound.target == b"/v1beta/models?pageSize=1000"
    native.answer(200, JSON, b'{"models":[{"name":"models/gemini"}]}')
    assert other.outbound.target == b"/v1beta/openai/models"
    other.answer(200, JSON, b'{"data":[{"id":"models/gemma"}]}')
    assert ids(client) == ["claude", "gemini", "gemma"]


def test_only_models_that_an_instance_takes_are_told() -> None:
    place = upstream(named("one", models=("a*",), model_map={"alias": "a1"}))
    client = get(place)
    place.call.answer(200, JSON, some("a1", "b1"))
    assert ids(client) == ["a1", "alias"]


def test_other_requests_are_relayed() -> None:
    place = upstream()
    place.ask(b"", method="DELETE", target=b"/v1/models/ft:a", headers=[])
    assert place.call.outbound.method == "DELETE"


def test_an_unknown_model_upstream_is_not_found() -> None:
    place = upstream()
    client = get(place, b"/v1/models/none")
    place.call.answer(200, JSON, some("a"))
    assert client.status == 404
    assert error_of(client.written)["code"] == "model_not_found"
