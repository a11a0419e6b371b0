"""The endpoints that are no chat, asked by the official ``openai`` client."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import openai
import pytest
import pytest_twisted

from aigw.model.outcome import Outcome

from .conftest import Open
from .test_openai import using

DATA = bytes(range(256)) * 4099  # about a megabyte, and no text
TOLD = f"{len(DATA)} {hashlib.sha256(DATA).hexdigest()}"


@pytest_twisted.ensureDeferred
async def test_a_file_is_uploaded_as_it_is(house: Open) -> None:
    here = house()
    file = await using(
        here,
        lambda client: client.files.create(file=("a.jsonl", DATA), purpose="batch"),
    )
    assert file.id == f"file-{hashlib.sha256(DATA).hexdigest()}"
    assert (file.bytes, file.filename, file.purpose) == (len(DATA), "a.jsonl", "batch")
    record, seen = await here.record(), await here.seen()
    assert record.received == len(seen.body) > len(DATA)
    assert (record.outcome, record.status) == (Outcome.COMPLETED, 200)
    fields = {name.lower(): value for name, value in seen.headers}
    assert fields[b"content-length"] == b"%d" % len(seen.body)
    assert fields[b"content-type"].startswith(b"multipart/form-data; boundary=")


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
@pytest.mark.parametrize("kind", ["transcriptions", "translations"])
@pytest_twisted.ensureDeferred
async def test_speech_is_heard(house: Open, kind: str) -> None:
    def call(client: openai.OpenAI) -> Any:
        asked = getattr(client.audio, kind)
        return asked.create(model="whisper-1", file=("a.wav", io.BytesIO(DATA)))

    assert (await using(house(), call)).text == TOLD


@pytest_twisted.ensureDeferred
async def test_a_picture_is_edited(house: Open) -> None:
    answer = await using(
        house(),
        lambda client: client.images.edit(image=("a.png", DATA), prompt="a hat"),
    )
    assert answer.data is not None
    assert answer.data[0].revised_prompt == TOLD


@pytest_twisted.ensureDeferred
async def test_a_picture_is_made(house: Open) -> None:
    answer = await using(house(), lambda client: client.images.generate(prompt="a cat"))
    assert answer.data is not None
    assert answer.data[0].b64_json


@pytest_twisted.ensureDeferred
async def test_speech_comes_as_the_bytes_it_is(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> tuple[str | None, bytes]:
        with client.audio.speech.with_streaming_response.create(
            model="mock-n20-s50000", input="hi", voice="alloy"
        ) as answer:
            kind = answer.headers.get("content-type")
            return kind, b"".join(answer.iter_bytes())

    kind, data = await using(here, call)
    assert kind == "audio/mpeg"
    assert data == (await here.seen()).sent
    assert len(data) == 1_000_000
    record = await here.record()
    assert (record.sent, record.outcome) == (len(data), Outcome.COMPLETED)
    assert record.usage is None


@pytest_twisted.ensureDeferred
async def test_files_are_listed_told_read_and_deleted(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> tuple[Any, ...]:
        content = client.files.content(
            "file-1", extra_headers={"x-mock": "n=3, s=70000"}
        )
        return (
            [file.id for file in client.files.list()],
            client.files.retrieve("file-1").id,
            content.read(),
            client.files.delete("file-1").deleted,
        )

    listed, told, content, deleted = await using(here, call)
    assert (listed, told, deleted) == (["file-mock"], "file-1", True)
    assert len(content) == 210_000
    methods = [seen.request.method for seen in here.mock.requests]
    assert methods == ["GET", "GET", "GET", "DELETE"]


@pytest_twisted.ensureDeferred
async def test_a_batch_is_made_told_listed_and_cancelled(house: Open) -> None:
    def call(client: openai.OpenAI) -> list[Any]:
        batches = client.batches
        made = batches.create(
            input_file_id="file-1",
            endpoint="/v1/chat/completions",
            completion_window="24h",
        )
        return [
            made.status,
            batches.retrieve("batch_1").status,
            batches.list().data[0].id,
            batches.cancel("batch_1").status,
        ]

    told = await using(house(), call)
    assert told == ["validating", "completed", "batch_mock", "cancelling"]


@pytest_twisted.ensureDeferred
async def test_completions_and_moderations(house: Open) -> None:
    here = house()

    def call(client: openai.OpenAI) -> tuple[str, int, int]:
        one = client.completions.create(model="mock", prompt="hi")
        streamed = client.completions.create(model="mock", prompt="hi", stream=True)
        count = len(list(streamed))
        return (
            one.choices[0].text,
            count,
            len(client.moderations.create(input="x").results),
        )

    text, count, results = await using(here, call)
    assert text
    assert count > 1
    assert results == 1


@pytest_twisted.ensureDeferred
async def test_what_is_no_json_on_a_chat_path_is_refused(house: Open) -> None:
    def call(client: openai.OpenAI) -> Any:
        return client.post(
            "/chat/completions",
            cast_to=object,
            content=b"model=m",
            options={"headers": {"content-type": "text/plain"}},
        )

    with pytest.raises(openai.BadRequestError, match="only application/json"):
        await using(house(), call)


@pytest_twisted.ensureDeferred
async def test_an_upload_over_its_limit_is_refused(house: Open) -> None:
    here = house(max_upload_size=1000)
    with pytest.raises(openai.APIStatusError) as raised:
        await using(
            here,
            lambda client: client.files.create(file=("a", DATA), purpose="batch"),
        )
    assert raised.value.status_code == 413
    assert not here.mock.requests
    assert (await here.record()).outcome is Outcome.REFUSED
