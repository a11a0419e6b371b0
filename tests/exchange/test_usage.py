"""How far the figures of a record can be trusted, however its answer ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aigw.framing import get
from aigw.model.instance import Streaming
from aigw.model.outcome import Outcome
from aigw.testing.downstream import MemoryDownstream
from tests.testing.samples import BODIES, FIXTURES

from .site import JSON, SSE, Site
from .test_every_pair import TARGETS
from .test_every_pair import site as asking

CLIENTS = ["anthropic-messages", "openai-chat", "gemini", "bedrock-converse"]


def begun(provider: str, client: str) -> tuple[Site, MemoryDownstream]:
    """A client of ``client``'s dialect that asked ``provider`` for a stream."""
    place = asking(provider)
    body = BODIES[client][0]
    target = TARGETS[client][1] or TARGETS[client][0]
    if not TARGETS[client][1]:
        body = body[:-1] + b',"stream":true}'
    asked = place.ask(body, target=target.encode(), headers=list(JSON))
    place.call.head(200, SSE)
    return place, asked


def frames(provider: str) -> list[bytes]:
    """A stream of ``provider``'s, frame by frame."""
    (path,) = (FIXTURES / provider).glob("plain.sse")
    sse = get("sse")
    return [sse.encode(frame) for frame in sse.decode(path.read_bytes())]


ERROR = (
    b"event: error\n"
    b'data: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_in_the_stream_leaves_them_partial(client: str) -> None:
    place, _ = begun("anthropic-messages", client)
    for frame in frames("anthropic-messages")[:4]:
        place.call.body(frame)
    place.call.body(ERROR)
    place.call.ended()
    record = place.record
    assert (record.outcome, record.reason) == (Outcome.FAILED, "error_in_stream")
    assert record.usage is not None
    assert (record.usage.prompt, record.usage_state) == (11, "partial")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_of_googles_that_ends_early_leaves_them_partial(client: str) -> None:
    place, _ = begun("gemini", client)
    place.call.body(frames("gemini")[0])
    place.call.ended()
    assert place.record.usage_state == "partial"


ENDS: dict[str, Callable[[Site, MemoryDownstream], None]] = {
    "the client leaves": lambda place, asked: asked.leave(),
    "the provider breaks off": lambda place, asked: place.call.failed(),
    "the provider ends it": lambda place, asked: place.call.ended(),
}


@pytest.mark.parametrize("how", sorted(ENDS))
@pytest.mark.parametrize("client", CLIENTS)
def test_behind_the_finish_reason_they_are_all_there(client: str, how: str) -> None:
    place, asked = begun("anthropic-messages", client)
    for frame in frames("anthropic-messages")[:-1]:  # all but message_stop
        place.call.body(frame)
    ENDS[how](place, asked)
    record = place.record
    assert record.usage is not None
    assert (record.usage.prompt, record.usage.output) == (11, 5)
    assert record.usage_state == "reported"


def test_who_leaves_a_stream_that_is_drained_still_has_them_reported() -> None:
    place = Site(streaming=Streaming(on_client_disconnect="drain"))
    path = FIXTURES / "openai-chat" / "plain.sse"
    asked = place.ask(
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,'
        b'"stream_options":{"include_usage":true}}'
    )
    place.call.head(200, SSE)
    data = path.read_bytes()
    place.call.body(data[:600])
    asked.leave()
    place.call.body(data[600:])
    record = place.record
    assert record.outcome is Outcome.CLIENT_GONE
    assert (record.usage_state, record.usage and record.usage.all) == ("reported", 16)


def test_what_many_vectors_took_is_metered() -> None:
    place = Site()
    client = place.ask(
        b'{"model":"e","input":["a","b"]}', target=b"/v1/embeddings", headers=[*JSON]
    )
    vector = b'{"object":"embedding","embedding":[%b0.5]},' % (b"0.125," * 20000)
    used = b'"model":"e","usage":{"prompt_tokens":4096,"total_tokens":4096}}'
    body = b'{"object":"list","data":[' + vector * 20 + b"{}]," + used
    place.call.head(200, list(JSON))
    for at in range(0, len(body), 65536):
        place.call.body(body[at : at + 65536])
    place.call.ended()
    assert client.written == body
    record = place.record
    assert record.usage is not None
    assert (record.usage.prompt, record.usage_state) == (4096, "reported")
