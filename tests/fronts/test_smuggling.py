"""No bytes of a client reach an exchange as another request than they are."""

from __future__ import annotations

import json

import pytest

from aigw.errors import GatewayError
from aigw.interfaces import IDownstream
from aigw.testing.front import KINDS, FrontPair
from tests.http.request_corpus import CASES, MORE, PARTS, Case, Request


class Provider:
    """Answers with 204 and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def __call__(self, downstream: IDownstream) -> None:
        try:
            body = await downstream.read(1 << 20)
        except GatewayError as error:
            downstream.start(error.status, [(b"content-length", b"0")])
        else:
            self.asked.append((downstream.method.encode(), downstream.target, body))
            downstream.start(204, [])
        downstream.finish()


def asked(kind: str, data: bytes, size: int) -> tuple[list[Request], bytes]:
    """What reached the provider of ``data``, sent in pieces; and what was answered."""
    provider = Provider()
    front = FrontPair(provider, kind)
    for at in range(0, len(data), size):
        front.wire.arrive(data[at : at + size])
    front.settle()
    answered = front.received()
    front.close()
    return provider.asked, answered


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_case_reaches_the_provider_as_something_else(kind: str, part: str) -> None:
    wrong = [
        (case.name, got)
        for case in PARTS[part]
        for size in (1 << 20, 1009, 7)
        if not harmless(case, got := asked(kind, case.data, size)[0])
    ]
    assert not wrong


def harmless(case: Case, got: list[Request]) -> bool:
    """Whether ``got`` are requests that were meant, and no others."""
    meant = case.requests or case.repaired
    return tuple(got) == meant[: len(got)]


def test_the_channel_serves_all_that_is_good_and_tells_why_not() -> None:
    for case in CASES:
        got, answered = asked("channel", case.data, 1 << 20)
        assert tuple(got) == case.requests, case.name
        answers = statuses(answered)
        expected = [204] * len(got)
        if case.ends not in (None, MORE):
            expected.append(case.ends)
        # A connection that 1.0 or the client has closed is asked for nothing more.
        assert answers in (expected, expected[: len(got)]), case.name


def statuses(answered: bytes) -> list[int]:
    """The statuses of answers that have no body, or end with the connection."""
    told = []
    while answered:
        head, _, answered = answered.partition(b"\r\n\r\n")
        told.append(int(head.split(b" ")[1]))
        if answered.startswith(b"{"):
            error = json.loads(answered)["error"]
            assert set(error) == {"message", "type", "param", "code"}
            assert b"\r\ncontent-type: application/json\r\n" in head
            assert b"\r\ncontent-length: %d\r\n" % len(answered) in head
            assert head.endswith(b"\r\nconnection: close")
            break
    return told
