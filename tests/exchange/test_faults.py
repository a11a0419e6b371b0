"""A bug, ours or of what third parties add, ends one exchange, and is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from twisted.python.failure import Failure

from aigw.framing.sse import SSE as Sse
from aigw.framing.sse import SSEDecoder
from aigw.model.headers import Headers
from aigw.model.instance import Deadlines
from aigw.model.outcome import Outcome
from aigw.model.policy import Hedge, Policy
from aigw.model.route import Route
from aigw.providers.openai import OpenAIStyle
from aigw.providers.presets import PRESETS

from .site import SSE, STREAM, Site, instance
from .test_serve import HELLO, error_of

FAULTY: Headers = [(b"content-type", b"text/x-faulty")]


class Mistake(Exception):
    """Somebody's bug."""


def mistake(*_: Any, **__: Any) -> NoReturn:
    raise Mistake


class FaultyProvider(OpenAIStyle):
    """An OpenAI-like provider that breaks in one of its methods."""

    def __init__(self, method: str) -> None:
        named = {preset.name: preset for preset in PRESETS}
        super().__init__(named["openai-compatible"])
        setattr(self, method, mistake)


class FaultyDecoder(SSEDecoder):
    def feed(self, data: bytes) -> list[Any]:
        if b"bad" in data:
            raise Mistake
        return super().feed(data)


class FaultyFraming(Sse):
    """SSE under another name, whose decoder breaks at the word ``bad``."""

    name = "faulty"
    content_type = "text/x-faulty"

    def __init__(self, decoder: Callable[[int], SSEDecoder] = FaultyDecoder) -> None:
        self._decoder = decoder

    def decoder(self, limit: int | None = None) -> SSEDecoder:
        return self._decoder(limit or self.max_remainder)

    def whole(self, buf: bytes) -> bool:
        return False


@pytest.fixture(params=["alone", "one of several"])
def route(request: pytest.FixtureRequest) -> Route:
    if request.param == "alone":
        return Route("chat", ("/v1/*",), (instance(deadlines=Deadlines(total=2.0)),))
    policy = Policy(statuses=frozenset({500}))
    return Route("chat", ("/v1/*",), (instance(), instance()), policy=policy)


def mistakes(failures: list[Failure]) -> int:
    """How many were logged; they are taken out."""
    found = [failure for failure in failures if failure.check(Mistake)]
    for failure in found:
        failures.remove(failure)
    return len(found)


def is_told(site: Site, client: Any) -> None:
    """The client has its answer, the log its line, and nothing is left."""
    assert client.status == 500
    assert error_of(client.written)["type"] == "server_error"
    assert "Mistake" not in client.written.decode()
    assert client.ended == "finish"
    assert site.record.status == 500
    assert site.record.reason == "internal"
    is_over(site)


def is_over(site: Site) -> None:
    assert not site.serve.open
    site.wait(3)
    assert not site.clock.getDelayedCalls()


def test_a_provider_that_breaks_in_prepare(
    route: Route, logged_failures: list[Failure]
) -> None:
    site = Site(route, providers=[FaultyProvider("prepare")])
    client = site.ask()
    is_told(site, client)
    assert site.record.outcome is Outcome.REFUSED
    assert mistakes(logged_failures) == 1


def test_a_provider_that_breaks_in_judge(logged_failures: list[Failure]) -> None:
    policy = Policy(statuses=frozenset({500}))
    limits = Deadlines(first_byte=1.0, stream=2.0)
    two = instance(deadlines=limits), instance(deadlines=limits)
    site = Site(
        Route("chat", ("/v1/*",), two, policy=policy),
        providers=[FaultyProvider("judge")],
    )
    client = site.ask(STREAM)
    site.call.head(200, SSE)
    assert site.call.stopped
    is_told(site, client)
    assert site.record.outcome is Outcome.BROKEN
    assert [each.reason for each in site.record.attempts] == ["internal"]
    assert mistakes(logged_failures) == 1


def test_a_provider_that_breaks_in_judge_in_a_race(
    logged_failures: list[Failure],
) -> None:
    policy = Policy(statuses=frozenset({500}), hedge=Hedge(0.2))
    limits = Deadlines(first_byte=1.0, stream=2.0)
    two = instance(deadlines=limits), instance(deadlines=limits)
    site = Site(
        Route("chat", ("/v1/*",), two, policy=policy),
        providers=[FaultyProvider("judge")],
    )
    client = site.ask(STREAM)
    site.wait(0.3)
    one, other = site.upstream.calls
    other.head(200, SSE)
    assert one.stopped
    assert other.stopped
    is_told(site, client)
    told = [(each.outcome, each.reason) for each in site.record.attempts]
    assert told == [(Outcome.HEDGED, "hedged"), (Outcome.BROKEN, "internal")]
    assert mistakes(logged_failures) == 1


def test_a_framing_that_makes_no_decoder(
    route: Route, logged_failures: list[Failure]
) -> None:
    site = Site(route, framings=[FaultyFraming(mistake)])
    client = site.ask(STREAM)
    site.call.head(200, FAULTY)
    assert site.call.stopped
    is_told(site, client)
    assert mistakes(logged_failures) == 1


def test_a_decoder_that_breaks_before_output(
    route: Route, logged_failures: list[Failure]
) -> None:
    site = Site(route, framings=[FaultyFraming()])
    client = site.ask(STREAM)
    site.call.head(200, FAULTY)
    site.call.body(b"data: bad\n\n")
    assert site.call.stopped
    is_told(site, client)
    assert mistakes(logged_failures) == 1


def test_a_decoder_that_breaks_after_output_is_a_cut(
    route: Route, logged_failures: list[Failure]
) -> None:
    site = Site(route, framings=[FaultyFraming()])
    client = site.ask(STREAM)
    site.call.head(200, FAULTY)
    site.call.body(HELLO)
    site.call.body(b"data: bad\n\n")
    assert client.written == HELLO
    assert client.ended == "cut"
    assert site.call.stopped
    assert (site.record.outcome, site.record.reason) == (Outcome.BROKEN, "internal")
    is_over(site)
    assert mistakes(logged_failures) == 1
