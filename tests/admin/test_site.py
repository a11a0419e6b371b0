"""The admin listener: health and the version of the configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource

from aigw.admin.site import AdminSite
from aigw.exchange.health import health

LIVE = ["/healthz/live", "/health/liveliness", "/health/liveness"]
READY = ["/healthz/ready", "/health", "/health/readiness"]


class State:
    def __init__(self, ready: bool = True) -> None:
        self._ready = ready

    def ready(self) -> bool:
        return self._ready

    def config_version(self) -> dict[str, Any]:
        return {"version": 3, "sha256": "ab", "error": None}

    def instances(self) -> list[dict[str, Any]]:
        return [{"route": "many", "instances": [{"name": "a", "healthy": True}]}]


def ask(
    path: str, state: State | None = None, method: str = "GET", site: Any = None
) -> tuple[int, dict[str, str], bytes]:
    clock = Clock()
    site = site or AdminSite(state or State(), clock)
    transport = StringTransport()
    channel = site.buildProtocol(None)
    channel.callLater = clock.callLater
    channel.makeConnection(transport)
    channel.dataReceived(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
    head, _, body = transport.value().partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    parsed = dict(field.lower().split(": ", 1) for field in fields)
    return int(line.split()[1]), parsed, body


@pytest.mark.parametrize("path", LIVE + READY)
def test_a_gateway_that_serves_is_alive_and_ready(path: str) -> None:
    status, fields, body = ask(path)
    assert status == 200
    assert fields["content-type"] == "application/json"
    assert fields["server"] == "aigw"
    assert json.loads(body) == {"status": "ok"}


@pytest.mark.parametrize("path", LIVE)
def test_a_draining_gateway_is_alive(path: str) -> None:
    assert ask(path, State(ready=False))[0] == 200


@pytest.mark.parametrize("path", READY)
def test_a_draining_gateway_is_not_ready(path: str) -> None:
    status, _, body = ask(path, State(ready=False))
    assert status == 503
    assert json.loads(body) == {"status": "draining"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/health/", "/health/x", "/v1/x"])
def test_other_paths_are_no_health_checks(path: str) -> None:
    assert health(path, True) is None


def test_the_version_of_the_configuration_is_told() -> None:
    status, _, body = ask("/v1/config-version")
    assert status == 200
    assert json.loads(body) == {"version": 3, "sha256": "ab", "error": None}


@pytest.mark.parametrize(
    "path", ["/", "/x", "/v1", "/v1/", "/v1/x", "/healthz", "/healthz/live/x"]
)
def test_what_is_not_there_is_404_in_json(path: str) -> None:
    status, fields, body = ask(path)
    assert status == 404
    assert fields["content-type"] == "application/json"
    assert "error" in json.loads(body)


def test_head_tells_the_length_only() -> None:
    status, fields, body = ask("/healthz/ready", method="HEAD")
    assert (status, body) == (200, b"")
    assert fields["content-length"] == "15"


def test_other_methods_are_refused() -> None:
    status, fields, _ = ask("/healthz/live", method="POST")
    assert (status, fields["allow"]) == (405, "get, head")


def test_other_resources_are_mounted_beside() -> None:
    class Metrics(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return b"metrics"

    site = AdminSite(State(), Clock())
    site.root.putChild(b"metrics", Metrics())
    assert ask("/metrics", site=site)[2] == b"metrics"
    assert ask("/health", site=site)[0] == 200


@pytest.mark.parametrize("path", ["/v1/instances", "/v1/healthcheck"])
def test_what_is_known_of_instances_is_told(path: str) -> None:
    status, fields, body = ask(path)
    assert (status, fields["content-type"]) == (200, "application/json")
    assert json.loads(body) == State().instances()
