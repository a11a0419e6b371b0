"""Uploads and large downloads: what is held, by whom, and how they end."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_twisted
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from aigw.model.outcome import Outcome

from .client import reactor, until
from .conftest import Open
from .house import House, still
from .taker import Taker
from .test_memory import Alone

SIZE = 50_000_000
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
TOO_LARGE = (
    b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\n"
    b'Content-Length: 27\r\nConnection: close\r\n\r\n{"error":{"message":"big"}}'
)


@pytest.fixture
def front(request: pytest.FixtureRequest) -> str:
    """The daemon's own: twisted.web's has read a body before it tells of it."""
    name: str = getattr(request, "param", "channel")
    return name


both_fronts = pytest.mark.parametrize("front", ["site", "channel"], indirect=True)

Serve = Callable[..., Taker]


@pytest_twisted.async_yield_fixture()
async def taker() -> AsyncIterator[Serve]:
    """Opens providers; all are closed at the test's end."""
    opened: list[Taker] = []

    def serve(**settings: bool) -> Taker:
        opened.append(Taker(**settings))
        return opened[-1]

    yield serve
    for each in opened:
        await each.close()


def behind(house: Open, provider: Taker, **fields: Any) -> House:
    return house(override={"endpoint": provider.endpoint}, **fields)


def head(*fields: str, path: str = "/v1/files") -> bytes:
    kind = "Content-Type: multipart/form-data; boundary=x"
    lines = [f"POST {path} HTTP/1.1", "Host: gateway.test", kind, *fields, "", ""]
    return "\r\n".join(lines).encode()


def received(here: House) -> int:
    """Bytes of body that the gateway has taken from the client of its one exchange."""
    (exchange,) = here.gateway.serve.open
    return exchange.record.received


async def settled(here: House) -> int:
    """What it has taken, once that grows no more."""
    await until(lambda: here.gateway.serve.open)
    size = -1
    while size != received(here):
        size = received(here)
        await deferLater(reactor, 0.1)
    return size


@pytest_twisted.ensureDeferred
async def test_a_provider_that_takes_nothing_holds_the_client(
    house: Open, taker: Serve
) -> None:
    provider = taker(slow=True)
    here = behind(house, provider)
    body = bytes(SIZE)
    client = await here.ask(head(f"Content-Length: {SIZE}") + body)
    taken = await provider.asked()
    assert 0 < await settled(here) < 10_000_000
    assert b"content-length: %d\r\n" % SIZE in taken.head
    taken.transport.resumeProducing()
    await until(lambda: taken.size == SIZE, 20)
    assert taken.digest.digest() == hashlib.sha256(body).digest()
    taken.answer(OK)
    assert (await client.ended()).body == b"{}"
    record = await here.record()
    assert (record.outcome, record.received) == (Outcome.COMPLETED, SIZE)


@pytest_twisted.ensureDeferred
async def test_a_provider_that_goes_on_taking_nothing_is_given_up(
    house: Open, taker: Serve
) -> None:
    here = behind(house, taker(slow=True), timeout=300)
    client = await here.ask(head(f"Content-Length: {SIZE}") + bytes(SIZE))
    answer = await client.ended()
    assert answer.status == 504
    record = await here.record()
    assert record.attempts[0].reason == "send"


@both_fronts
@pytest_twisted.ensureDeferred
async def test_a_chunked_upload_is_sent_on(house: Open, taker: Serve) -> None:
    provider = taker()
    here = behind(house, provider)
    client = await here.ask(head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
    if here.front == "channel":
        await until(lambda: provider.taken and provider.taken[-1].size)
        assert provider.taken[-1].tail == b"3\r\nabc\r\n"
    client.send(b"2\r\nde\r\n0\r\n\r\n")
    taken = await provider.asked()
    if here.front == "channel":
        assert b"transfer-encoding: chunked\r\n" in taken.head
        assert b"content-length" not in taken.head
    await until(lambda: taken.tail.endswith(b"0\r\n\r\n"))
    taken.answer(OK)
    assert (await client.ended()).status == 200
    assert (await here.record()).received == 5


@pytest_twisted.ensureDeferred
async def test_who_waits_for_100_continue_hears_it_when_a_provider_is_there(
    house: Open, taker: Serve
) -> None:
    provider = taker()
    here = behind(house, provider)
    client = await here.ask(head("Content-Length: 5", "Expect: 100-continue"))
    taken = await provider.asked()
    assert b"expect" not in taken.head.lower()
    await until(lambda: client.raw == b"HTTP/1.1 100 Continue\r\n\r\n")
    client.send(b"abcde")
    await until(lambda: taken.tail == b"abcde")
    taken.answer(OK)
    await until(lambda: client.raw.endswith(b"{}"))


@pytest_twisted.ensureDeferred
async def test_who_waits_for_100_continue_is_refused_without_it(house: Open) -> None:
    here = house(max_upload_size=4)
    client = await here.ask(head("Content-Length: 5", "Expect: 100-continue"))
    assert (await client.ended()).status == 413


@both_fronts
@pytest_twisted.ensureDeferred
async def test_a_provider_that_answers_before_the_end_is_heard(
    house: Open, taker: Serve
) -> None:
    provider = taker(slow=True)
    here = behind(house, provider)
    body = bytes(2_000_000)
    client = await here.ask(head(f"Content-Length: {len(body)}") + body)
    taken = await provider.asked()
    taken.answer(TOO_LARGE, close=True)
    answer = await client.ended()
    assert (answer.status, answer.json) == (413, {"error": {"message": "big"}})
    record = await here.record()
    assert (record.status, record.outcome) == (413, Outcome.FAILED)
    await until(lambda: taken.gone is not None)


@pytest_twisted.ensureDeferred
async def test_the_connection_is_closed_behind_an_answer_that_came_early(
    house: Open, taker: Serve
) -> None:
    provider = taker()
    here = behind(house, provider)
    client = await here.ask(head(f"Content-Length: {SIZE}") + bytes(1000))
    (await provider.asked()).answer(OK)
    assert (await client.ended()).status == 200
    await client.closed(8)
    await until(lambda: provider.taken[0].gone is not None)


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_takes_its_upload_along(
    house: Open, taker: Serve
) -> None:
    provider = taker()
    here = behind(house, provider)
    client = await here.ask(head(f"Content-Length: {SIZE}") + bytes(1000))
    taken = await provider.asked()
    await until(lambda: taken.size == 1000)
    client.rst()
    await until(lambda: taken.gone is not None)
    record = await here.record()
    assert record.outcome is Outcome.CLIENT_GONE
    assert [each.outcome for each in record.attempts] == [Outcome.CLIENT_GONE]


@pytest_twisted.ensureDeferred
async def test_a_malformed_upload_is_the_clients_fault(
    house: Open, taker: Serve
) -> None:
    provider = taker()
    here = behind(house, provider)
    client = await here.ask(head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
    taken = await provider.asked()
    client.send(b"no size\r\n")
    assert (await client.ended()).status == 400
    await until(lambda: taken.gone is not None)
    assert not taken.tail.endswith(b"0\r\n\r\n")
    assert (await here.record()).outcome is Outcome.REFUSED


@pytest_twisted.ensureDeferred
async def test_an_upload_that_grows_over_its_limit_is_cut(
    house: Open, taker: Serve
) -> None:
    provider = taker()
    here = behind(house, provider, max_upload_size=4)
    client = await here.ask(head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n")
    taken = await provider.asked()
    client.send(b"3\r\ndef\r\n")
    assert (await client.ended()).status == 413
    await until(lambda: taken.gone is not None)


@both_fronts
@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_slowly_holds_a_download(house: Open) -> None:
    here = house()
    request = b"GET /v1/files/f/content HTTP/1.1\r\nHost: a\r\nx-mock: endless, s=65536"
    client = await here.ask(request + b"\r\n\r\n", receive_buffer=65536)
    client.pause()
    seen = await here.seen()
    await still(seen)
    client.rst()
    record = await here.record()
    assert record.outcome is Outcome.CLIENT_GONE


@pytest_twisted.ensureDeferred
async def test_a_large_file_goes_through_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(SIZE)
    alone = Alone("channel")
    try:
        await until(lambda: alone.memory)
        before = alone.memory

        def run() -> openai.types.FileObject:
            with openai.OpenAI(
                api_key="k",
                base_url=f"http://127.0.0.1:{alone.port}/v1",
                max_retries=0,
            ) as client:
                return client.files.create(file=path, purpose="batch")

        most = 0
        uploading = deferToThread(run)
        while not uploading.called:
            most = max(most, alone.memory)
            await deferLater(reactor, 0.005)
        file_object = await uploading
        assert file_object.bytes == SIZE
        assert most - before < 8_000_000
    finally:
        await alone.close()
