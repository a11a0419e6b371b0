"""What a stream's end must look like, to the client and in the record."""

from __future__ import annotations

import json

from aigw.model.outcome import Outcome

from .client import Client, until
from .house import House

BROKEN = "upstream_error"
TIMEOUT = "timeout"


def told(client: Client) -> dict[str, str]:
    """The error that the stream's last frame tells."""
    body = client.answer.body
    assert body.endswith(b"\n\n")
    last = body[:-2].rpartition(b"\n\n")[2]
    error: dict[str, str] = json.loads(last.removeprefix(b"data: "))["error"]
    assert b"[DONE]" not in body
    return error


async def cut(here: House, client: Client, outcome: Outcome, reason: str) -> None:
    """The answer must end without looking complete, and be recorded so."""
    await client.closed()
    assert not client.looks_complete
    record = await here.record()
    assert (record.outcome, record.reason) == (outcome, reason)
    assert record.status == client.answer.status == 200
    assert record.sent == len(client.answer.body)
    assert [attempt.outcome for attempt in record.attempts] == [outcome]


async def broken_after(here: House, client: Client, reason: str) -> None:
    """The provider broke off: what it had sent, an error frame, a cut."""
    await cut(here, client, Outcome.BROKEN, reason)
    assert told(client)["code"] == BROKEN
    assert client.answer.body.startswith(bytes((await here.seen()).sent))


async def limited_after(
    here: House, client: Client, reason: str, code: str = TIMEOUT
) -> None:
    """A limit ended it: what had come, an error frame, a cut, and the provider left."""
    await cut(here, client, Outcome.LIMIT, reason)
    assert told(client)["code"] == code
    seen = await here.seen()
    await until(lambda: seen.left)


async def refused(
    here: House,
    client: Client,
    status: int,
    outcome: Outcome,
    reason: str,
) -> None:
    """A failure before any output: a status, and a complete answer that tells it."""
    answer = await client.ended()
    assert client.looks_complete
    assert answer.status == status
    assert answer.headers[b"content-type"] == b"application/json"
    assert answer.json["error"]["message"]
    record = await here.record()
    assert (record.status, record.outcome) == (status, outcome)
    assert record.reason == reason
    assert record.sent == len(answer.body)
