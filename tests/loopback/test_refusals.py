"""Requests that reach nobody: each is told why, and has exactly one record."""

from __future__ import annotations

import json

import pytest
import pytest_twisted

from aigw.model.outcome import Outcome

from .client import chat, post
from .conftest import Open

DEEP = b'{"model":"m","messages":' + b"[" * 5000 + b"]" * 5000 + b"}"
TWICE = b'{"model":"cheap","model":"dear","messages":[]}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (TWICE, "model"),
        (b'{"model":"m","messages":["\xff\xfe"]}', "UTF-8"),
        (DEEP, "deep"),
        (b'{"model":"m",', "JSON"),
        (b"[1,2,3]", "object"),
    ],
    ids=["repeated key", "bad UTF-8", "too deep", "no JSON", "no object"],
)
@pytest_twisted.ensureDeferred
async def test_bodies_that_may_be_read_in_two_ways_are_a_400(
    house: Open, body: bytes, said: str
) -> None:
    here = house()
    client = await here.ask(post(body))
    answer = await client.ended()
    assert answer.status == 400
    error = answer.json["error"]
    assert error["type"] == "invalid_request_error"
    assert said.lower() in error["message"].lower()
    assert not here.mock.requests
    record = await here.record()
    assert (record.status, record.outcome) == (400, Outcome.REFUSED)
    assert record.received == len(body)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/..%2ffiles",
        "/v1/chat/%2e%2e/files",
        "/v1/chat/../files",
        "/v1//chat/completions",
    ],
)
@pytest_twisted.ensureDeferred
async def test_paths_that_climb_reach_nobody(house: Open, path: str) -> None:
    here = house()
    client = await here.ask(post(chat("mock"), path=path))
    answer = await client.ended()
    assert answer.status in (400, 404)
    assert answer.json["error"]["message"]
    assert not here.mock.requests
    record = await here.record()
    assert (record.status, record.outcome) == (answer.status, Outcome.REFUSED)
    assert record.method == "POST"


@pytest_twisted.ensureDeferred
async def test_a_websocket_is_a_501(house: Open) -> None:
    here = house()
    client = await here.ask(
        b"GET /v1/realtime HTTP/1.1\r\nHost: gateway.test\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"X-Request-Id: mine\r\n\r\n"
    )
    answer = await client.ended()
    assert answer.status == 501
    assert "WebSocket" in answer.json["error"]["message"]
    assert not here.mock.requests
    record = await here.record()
    assert (record.status, record.outcome) == (501, Outcome.REFUSED)
    assert (record.method, record.path) == ("GET", "/v1/realtime")
    assert (record.host, record.client_request_id) == ("gateway.test", "mine")
    assert record.sent == len(answer.body)


@pytest_twisted.ensureDeferred
async def test_other_upgrades_are_ignored(house: Open) -> None:
    here = house()
    offer = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMA",
    )
    client = await here.ask(post(chat("mock-n3", stream=False), *offer))
    assert (await client.ended()).status == 200
    seen = await here.seen()
    assert not {b"upgrade", b"http2-settings"} & {n.lower() for n, _ in seen.headers}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(chat("mock"), path="/v2/elsewhere"), 404),
        (post(b"a=b").replace(b"application/json", b"text/plain;q=1  "), 400),
        (post(b"x" * 3000), 413),
    ],
    ids=["no route", "no JSON", "too large"],
)
@pytest_twisted.ensureDeferred
async def test_what_no_route_takes_is_told_and_recorded_once(
    house: Open, request_: bytes, status: int
) -> None:
    here = house(max_req_body_size=2048)
    client = await here.ask(request_)
    answer = await client.ended()
    assert answer.status == status
    assert json.loads(answer.body)["error"]["message"]
    record = await here.record()
    assert (record.status, record.outcome) == (status, Outcome.REFUSED)
    assert not here.mock.requests


@pytest_twisted.ensureDeferred
async def test_a_body_over_the_fronts_own_limit_has_its_record_too(house: Open) -> None:
    here = house()
    head = post(b"").replace(b"Content-Length: 0", b"Content-Length: 99999999999")
    client = await here.ask(head)
    answer = await client.ended()
    assert answer.status == 413
    record = await here.record()
    assert (record.status, record.outcome) == (413, Outcome.REFUSED)
