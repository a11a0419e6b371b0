"""The official ``openai`` client, pointed at the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import openai
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from aigw.model.outcome import Outcome

from .conftest import Open
from .house import House

Result = TypeVar("Result")

ASKED: Any = [{"role": "user", "content": "What is a stream?"}]


async def using(here: House, call: Callable[[openai.OpenAI], Result]) -> Result:
    """What ``call`` returns when given a client, in a thread of its own."""

    def run() -> Result:
        with openai.OpenAI(
            api_key="sk-client",
            base_url=f"http://127.0.0.1:{here.port}/v1",
            max_retries=0,
            timeout=10,
        ) as client:
            return call(client)

    return await deferToThread(run)


@pytest_twisted.ensureDeferred
async def test_chat(house: Open) -> None:
    here = house()
    answer = await using(
        here,
        lambda client: client.chat.completions.create(model="mock", messages=ASKED),
    )
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    record = await here.record()
    assert record.usage is not None
    assert record.usage.output == answer.usage.completion_tokens
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, False)
    # With no credential of the gateway's own, the client's passes.
    seen = await here.seen()
    assert (b"Authorization", b"Bearer sk-client") in [
        (name.title(), value) for name, value in seen.headers
    ]


@pytest.mark.parametrize("usage", ["hide", "inject", "client"])
@pytest_twisted.ensureDeferred
async def test_streamed_chat(house: Open, usage: str) -> None:
    here = house(stream_usage=usage)

    def call(client: openai.OpenAI) -> list[Any]:
        return list(
            client.chat.completions.create(
                model="mock-n7-d5", messages=ASKED, stream=True
            )
        )

    chunks = await using(here, call)
    texts = [
        chunk.choices[0].delta.content
        for chunk in chunks
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(texts) == 7
    shown = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(shown) == (1 if usage == "inject" else 0)
    record = await here.record()
    assert (record.outcome, record.stream) == (Outcome.COMPLETED, True)
    assert record.usage_state == ("none" if usage == "client" else "reported")


@pytest_twisted.ensureDeferred
async def test_streamed_chat_with_usage_asked_for(house: Open) -> None:
    here = house(stream_usage="hide")

    def call(client: openai.OpenAI) -> list[Any]:
        return list(
            client.chat.completions.create(
                model="mock-n7",
                messages=ASKED,
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    chunks = await using(here, call)
    assert chunks[-1].usage.completion_tokens == 7


@pytest_twisted.ensureDeferred
async def test_embeddings(house: Open) -> None:
    here = house()
    answer = await using(
        here,
        lambda client: client.embeddings.create(model="mock", input=["one", "two"]),
    )
    assert [item.index for item in answer.data] == [0, 1]
    assert len(answer.data[0].embedding) == 16
    assert answer.data[0].embedding != answer.data[1].embedding
    assert (await here.record()).dialect == "openai-embeddings"


@pytest_twisted.ensureDeferred
async def test_models(house: Open) -> None:
    here = house()
    models = await using(here, lambda client: client.models.list())
    assert "mock" in [model.id for model in models.data]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
@pytest_twisted.ensureDeferred
async def test_the_providers_error_is_the_clients(
    house: Open, status: int, error: type[openai.APIStatusError], stream: bool
) -> None:
    here = house()

    def call(client: openai.OpenAI) -> openai.APIStatusError:
        with pytest.raises(error) as raised:
            client.chat.completions.create(
                model=f"mock-status{status}", messages=ASKED, stream=stream
            )
        return raised.value

    told = await using(here, call)
    assert told.status_code == status
    assert f"status {status}" in told.message
    assert told.response.headers["x-aigw-request-id"]
    record = await here.record()
    assert (record.outcome, record.status) == (Outcome.FAILED, status)


@pytest_twisted.ensureDeferred
async def test_a_rate_limit_keeps_its_retry_after(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> openai.RateLimitError:
        with pytest.raises(openai.RateLimitError) as raised:
            client.chat.completions.create(
                model="mock-status429-retry7", messages=ASKED
            )
        return raised.value

    told = await using(here, call)
    assert told.response.headers["retry-after"] == "7"
    assert told.code == "rate_limit_exceeded"


@pytest_twisted.ensureDeferred
async def test_the_gateways_own_errors_are_the_clients(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> tuple[str, str]:
        with pytest.raises(openai.InternalServerError) as raised:
            client.chat.completions.create(model="mock-fin0", messages=ASKED)
        with pytest.raises(openai.NotFoundError):
            client.with_options(
                base_url=f"http://127.0.0.1:{here.port}/elsewhere"
            ).models.list()
        return raised.value.message, str(raised.value.code)

    message, code = await using(here, call)
    assert "closed the connection" in message
    assert code == "upstream_error"


def broken(model: str) -> Callable[[openai.OpenAI], Any]:
    """A stream that must raise: how many chunks came before, and what was raised."""

    def call(client: openai.OpenAI) -> tuple[int, Exception | None]:
        seen = 0
        try:
            for _chunk in client.chat.completions.create(
                model=model, messages=ASKED, stream=True
            ):
                seen += 1
        except Exception as error:
            return seen, error
        return seen, None

    return call


@pytest.mark.parametrize("knob", ["fin5", "rst5"])
@pytest_twisted.ensureDeferred
async def test_a_stream_that_broke_raises(house: Open, knob: str) -> None:
    here = house()
    seen, told = await using(here, broken(f"mock-n20-d5-{knob}"))
    assert seen == 5
    assert isinstance(told, openai.APIError)
    assert told.code == "upstream_error"


@pytest_twisted.ensureDeferred
async def test_a_stream_cut_in_mid_frame_raises(house: Open) -> None:
    here = house()
    seen, told = await using(here, broken("mock-n20-d5-mid5"))
    assert seen == 5
    # No frame can tell it: the missing end of the body does.
    assert isinstance(told, openai.APIError)


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_its_stream_stops_the_provider(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> None:
        with client.chat.completions.create(
            model="mock-n1000-d10", messages=ASKED, stream=True
        ) as stream:
            for _ in range(3):
                next(stream)

    await using(here, call)
    assert (await here.record()).outcome is Outcome.CLIENT_GONE
    seen = await here.seen()
    await here.mock.until(lambda: seen.left)
