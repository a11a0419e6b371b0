"""What is no chat, asked by the clients of Anthropic, Google and AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import anthropic
import boto3
import openai
import pytest
import pytest_twisted
from botocore import UNSIGNED
from botocore.config import Config
from google import genai
from google.genai import types
from twisted.internet.threads import deferToThread

from .conftest import Open
from .house import House
from .test_openai import using

Result = TypeVar("Result")

ASKED: Any = [{"role": "user", "content": "hi"}]


async def with_anthropic(
    here: House, call: Callable[[anthropic.Anthropic], Result]
) -> Result:
    def run() -> Result:
        url = f"http://127.0.0.1:{here.port}"
        with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            return call(client)

    return await deferToThread(run)


@pytest_twisted.ensureDeferred
async def test_tokens_are_counted(house: Open) -> None:
    here = house(provider="anthropic")
    counted = await with_anthropic(
        here,
        lambda client: client.messages.count_tokens(model="mock", messages=ASKED),
    )
    assert counted.input_tokens > 0
    seen = await here.seen()
    assert seen.line == b"POST /v1/messages/count_tokens HTTP/1.1"


@pytest.mark.parametrize("models_from", [None, "upstream"])
@pytest_twisted.ensureDeferred
async def test_models_are_listed(house: Open, models_from: str | None) -> None:
    here = house(provider="anthropic", models_from=models_from)
    listed = await with_anthropic(here, lambda client: list(client.models.list()))
    assert [model.type for model in listed] == ["model"] * len(listed)
    one = await with_anthropic(
        here, lambda client: client.models.retrieve(listed[0].id)
    )
    assert one.id == listed[0].id


@pytest_twisted.ensureDeferred
async def test_models_of_upstream_are_listed_for_openais_client(house: Open) -> None:
    here = house(models_from="upstream")
    listed = await using(here, lambda client: list(client.models.list()))
    assert len(listed) > 1
    one = await using(here, lambda client: client.models.retrieve(listed[0].id))
    assert one == listed[0]
    assert len(here.mock.requests) == 1
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await using(here, lambda client: client.models.retrieve("none"))


@pytest_twisted.ensureDeferred
async def test_a_model_is_invoked(house: Open) -> None:
    here = house()

    def run() -> Any:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{here.port}",
            config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}),
        )
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 9,
            "messages": ASKED,
        }
        answer = client.invoke_model(
            modelId="anthropic.mock",
            body=json.dumps(body),
            contentType="application/json",
        )
        told = json.loads(answer["body"].read())
        client.close()
        return told

    told = await deferToThread(run)
    assert told["type"] == "message"
    assert (await here.seen()).line.endswith(b"/model/anthropic.mock/invoke HTTP/1.1")


@pytest.mark.parametrize("models_from", [None, "upstream"])
@pytest_twisted.ensureDeferred
async def test_googles_client_lists_and_counts(
    house: Open, models_from: str | None
) -> None:
    key = {"header": {"x-goog-api-key": "own"}}
    here = house(provider="gemini", models_from=models_from, auth=key)

    def run() -> tuple[list[str], str, int]:
        url = f"http://127.0.0.1:{here.port}"
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))
        try:
            listed = [str(model.name) for model in client.models.list()]
            one = client.models.get(model=listed[0])
            counted = client.models.count_tokens(model="mock", contents="hi")
            return listed, str(one.name), counted.total_tokens or 0
        finally:
            client.close()

    listed, one, counted = await deferToThread(run)
    assert all(name.startswith("models/") for name in listed)
    assert one == listed[0]
    assert counted > 0
