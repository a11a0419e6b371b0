"""
Whatever a client speaks, and whatever an instance is to be asked in: each chat dialect
reaches an upstream that speaks each of them, whole and streamed.
"""

from __future__ import annotations

import pytest

from aigw.framing import get
from aigw.model.headers import Headers, first
from aigw.model.instance import Endpoint, Instance, Streaming
from aigw.model.outcome import Outcome
from aigw.model.route import Route
from tests.testing.samples import BODIES, FIXTURES, chunks

from .site import JSON, Site

#: How each is asked for a whole answer, and for a stream.
TARGETS = {
    "openai-chat": ("/v1/chat/completions", ""),
    "openai-responses": ("/v1/responses", ""),
    "anthropic-messages": ("/v1/messages", ""),
    "bedrock-converse": ("/model/m/converse", "/model/m/converse-stream"),
    "bedrock-invoke": ("/model/m/invoke", "/model/m/invoke-with-response-stream"),
    "gemini": (
        "/v1beta/models/m:generateContent",
        "/v1beta/models/m:streamGenerateContent?alt=sse",
    ),
    "vertex-raw-predict": (
        "/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict",
        "/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict",
    ),
}
#: Who is asked in each.
PROVIDERS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "bedrock-converse": "bedrock",
    "bedrock-invoke": "bedrock",
    "gemini": "gemini",
    "vertex-raw-predict": "vertex-ai",
}
CARRIED = {"bedrock-invoke", "vertex-raw-predict"}


def answer(dialect: str, streamed: bool) -> tuple[Headers, bytes]:
    """What a provider answers that speaks ``dialect``."""
    held = "anthropic-messages" if dialect in CARRIED else dialect
    if not streamed:
        return list(JSON), (FIXTURES / held / "plain.json").read_bytes()
    (path,) = (FIXTURES / held).glob("plain.[es]*s*e*")
    data = path.read_bytes()
    if dialect == "bedrock-invoke":
        data = chunks(data)
    events = "bedrock" in dialect
    kind = "application/vnd.amazon.eventstream" if events else "text/event-stream"
    return [(b"content-type", kind.encode())], data


def site(dialect: str) -> Site:
    one = Instance(
        "one",
        PROVIDERS[dialect],
        endpoint=Endpoint("http", "provider.test", 80),
        provider_conf={"region": "l", "project_id": "p", "dialect": dialect},
        streaming=Streaming(flush=0.0),
    )
    return Site(Route("all", ("/*",), (one,)))


PAIRS = [
    (client, provider, streamed)
    for client in TARGETS
    for provider in TARGETS
    for streamed in (False, True)
]


@pytest.mark.parametrize(("client", "provider", "streamed"), PAIRS)
def test_each_pair_is_reached(client: str, provider: str, streamed: bool) -> None:
    place = site(provider)
    target = TARGETS[client][streamed] or TARGETS[client][0]
    body = BODIES[client][0]
    if streamed and not TARGETS[client][1]:
        body = body[:-1] + b',"stream":true}'
    asked = place.ask(body, target=target.encode(), headers=list(JSON))
    outbound = place.call.outbound
    wanted = TARGETS[provider][streamed] or TARGETS[provider][0]
    assert outbound.target.decode() == wanted
    assert outbound.stream is streamed
    if "bedrock" in provider or provider == "gemini":
        assert b'"stream"' not in outbound.body  # refused there
    headers, data = answer(provider, streamed)
    place.call.head(200, headers)
    place.call.body(data)
    place.call.ended()
    assert (asked.status, asked.ended) == (200, "finish"), asked.written
    record = place.record
    assert record.outcome is Outcome.COMPLETED
    assert record.usage_state == "reported"
    assert record.stream is streamed
    kind = first(asked.answer, b"content-type")
    assert kind == answer(client, streamed)[0][0][1]
    if streamed:
        framing = "aws-eventstream" if "bedrock" in client else "sse"
        assert get(framing).decode(asked.written)
