"""The list of models, answered by the gateway itself."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.outcome import Outcome
from aigw.model.route import Route

from .site import Site
from .test_serve import error_of


def site() -> Site:
    route = Route(
        "models",
        ("/v1/models", "/v1/models/*"),
        (),
        methods=frozenset({"GET", "HEAD"}),
        strip_prefix=True,
        models=("fast", "org/smart"),
    )
    return Site(route)


def get(place: Site, target: bytes) -> Any:
    return place.ask(b"", method="GET", target=target, headers=[])


def test_models_are_listed_for_clients_of_either_vendor() -> None:
    place = site()
    client = get(place, b"/v1/models")
    assert client.status == 200
    told = msgspec.json.decode(client.written)
    assert told["object"] == "list"
    assert [each["id"] for each in told["data"]] == ["fast", "org/smart"]
    assert {each["object"] for each in told["data"]} == {"model"}
    assert {each["type"] for each in told["data"]} == {"model"}
    assert (told["first_id"], told["last_id"]) == ("fast", "org/smart")
    assert not told["has_more"]
    assert place.record.outcome is Outcome.COMPLETED
    assert place.upstream.calls == []


def test_one_model_is_told() -> None:
    for target in (b"/v1/models/org%2Fsmart", b"/v1/models/org/smart"):
        client = get(site(), target)
        assert msgspec.json.decode(client.written)["id"] == "org/smart"


def test_the_list_is_found_without_v1_too() -> None:
    assert get(site(), b"/models").status == 200


def test_an_unknown_model_is_not_found() -> None:
    client = get(site(), b"/v1/models/none")
    assert client.status == 404
    assert error_of(client.written)["code"] == "model_not_found"
