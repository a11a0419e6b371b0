"""Deadlines and limits, wherever they strike: the answer, and what the record says."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.exchange.exchange import Exchange
from aigw.model.headers import first
from aigw.model.instance import Deadlines, Endpoint, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.policy import Policy
from aigw.model.record import Record
from aigw.model.route import Route

from .site import CHAT, JSON, Site, instance
from .test_serve import ANSWER, error_of


def named(name: str, **fields: Any) -> Instance:
    endpoint = Endpoint("http", f"{name}.test", 80)
    return Instance(name, "openai-compatible", endpoint=endpoint, **fields)


def several(*instances: Instance) -> Site:
    policy = Policy(statuses=frozenset({500}))
    return Site(Route("chat", ("/v1/*",), instances, policy=policy))


def ended(record: Record) -> tuple[str, str]:
    return str(record.outcome), record.reason


# -- before any instance was asked


def in_queue() -> tuple[Site, Any, Exchange]:
    """A site whose one slot is taken, a client that waits for it, its exchange."""
    site = several(named("a", max_concurrent=1))
    site.ask()
    client = site.ask()
    waits = next(each for each in site.serve.open if each.attempt is None)
    return site, client, waits


def test_a_deadline_in_the_queue_is_a_limit() -> None:
    site, client, waits = in_queue()
    waits.limit(1.0)
    site.wait(1.1)
    assert client.status == 504
    assert ended(site.record) == ("limit", "total")


def test_a_shutdown_in_the_queue_is_a_shutdown() -> None:
    site, client, waits = in_queue()
    waits.shut_down()
    assert client.status == 503
    assert ended(site.record) == ("shutdown", "shutdown")


# -- deadlines of one's own


def test_an_instance_without_a_total_is_not_held_to_anothers() -> None:
    site = several(named("a", deadlines=Deadlines(total=1.0)), named("b"))
    client = site.ask()
    site.wait(0.5)
    site.call.answer(500, JSON, b"{}")
    site.wait(2.0)
    site.call.answer(200, JSON, ANSWER)
    assert client.written == ANSWER
    assert site.record.outcome is Outcome.COMPLETED


def test_an_instance_has_its_own_total_though_another_has_more() -> None:
    site = several(
        named("a", deadlines=Deadlines(total=9.0)),
        named("b", deadlines=Deadlines(total=1.0)),
    )
    client = site.ask()
    site.call.answer(500, JSON, b"{}")
    site.wait(1.1)
    assert client.status == 504
    assert ended(site.record) == ("limit", "total")


# -- sizes


@pytest.mark.parametrize(("most", "status"), [(len(ANSWER), 200), (10, 502)])
def test_an_answer_may_be_as_long_as_the_limit(most: int, status: int) -> None:
    site = Site(streaming=Streaming(max_response_bytes=most))
    client = site.ask()
    length = (b"content-length", b"%d" % len(ANSWER))
    site.call.answer(200, [*JSON, length], ANSWER)
    assert client.status == status


def test_the_length_told_to_head_is_no_answer_of_that_length() -> None:
    site = Site(streaming=Streaming(max_response_bytes=10))
    client = site.ask(b"", method="HEAD", target=b"/v1/files/f", headers=[])
    site.call.answer(200, [(b"content-length", b"1000")], b"")
    assert client.status == 200
    assert first(client.answer, b"content-length") == b"1000"
    assert client.ended == "finish"


def test_nothing_is_sent_in_answer_to_head() -> None:
    site = Site()
    client = site.ask(b"", method="HEAD", target=b"/none", headers=[])
    assert client.status == 404
    assert client.writes == []
    assert site.record.sent == 0


def test_each_route_has_its_own_limit_of_a_body() -> None:
    def route(name: str, least: str, most: int) -> Route:
        return Route(
            name,
            ("/v1/*",),
            (instance(max_body=most),),
            test=lambda envelope, peer: envelope.model == least,
            reads_body=True,
        )

    site = Site(route("small", "m", 10), route("large", "other", 1000))
    client = site.ask(CHAT)
    assert client.status == 413
    assert error_of(client.written)["code"] == "request_too_large"
    assert not site.upstream.calls
