"""Health checks with several workers: one prober, and all heed what it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .programs import Daemon, chat, free_port, get, mock_provider, wait_for

pytestmark = pytest.mark.process


def instance(name: str, port: int) -> dict[str, Any]:
    return {
        "name": name,
        "provider": "openai-compatible",
        "weight": 1,
        "auth": {},
        "override": {"endpoint": f"http://127.0.0.1:{port}"},
        "checks": {
            "active": {
                "http_path": "/v1/models",
                "unhealthy": {"tcp_failures": 1},
                "healthy": {"successes": 1},
            }
        },
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_leaves_an_unhealthy_instance_alone(
    tmp_path: Path, workers: int
) -> None:
    with mock_provider(tmp_path) as provider:
        daemon = Daemon(tmp_path, provider, workers=workers)
        # No fallback: a request that went to the dead one would fail.
        multi = {"instances": [instance("a", provider), instance("b", free_port())]}
        daemon.config["routes"][0]["plugins"] = {"ai-proxy-multi": multi}

        def known() -> list[bool]:
            (route,) = json.loads(get(daemon.admin, "/v1/instances")[1])
            return [each["healthy"] for each in route["instances"]]

        with daemon.running():
            wait_for(lambda: known() == [True, False], "the probes")
            # Its news reaches the workers a moment later.
            wait_for(lambda: chat(daemon.port)[0] == 200, "the workers")
            assert [chat(daemon.port)[0] for _ in range(12)] == [200] * 12
            probes = [
                each
                for each in json.loads(get(provider, "/stats")[1])["seen"]
                if "GET /v1/models" in each["line"]
            ]
            # One a second, whatever the number of workers.
            at = [each["received_at"] for each in probes]
            assert len(at) <= 2 + (at[-1] - at[0])
            assert daemon.terminate() < 0
