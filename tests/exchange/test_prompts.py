"""Prompts: not held beside the answers that they were given."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from aigw.model.instance import Streaming
from aigw.model.policy import Hedge
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall, MemoryUpstream
from tests.holding import holds

from .site import SSE, Site
from .test_serve import DONE, HELLO, ROLE, STOP
from .test_tries import CLAUDE, instance, many

#: Those of the client, and of the call that the test plays.
_OTHERS = 2


def prompt() -> bytes:
    """A body that goes to the provider as it is, and that nobody else has."""
    messages = b'[{"role":"user","content":"%b"}]' % (b"word " * 1000)
    asks = b'"stream_options":{"include_usage":true}'
    return b'{"model":"m","messages":%b,"stream":true,%b}' % (messages, asks)


def one() -> Site:
    return Site(streaming=Streaming(usage="client"))


def hedged() -> Site:
    return many(instance("a"), instance("b"), hedge=Hedge(delay=1.0, max=1))


@pytest.mark.parametrize("make", [one, many, hedged])
def test_prompt_is_let_go_of_when_nobody_else_will_be_asked(
    make: Callable[[], Site],
) -> None:
    site, body = make(), prompt()
    before = sys.getrefcount(body)
    client = site.ask(body)
    assert sys.getrefcount(body) > before + _OTHERS
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    assert sys.getrefcount(body) == before + _OTHERS
    assert site.call.outbound.body is body
    site.call.body(STOP + DONE)
    site.call.ended()
    assert client.written == ROLE + HELLO + STOP + DONE
    assert site.record.received == len(body)


MESSAGE = (
    b'{"model":"m","max_tokens":9,"stream":true,'
    b'"messages":[{"role":"user","content":"a long story"}]}'
)


@pytest.mark.parametrize("make", [one, many])
def test_no_prompt_is_held_in_neutral_words_either(make: Callable[[], Site]) -> None:
    site = make()
    client = site.ask(MESSAGE, target=b"/v1/messages", headers=CLAUDE)
    [exchange] = site.serve.open
    played = (MemoryCall, MemoryDownstream, MemoryUpstream)
    assert holds(exchange, "a long story", *played)
    site.call.head(200, SSE)
    site.call.body(ROLE + HELLO)
    assert not holds(exchange, "a long story", *played)
    assert client.written.startswith(b"event: message_start")
    client.leave()
