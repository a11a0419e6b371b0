"""boto3, pointed at the gateway, which signs what it sends to Bedrock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import pytest
import pytest_twisted
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from twisted.internet.threads import deferToThread

from aigw.mock.seen import Seen
from aigw.model.outcome import Outcome
from tests.signing.verifier import verify

from .client import post
from .conftest import Open
from .house import House

Result = TypeVar("Result")

ASKED: Any = [{"role": "user", "content": [{"text": "What is a stream?"}]}]
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIGNED: Any = {
    "provider": "bedrock",
    "provider_conf": {"region": "eu-west-1"},
    "auth": {"aws": {"access_key_id": "AKIDGATEWAY", "secret_access_key": SECRET}},
}
ARN = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.mock:0"


async def using(
    here: House, call: Callable[[Any], Result], *, signed: bool = True
) -> Result:
    """What ``call`` returns when given a client, in a thread of its own."""
    config = Config(
        retries={"total_max_attempts": 1},
        read_timeout=10,
        **({} if signed else {"signature_version": UNSIGNED}),
    )

    def run() -> Result:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{here.port}",
            aws_access_key_id="dummy",
            aws_secret_access_key="dummy",
            config=config,
        )
        try:
            return call(client)
        finally:
            client.close()

    return await deferToThread(run)


def verified(seen: Seen) -> tuple[str, list[str]]:
    """Verify what reached the provider as AWS would."""
    method, target, _ = seen.line.split(b" ")
    fields = [(name.decode(), value.decode()) for name, value in seen.headers]
    return verify(method.decode(), target, fields, seen.body, SECRET)


@pytest.mark.parametrize("signed", [True, False])
@pytest_twisted.ensureDeferred
async def test_converse(house: Open, signed: bool) -> None:
    here = house(**SIGNED)
    answer = await using(
        here,
        lambda client: client.converse(modelId="us.mock-n5:0", messages=ASKED),
        signed=signed,
    )
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["outputTokens"] == 5
    seen = await here.seen()
    assert seen.line == b"POST /model/us.mock-n5%3A0/converse HTTP/1.1"
    scope, names = verified(seen)
    assert scope.startswith("AKIDGATEWAY/")
    assert scope.endswith("/eu-west-1/bedrock")
    assert names == ["host", "x-amz-date"]
    record = await here.record()
    assert record.outcome is Outcome.COMPLETED
    assert record.model == "us.mock-n5:0"


@pytest_twisted.ensureDeferred
async def test_converse_stream(house: Open) -> None:
    here = house(**SIGNED)

    def call(client: Any) -> list[Any]:
        answer = client.converse_stream(modelId=ARN, messages=ASKED)
        return list(answer["stream"])

    events = await using(here, call)
    assert "messageStart" in events[0]
    assert events[-1]["metadata"]["usage"]["outputTokens"]
    said = "".join(
        event["contentBlockDelta"]["delta"]["text"]
        for event in events
        if "contentBlockDelta" in event
    )
    assert said.startswith("A stream is")
    seen = await here.seen()
    assert seen.line == (
        b"POST /model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3A"
        b"inference-profile%2Fus.mock%3A0/converse-stream HTTP/1.1"
    )
    verified(seen)
    record = await here.record()
    assert (record.stream, record.model) == (True, ARN)


@pytest_twisted.ensureDeferred
async def test_frames_are_relayed_byte_for_byte(house: Open) -> None:
    here = house(**SIGNED)
    body = b'{"messages":[],"stream":true}'
    client = await here.ask(post(body, path="/model/mock-tools/converse-stream"))
    answer = await client.ended()
    assert answer.headers[b"content-type"] == b"application/vnd.amazon.eventstream"
    seen = await here.seen()
    assert answer.body == bytes(seen.sent)
    assert seen.body == b'{"messages":[]}'
    verified(seen)


@pytest_twisted.ensureDeferred
async def test_no_heartbeat_of_another_framing_comes_before_the_frames(
    house: Open,
) -> None:
    here = house(heartbeat_interval_ms=50, **SIGNED)
    client = await here.ask(
        post(b'{"messages":[]}', path="/model/mock-f200/converse-stream")
    )
    answer = await client.ended()
    assert answer.status == 200
    assert answer.body == bytes((await here.seen()).sent)


@pytest_twisted.ensureDeferred
async def test_a_session_token_goes_along(house: Open) -> None:
    aws = {**SIGNED["auth"]["aws"], "session_token": "token"}
    here = house(**{**SIGNED, "auth": {"aws": aws}})
    await using(here, lambda c: c.converse(modelId="mock", messages=ASKED))
    _, names = verified(await here.seen())
    assert names == ["host", "x-amz-date", "x-amz-security-token"]


@pytest_twisted.ensureDeferred
async def test_keys_of_the_environment_are_found(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRON")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    here = house(**{**SIGNED, "auth": {"aws": {}}})
    for _ in range(2):
        body = b'{"messages":[]}'
        client = await here.ask(post(body, path="/model/mock/converse"))
        assert (await client.ended()).status == 200
        assert verified(await here.seen())[0].startswith("AKIDENVIRON/")


@pytest_twisted.ensureDeferred
async def test_a_bearer_key_is_sent_instead_of_a_signature(house: Open) -> None:
    auth = {"aws": {}, "header": {"Authorization": "Bearer bedrock-key"}}
    here = house(**{**SIGNED, "auth": auth})
    await using(here, lambda c: c.converse(modelId="mock", messages=ASKED))
    sent = {name.lower(): value for name, value in (await here.seen()).headers}
    assert sent[b"authorization"] == b"Bearer bedrock-key"
    assert not any(name.startswith(b"x-amz-") for name in sent)


@pytest_twisted.ensureDeferred
async def test_the_configured_model_replaces_the_clients(house: Open) -> None:
    here = house(**SIGNED, options={"model": "mock-n2"})
    answer = await using(here, lambda c: c.converse(modelId="other", messages=ASKED))
    assert answer["usage"]["outputTokens"] == 2
    seen = await here.seen()
    assert seen.line == b"POST /model/mock-n2/converse HTTP/1.1"
    verified(seen)


@pytest.mark.parametrize(
    ("status", "name"),
    [(429, "ThrottlingException"), (400, "ValidationException")],
)
@pytest_twisted.ensureDeferred
async def test_errors_keep_their_type(house: Open, status: int, name: str) -> None:
    here = house(**SIGNED)

    def call(client: Any) -> Any:
        # The traceback would hold the connection; so it ends here.
        try:
            return client.converse(modelId=f"mock-status{status}", messages=ASKED)
        except ClientError as error:
            return error.response

    error = await using(here, call)
    assert error["Error"]["Code"] == name
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest_twisted.ensureDeferred
async def test_large_bodies_are_signed_too(house: Open) -> None:
    here = house(**SIGNED)
    text = "x" * (5 * 1024 * 1024)
    messages = [{"role": "user", "content": [{"text": text}]}]
    await using(here, lambda c: c.converse(modelId="mock-n1", messages=messages))
    seen = await here.seen()
    assert len(seen.body) > len(text)
    verified(seen)
