"""Nothing to sign with: the client is told, or another instance is asked."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.headers import first
from aigw.model.instance import Endpoint, Instance
from aigw.model.outcome import Outcome
from aigw.model.policy import Policy
from aigw.model.route import Route

from .site import JSON, Site

KEYS = {"aws": {"access_key_id": "a", "secret_access_key": "b"}}
PLACE = {"region": "eu-west-1"}
CONVERSE = b'{"messages":[]}'


def bedrock(name: str, **fields: Any) -> Instance:
    """An instance whose requests are signed, where it has a region."""
    endpoint = Endpoint("https", f"{name}.test", 443)
    return Instance(
        name, "bedrock", endpoint=endpoint, auth=KEYS, has_auth=True, **fields
    )


def site(*instances: Instance, **policy: Any) -> Site:
    several = Policy(**policy) if policy else None
    return Site(Route("bedrock", ("/model/*",), instances, policy=several))


def test_the_request_that_leaves_is_signed() -> None:
    here = site(bedrock("a", provider_conf=PLACE))
    here.ask(CONVERSE, target=b"/model/m/converse")
    outbound = here.call.outbound
    told = first(outbound.headers, b"authorization")
    assert told is not None
    assert told.startswith(b"AWS4-HMAC-SHA256 Credential=a/20270115/eu-west-1/bedrock")
    assert first(outbound.headers, b"host") == b"a.test"
    here.call.answer(200, JSON, b"{}")
    assert here.record.outcome is Outcome.COMPLETED


def test_a_request_that_cannot_be_signed_is_refused() -> None:
    here = site(bedrock("a"))
    client = here.ask(CONVERSE, target=b"/model/m/converse")
    assert client.status == 500
    told = msgspec.json.decode(client.written)
    assert told["error_msg"] == "failed to sign for aws: no region is configured"
    assert not here.upstream.calls
    assert (here.record.outcome, here.record.reason) == (
        Outcome.REFUSED,
        "credentials",
    )


def test_another_instance_is_asked_instead() -> None:
    here = site(
        bedrock("a"),
        bedrock("b", provider_conf=PLACE),
        statuses=frozenset({500}),
    )
    client = here.ask(CONVERSE, target=b"/model/m/converse")
    here.call.answer(200, JSON, b"{}")
    assert (client.status, client.written) == (200, b"{}")
    assert here.call.outbound.origin.host == "b.test"
    attempts = here.record.attempts
    assert [(one.instance, one.outcome, one.reason) for one in attempts] == [
        ("a", Outcome.BROKEN, "credentials"),
        ("b", Outcome.COMPLETED, ""),
    ]
    assert here.record.outcome is Outcome.COMPLETED


def test_where_no_other_is_asked_the_client_is_told_why() -> None:
    here = site(bedrock("a"), bedrock("b", provider_conf=PLACE), statuses=frozenset())
    client = here.ask(CONVERSE, target=b"/model/m/converse")
    assert client.status == 500
    assert not here.upstream.calls
    assert [one.instance for one in here.record.attempts] == ["a"]
