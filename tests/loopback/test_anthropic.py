"""The official ``anthropic`` client, pointed at the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anthropic
import openai
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from aigw.model.outcome import Outcome

from .client import post
from .conftest import Open
from .house import House

Result = TypeVar("Result")

ASKED: Any = [{"role": "user", "content": "What is a stream?"}]
OURS: Any = {
    "provider": "anthropic",
    "auth": {"header": {"x-api-key": "sk-gateway"}},
}


async def using(here: House, call: Callable[[anthropic.Anthropic], Result]) -> Result:
    """What ``call`` returns when given a client, in a thread of its own."""

    def run() -> Result:
        with anthropic.Anthropic(
            api_key="sk-client",
            base_url=f"http://127.0.0.1:{here.port}",
            max_retries=0,
            timeout=10,
        ) as client:
            return call(client)

    return await deferToThread(run)


async def sent(here: House) -> dict[bytes, bytes]:
    """The fields that reached the provider."""
    return {name.lower(): value for name, value in (await here.seen()).headers}


@pytest_twisted.ensureDeferred
async def test_messages(house: Open) -> None:
    here = house(**OURS)
    message = await using(
        here,
        lambda client: client.messages.create(
            model="mock-n5", max_tokens=100, messages=ASKED
        ),
    )
    assert message.stop_reason == "end_turn"
    fields = await sent(here)
    assert fields[b"x-api-key"] == b"sk-gateway"
    # The client's own, whichever that is.
    version = anthropic.Anthropic(api_key="k").default_headers["anthropic-version"]
    assert fields[b"anthropic-version"] == str(version).encode()
    assert (await here.seen()).line == b"POST /v1/messages HTTP/1.1"
    record = await here.record()
    assert (record.outcome, record.model) == (Outcome.COMPLETED, "mock-n5")


@pytest.mark.parametrize("model", ["mock-n7-d5", "mock-tools", "mock-thinking"])
@pytest_twisted.ensureDeferred
async def test_streamed_messages(house: Open, model: str) -> None:
    here = house(**OURS)

    def call(client: anthropic.Anthropic) -> anthropic.types.Message:
        with client.messages.stream(
            model=model, max_tokens=100, messages=ASKED
        ) as stream:
            return stream.get_final_message()

    message = await using(here, call)
    assert message.stop_reason in ("end_turn", "tool_use")
    record = await here.record()
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, True)


@pytest_twisted.ensureDeferred
async def test_a_stream_passes_byte_for_byte_and_gets_its_version(house: Open) -> None:
    here = house(**OURS)
    body = b'{"model":"mock-tools", "max_tokens":9, "stream":true, "messages":[]}'
    client = await here.ask(post(body, path="/v1/messages?beta=true"))
    answer = await client.ended()
    assert client.looks_complete
    seen = await here.seen()
    assert answer.body == bytes(seen.sent)
    assert seen.body == body
    assert seen.line == b"POST /v1/messages?beta=true HTTP/1.1"
    assert (await sent(here))[b"anthropic-version"] == b"2023-06-01"


@pytest_twisted.ensureDeferred
async def test_tokens_are_counted(house: Open) -> None:
    here = house(**OURS)
    counted = await using(
        here,
        lambda client: client.messages.count_tokens(model="mock", messages=ASKED),
    )
    assert counted.input_tokens == 14
    assert (await here.seen()).line == b"POST /v1/messages/count_tokens HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_the_providers_own(
    house: Open, status: int, error: type[anthropic.APIStatusError]
) -> None:
    here = house(**OURS)
    with pytest.raises(error) as refused:
        await using(
            here,
            lambda client: client.messages.create(
                model=f"mock-status{status}-retry2", max_tokens=1, messages=ASKED
            ),
        )
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["type"] == "error"
    assert refused.value.response.headers["retry-after"] == "2"


@pytest_twisted.ensureDeferred
async def test_the_compatible_chat_endpoint_serves_openai_clients(house: Open) -> None:
    here = house(**OURS)

    def call() -> Any:
        with openai.OpenAI(
            api_key="sk-client",
            base_url=f"http://127.0.0.1:{here.port}/v1",
            max_retries=0,
            timeout=10,
        ) as client:
            return client.chat.completions.create(model="mock", messages=ASKED)

    answer = await deferToThread(call)
    assert answer.choices[0].message.content
    fields = await sent(here)
    assert fields[b"x-api-key"] == b"sk-gateway"
    assert b"authorization" not in fields
