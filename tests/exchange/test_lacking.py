"""Endpoints that a provider does not have."""

from __future__ import annotations

import pytest

from aigw.model.instance import Endpoint, Instance
from aigw.model.policy import Policy
from aigw.model.route import Route

from .site import Site


def named(provider: str) -> Instance:
    endpoint = Endpoint("http", f"{provider}.test", 80)
    region = {"region": "us-east-1", "project_id": "p"}
    return Instance(provider, provider, endpoint, provider_conf=region)


def site(*providers: str) -> Site:
    instances = tuple(map(named, providers))
    policy = Policy() if len(instances) > 1 else None
    return Site(Route("all", ("/v1/*",), instances, policy=policy))


@pytest.mark.parametrize("provider", ["anthropic", "bedrock", "vertex-ai"])
@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/batches", "/v1/moderations"])
def test_the_client_is_told_which_provider_lacks_what(provider: str, path: str) -> None:
    place = site(provider)
    client = place.ask(b'{"model":"m","input":"x"}', target=path.encode())
    assert client.status == 400
    assert f"provider {provider} has no {path}" in client.written.decode()
    assert not place.upstream.calls
    assert place.record.reason == "endpoint"


def test_of_several_those_who_have_it_are_asked() -> None:
    place = site("anthropic", "bedrock", "openai-compatible")
    for _ in range(3):
        place.ask(b'{"model":"m","input":"x"}', target=b"/v1/audio/speech")
    hosts = {call.outbound.origin.host for call in place.upstream.calls}
    assert hosts == {"openai-compatible.test"}


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("anthropic", "/v1/files"),
        ("anthropic", "/v1/messages/batches"),
        ("openai-compatible", "/v1/audio/speech"),
        ("gemini", "/v1/images/generations"),
    ],
)
def test_what_a_provider_may_have_it_is_asked(provider: str, path: str) -> None:
    place = site(provider)
    place.ask(b'{"model":"m"}', target=path.encode())
    assert len(place.upstream.calls) == 1
