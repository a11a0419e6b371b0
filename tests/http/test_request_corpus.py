"""The parser of requests, held to its corpus and to two others."""

from __future__ import annotations

import random
from collections.abc import Iterable

import h11
import httptools
import pytest

from aigw.errors import GatewayError
from aigw.http.body import ChunkedBody, SizedBody
from aigw.http.limits import Limits
from aigw.http.request import HeadReader

from .request_corpus import CASES, CHUNKS, MORE, PARTS, Request

LIMITS = Limits()


def understood(pieces: Iterable[bytes]) -> tuple[tuple[Request, ...], int | None]:
    """What our parser makes of one connection's bytes, in the corpus's terms."""
    requests: list[Request] = []
    reader = HeadReader(LIMITS)
    head = None
    body: SizedBody | ChunkedBody | None = None
    taken = b""
    try:
        for piece in pieces:
            data = piece
            while data:
                if body is None:
                    head = reader.feed(data)
                    if head is None:
                        break
                    data = reader.rest
                    taken = b""
                    if head.length == 0:
                        requests.append((head.method.encode(), head.target, b""))
                        if not head.keep:
                            return tuple(requests), None
                        continue
                    body = (
                        ChunkedBody(LIMITS)
                        if head.length is None
                        else SizedBody(head.length)
                    )
                if data:
                    taken += body.feed(data)
                    data = body.rest
                if body.complete:
                    assert head is not None
                    requests.append((head.method.encode(), head.target, taken))
                    body = None
                    if not head.keep:
                        return tuple(requests), None
    except GatewayError as error:
        return tuple(requests), error.status
    return tuple(requests), MORE if body is not None or reader.begun else None


def splits(data: bytes, seed: int) -> list[bytes]:
    """``data`` cut at random, mostly into small pieces."""
    chance = random.Random(seed)
    pieces = []
    while data:
        size = chance.choice((1, 1, 2, 3, 7, 100, 5000))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def cut_in_all_ways(data: bytes) -> Iterable[list[bytes]]:
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for seed in range(5):
        yield splits(data, seed)


@pytest.mark.parametrize("part", PARTS)
def test_each_case_is_understood_as_it_is_meant_however_it_is_cut(part: str) -> None:
    wrong = [
        (case.name, pieces[:20], got)
        for case in PARTS[part]
        for pieces in cut_in_all_ways(case.data)
        if (got := understood(pieces)) != (case.requests, case.ends)
    ]
    assert not wrong


def test_the_corpus_is_large() -> None:
    assert len(CASES) > 150
    assert sum(case.ends not in (None, MORE) for case in CASES) > 100


# -- the oracles


class _Told:
    def __init__(self) -> None:
        self.requests: list[tuple[bytes, bytes]] = []
        self._body = b""

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self.requests.append((self.parser.get_method(), self._body))

    parser: httptools.HttpRequestParser


def by_httptools(data: bytes) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Methods and bodies of the complete requests; whether all was accepted."""
    told = _Told()
    told.parser = httptools.HttpRequestParser(told)
    try:
        told.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return told.requests, True
    except httptools.HttpParserError:
        return told.requests, False
    return told.requests, True


def by_h11(data: bytes) -> tuple[list[tuple[bytes, bytes]], bool]:
    """The same of h11."""
    requests: list[tuple[bytes, bytes]] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    method, body = b"", b""
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return requests, True
            if isinstance(event, h11.Request):
                method, body = event.method, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                requests.append((method, body))
                connection.send(h11.Response(status_code=204, headers=[]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return requests, True
                connection.start_next_cycle()
            elif event is h11.PAUSED:
                return requests, True
    except h11.ProtocolError:
        return requests, False


def hold_against_oracles(data: bytes) -> None:
    """
    What we understand, at least one of the two understands too, and none that accepts
    it reads something else.
    """
    ours, end = understood([data])
    if end not in (None, MORE) or not ours:
        return
    read = [(method, body) for method, _, body in ours]
    # h11 does not skip the empty line that RFC 9112, section 2.2, would have skipped.
    verdicts = [by_httptools(data), by_h11(data.removeprefix(b"\r\n"))]
    agreeing = [requests[: len(read)] == read for requests, _ in verdicts]
    assert any(agreeing), (data, ours, verdicts)
    for (requests, accepted), agrees in zip(verdicts, agreeing, strict=True):
        shorter = read[: len(requests)] == requests  # it stopped (1.0, close, upgrade)
        assert agrees or shorter or not accepted, (data, ours, requests)


def test_we_accept_nothing_that_both_oracles_refuse() -> None:
    for case in CASES:
        hold_against_oracles(case.data)


def test_mutated_requests_are_never_read_otherwise_than_by_the_oracles() -> None:
    chance = random.Random(20)
    seeds = [case.data for case in CASES if len(case.data) < 300]
    spice = [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b";", b",", b"0", b"1"]
    spice += [b"a", b"%", b"\x0b", b"\x80", b"chunked", b"Content-Length: 1\r\n"]
    accepted = 0
    for _ in range(20000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(len(data) + 1)
            how = chance.randrange(3)
            if how == 0:
                data[at:at] = chance.choice(spice)
            elif how == 1:
                data[at : at + chance.choice((1, 2, 5))] = b""
            else:
                data[at : at + 1] = chance.choice(spice)
        mutant = bytes(data)
        hold_against_oracles(mutant)
        whole = understood([mutant])
        accepted += bool(whole[0])
        cut = understood(splits(mutant, 1))
        assert cut[0] == whole[0], mutant
        # What is wrong in two ways may be refused for either.
        assert cut[1] == whole[1] or min(cut[1] or 0, whole[1] or 0) >= 400, mutant
    assert accepted > 1000, "the mutations must leave some requests good"


def test_the_oracles_do_accept_what_is_plainly_good() -> None:
    data = CASES[0].data
    assert by_httptools(data) == by_h11(data) == ([(b"GET", b"")], True)


def test_malformed_chunks_are_found_in_the_body_not_in_the_head() -> None:
    for case in CHUNKS:
        head_end = case.data.index(b"\r\n\r\n") + 4
        assert understood([case.data[:head_end]]) == ((), MORE), case.name
