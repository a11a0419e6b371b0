"""The shorthand: models by name."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.config.models import LISTED, PATHS
from aigw.config.settings import Settings
from aigw.config.show import show
from aigw.model.envelope import Envelope
from aigw.routing.match import Match

from .samples import loaded, problems, with_route


def file(**models: Any) -> dict[str, Any]:
    return {"models": models}


def use(**fields: Any) -> dict[str, Any]:
    return {"provider": "openai", "auth": {}, **fields}


FAST = {"instances": [use(options={"model": "gpt-4o-mini"}), use(weight=3)]}
SMART = {
    "instances": [use(name="one"), use(provider="anthropic", timeout=900)],
    "balancer": {"algorithm": "ewma"},
    "fallback_strategy": "http_5xx",
    "timeout": 5000,
}


def serving(settings: Settings, model: str, path: str = PATHS[0]) -> str | None:
    """The id of the route that a request for ``model`` takes."""
    envelope = Envelope("POST", path, path.encode(), b"", [], model=model)
    for route in Match(settings.routes).candidates("POST", "h", path):
        if route.test is None or route.test(envelope, "192.0.2.1"):
            return route.id
    return None


def test_a_model_is_served_at_the_model_call_endpoints() -> None:
    settings = loaded(file(fast=FAST, smart=SMART))
    for path in PATHS:
        path = path.replace("*", "any:verb")
        assert serving(settings, "fast", path) == "model:fast"
        assert serving(settings, "smart", path) == "model:smart"
    assert serving(settings, "other") is None


def test_names_and_weights_may_be_left_out() -> None:
    fast, smart, _ = loaded(file(fast=FAST, smart=SMART)).routes
    assert [(each.name, each.weight) for each in fast.instances] == [
        ("openai-1", 1),
        ("openai-2", 3),
    ]
    assert [each.name for each in smart.instances] == ["one", "anthropic-2"]


def test_a_model_may_say_all_that_ai_proxy_multi_may() -> None:
    _, smart, _ = loaded(file(fast=FAST, smart=SMART)).routes
    assert smart.policy is not None
    assert smart.policy.balancer == "ewma"
    assert smart.retries
    assert [each.patience.read for each in smart.instances] == [5.0, 0.9]


def test_models_go_before_routes_of_the_same_path() -> None:
    settings = loaded({**with_route(), **file(fast=FAST)})
    assert serving(settings, "fast") == "model:fast"
    assert serving(settings, "other") == "route-1"


def test_models_are_listed() -> None:
    settings = loaded(file(fast=FAST, smart=SMART))
    for path in ("/v1/models", "/v1/models/fast", "/v1beta/models/fast"):
        (route,) = Match(settings.routes).candidates("GET", "h", path)
        assert (route.paths, route.models) == (LISTED, ("fast", "smart"))


def test_a_route_for_the_list_goes_before_it() -> None:
    settings = loaded({**with_route(uri="/v1/models"), **file(fast=FAST)})
    first, _ = Match(settings.routes).candidates("GET", "h", "/v1/models")
    assert first.id == "route-1"


def test_without_models_nothing_is_listed() -> None:
    assert len(loaded(with_route()).routes) == 1
    assert loaded(file(fast={**FAST, "_meta": {"disable": True}})).routes == ()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({}, "models.m.instances: missing"),
        ({"instances": []}, "models.m.instances: there is none"),
        ({"instances": [{}]}, "models.m.instances[0].provider: missing"),
        ({"instances": [use()], "timeout": 0}, "models.m.timeout: found 0"),
        (
            {"instances": [use(name="x"), use(name="x")]},
            "models.m.instances[1].name: duplicate instance name: x at index 1 and 2",
        ),
    ],
)
def test_what_is_wrong_is_told(model: Any, told: str) -> None:
    assert problems(file(m=model))[0].startswith(told)


def test_models_are_shown_as_they_work() -> None:
    settings = loaded(file(smart=SMART))
    again = loaded(show(settings))
    assert show(again) == show(settings)
    assert [each.name for each in again.routes[0].instances] == ["one", "anthropic-2"]


def test_the_shorthands_list_is_its_own() -> None:
    (found,) = problems(file(fast={**FAST, "models_from": "upstream"}))
    assert found.startswith("models.fast.models_from: ")


def test_a_route_lists_the_models_its_file_names() -> None:
    instances = [
        use(name="a", weight=1, models=["gpt-4o", "o*"], model_map={"fast": "x"}),
        use(name="b", weight=1, options={"model": "claude"}),
        use(name="c", weight=1, models=["d"], options={"model": "hidden"}),
    ]
    conf = {"instances": instances, "models_from": "config"}
    route = {"uri": "/v1/*", "plugins": {"ai-proxy-multi": conf}}
    (made,) = loaded({"routes": [route]}).routes
    assert made.models == ("gpt-4o", "fast", "claude", "d")
    assert not made.lists_upstream


def test_a_route_may_list_the_models_of_upstream() -> None:
    plugin = use(models_from="upstream")
    route = {"uri": "/v1/*", "plugins": {"ai-proxy": plugin}}
    (made,) = loaded({"routes": [route]}).routes
    assert (made.models, made.lists_upstream) == ((), True)
