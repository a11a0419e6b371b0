"""Messages on Vertex AI, as the official client asks for them."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from .client import Served, post

ASKED: Any = [{"role": "user", "content": "What is a stream?"}]
PATH = "/v1/projects/p/locations/l/publishers/anthropic/models/mock-n5:rawPredict"
BODY = {
    "anthropic_version": "vertex-2023-10-16",
    "max_tokens": 9,
    "messages": ASKED,
}


@pytest_twisted.ensureDeferred
async def test_the_official_client_is_answered(served: Served) -> None:
    def work() -> tuple[str, str, int]:
        with anthropic.AnthropicVertex(
            region="europe-west1",
            project_id="p",
            access_token="t",
            base_url=f"{served.url}/v1",
            max_retries=0,
        ) as client:
            given: Any = {"model": "mock-n5", "max_tokens": 9, "messages": ASKED}
            one = client.messages.create(**given)
            with client.messages.stream(**given) as stream:
                told = stream.get_final_text()
            counted = client.messages.count_tokens(model="mock", messages=ASKED)
            return one.content[0].text, told, counted.input_tokens  # type: ignore[union-attr]

    whole, streamed, counted = await deferToThread(work)
    assert whole == streamed == "A stream is a promise"
    assert counted == 14


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"anthropic_version": "bedrock-2023-05-31"}, "anthropic_version"),
        ({"model": "mock"}, "model: Extra inputs are not permitted"),
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_vertex_refuses_is_refused(
    served: Served, changed: Any, words: str
) -> None:
    body = {**BODY, **changed}
    got = await served.ask(post(PATH, body, "Authorization: Bearer t"))
    assert got.status == 400
    assert words in got.json["error"]["message"]


@pytest_twisted.ensureDeferred
async def test_who_has_no_token_is_refused(served: Served) -> None:
    assert (await served.ask(post(PATH, BODY))).status == 401
