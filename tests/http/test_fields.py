"""Header fields of requests are tidied, and few of them held more than once."""

from __future__ import annotations

from sys import getallocatedblocks

from aigw.http.fields import tidied


def request(name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    """Fields as they come from the wire: nothing in them is shared."""
    return [(bytes(bytearray(name)), bytes(bytearray(value)))]


def test_names_are_lowered_and_blanks_behind_values_dropped() -> None:
    for _ in range(2):
        assert tidied(request(b"User-Agent", b"x \t")) == [(b"user-agent", b"x")]
        assert tidied(request(b"X-Mine", b" y ")) == [(b"x-mine", b" y")]


def test_what_clients_send_alike_is_held_once() -> None:
    first, second = (tidied(request(b"Accept", b"text/event-stream")) for _ in "12")
    assert first[0] is second[0]


def test_secrets_are_not_held() -> None:
    for name in (b"authorization", b"x-api-key", b"api-key", b"cookie"):
        first, second = (tidied(request(name, b"sk-1")) for _ in "12")
        assert first == second
        assert first[0] is not second[0]


def test_a_client_that_never_sends_the_same_fills_no_memory() -> None:
    before = getallocatedblocks()
    for number in range(10_000):
        agent = b"agent %d" % number
        assert tidied(request(b"user-agent", agent)) == [(b"user-agent", agent)]
    assert getallocatedblocks() - before < 5_000
