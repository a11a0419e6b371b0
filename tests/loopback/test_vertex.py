"""A Google Cloud token is fetched before a request goes out, and whatever ends that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted

from aigw.model.outcome import Outcome
from tests.signing.tokens import Endpoint

from .client import post, until
from .conftest import Open


@pytest_twisted.async_yield_fixture()
async def tokens() -> AsyncIterator[Endpoint]:
    here = Endpoint()
    yield here
    await here.close()


def vertex(tokens: Endpoint, **gcp: Any) -> dict[str, Any]:
    """The fields of an instance of Vertex AI."""
    return {
        "provider": "vertex-ai",
        "provider_conf": {"project_id": "p", "region": "r"},
        "auth": {"gcp": {"service_account_json": tokens.key_file(), **gcp}},
    }


ASKED = post(
    b'{"model":"claude-mock-n2","max_tokens":9,'
    b'"messages":[{"role":"user","content":"x"}]}',
    "anthropic-version: 2023-06-01",
    path="/v1/messages",
)


@pytest_twisted.ensureDeferred
async def test_the_token_goes_along_and_is_kept(house: Open, tokens: Endpoint) -> None:
    here = house(**vertex(tokens))
    for _ in range(2):
        client = await here.ask(ASKED)
        assert (await client.ended()).status == 200
        sent = {name.lower(): value for name, value in (await here.seen()).headers}
        assert sent[b"authorization"] == b"Bearer token-1"
    assert len(tokens.tokens.asked) == 1


@pytest_twisted.ensureDeferred
async def test_requests_that_wait_share_one_token(
    house: Open, tokens: Endpoint
) -> None:
    here = house(**vertex(tokens))
    clients = [await here.ask(ASKED) for _ in range(5)]
    for client in clients:
        assert (await client.ended()).status == 200
    assert len(tokens.tokens.asked) == 1


@pytest_twisted.ensureDeferred
async def test_without_a_token_the_client_is_told(
    house: Open, tokens: Endpoint
) -> None:
    tokens.tokens.status = 403
    here = house(**vertex(tokens))
    client = await here.ask(ASKED)
    answer = await client.ended()
    assert answer.status == 500
    said = json.loads(answer.body)["error"]["message"]
    assert said.startswith("failed to get gcp access token")
    record = await here.record()
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "credentials")
    assert not here.mock.requests


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_a_token_is_fetched_is_gone(
    house: Open, tokens: Endpoint
) -> None:
    tokens.tokens.silent = True
    here = house(**vertex(tokens))
    client = await here.ask(ASKED)
    await until(lambda: tokens.tokens.asked)
    client.rst()
    record = await here.record()
    assert record.outcome is Outcome.CLIENT_GONE
    assert not here.mock.requests


@pytest_twisted.ensureDeferred
async def test_a_shutdown_does_not_wait_for_a_token(
    house: Open, tokens: Endpoint
) -> None:
    tokens.tokens.silent = True
    here = house(**vertex(tokens))
    client = await here.ask(ASKED)
    await until(lambda: tokens.tokens.asked)
    await here.gateway.drain(0)
    answer = await client.ended()
    assert answer.status == 503
    assert (await here.record()).reason == "shutdown"
