"""
Several instances, and clients of every dialect: one clean answer from another instance
whatever the first does, before an answer has begun, while it does not begin, and when
it breaks off. The provider's own counts show that nothing was asked for twice.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

if TYPE_CHECKING:
    from .many import Many

Open = Callable[..., "Many"]

NAMES = (
    "anthropic-messages",
    "bedrock-converse",
    "gemini",
    "openai-chat",
    "openai-responses",
)
#: How a provider's streams are framed, and the fields that make an instance one such.
PROVIDERS: dict[str, dict[str, Any]] = {
    "sse": {"provider": "openai-compatible"},
    "eventstream": {
        "provider": "bedrock",
        "provider_conf": {"region": "us-east-1"},
        "auth": {"header": {"Authorization": "Bearer k"}},
    },
}
#: What the first instance does, and how long it may take to be left, seconds.
FAILURES = {
    "500": ("mock-status500", 1.0),
    "429": ("mock-status429-retry30", 1.0),
    "reset": ("mock-rst0", 1.0),
    "no head": ("mock-nohead", 1.5),
    "error in a 200": ("mock-error0", 1.0),
    "error behind the role": ("mock-error1", 1.0),
}
WELL = "mock-n3"


def check(name: str, body: bytes) -> None:
    """It is one answer, from its beginning to its end, and tells no error."""
    from .speaking import DIALECTS

    asking = DIALECTS[name]
    if asking.begins:
        assert body.count(asking.begins) == 1
    assert body.count(asking.ends) == 1
    assert asking.fails not in body


@pytest.mark.parametrize("how", sorted(FAILURES))
@pytest.mark.parametrize("framing", sorted(PROVIDERS))
@pytest.mark.parametrize("name", NAMES)
@pytest_twisted.ensureDeferred
async def test_the_other_answers_whole(
    many: Open, name: str, framing: str, how: str
) -> None:
    from .client import reactor, until
    from .speaking import DIALECTS, text_of

    model, seconds = FAILURES[how]
    here = many(
        {"a": model, "b": WELL},
        each=PROVIDERS[framing],
        fallback_strategy=["http_429", "http_5xx"],
        timeouts={"first_byte_ms": 300},
        timeout=500,
    )
    for number in range(2):
        begun = reactor.seconds()
        client = await here.ask(DIALECTS[name].request())
        answer = await client.ended()
        assert reactor.seconds() - begun < seconds
        assert answer.status == 200, answer.body
        assert client.looks_complete
        check(name, answer.body)
        assert text_of(name, answer.body)
        await until(lambda number=number: len(here.kept.records) == number + 1)
    assert here.times(WELL) == 2
    assert here.times(model) == sum(
        len(record.attempts) == 2 for record in here.kept.records
    )
    assert here.times(model) >= 1


@pytest.mark.parametrize("framing", sorted(PROVIDERS))
@pytest.mark.parametrize("name", NAMES)
@pytest_twisted.ensureDeferred
async def test_who_is_slow_is_outrun_and_stopped(
    many: Open, name: str, framing: str
) -> None:
    from .client import reactor, until
    from .speaking import DIALECTS, text_of

    slow = "mock-n200-d20-g400"
    here = many(
        {"a": slow, "b": WELL},
        each=PROVIDERS[framing],
        hedge={"delay_ms": 100},
        # One is always asked first.
        balancer={"algorithm": "chash", "key": "uri"},
    )
    begun = reactor.seconds()
    client = await here.ask(DIALECTS[name].request())
    answer = await client.ended()
    took = reactor.seconds() - begun
    check(name, answer.body)
    await until(lambda: here.kept.records)
    (record,) = here.kept.records
    assert str(record.outcome) == "completed"
    if len(record.attempts) == 1:  # the quick one was asked first
        assert here.times(slow) == 0
        return
    assert took < 0.5
    outcomes = {each.instance: str(each.outcome) for each in record.attempts}
    assert outcomes == {"a": "hedged", "b": "completed"}
    assert text_of(name, answer.body)
    # The provider knows, too: one answer was told whole, and of the other at most
    # what it sends before any content.
    lost, won = (
        next(seen for seen in here.mock.requests if model in _asked(seen))
        for model in (slow, WELL)
    )
    await until(lambda: lost.state == "left")
    assert won.state == "complete"
    assert lost.events <= 2


@pytest.mark.parametrize(
    ("name", "framing", "how", "after"),
    [
        *product(NAMES, sorted(PROVIDERS), ["rst", "error"], [9]),
        *product(NAMES, sorted(PROVIDERS), ["fin"], [2]),
        *product(["openai-chat"], ["sse"], ["fin", "mid", "stall"], [9]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_that_breaks_is_gone_on_with(
    many: Open, name: str, framing: str, how: str, after: int
) -> None:
    from .client import until
    from .speaking import DIALECTS, text_of

    breaking = f"mock-n50-d2-{how}{after}"
    here = many(
        {"a": breaking, "b": WELL},
        each={**PROVIDERS[framing], "prefill": True},
        on_stream_failure="continue",
        fallback_strategy=["http_5xx"],
        timeouts={"idle_ms": 200},
    )
    texts: list[str] = []
    for number in range(2):
        client = await here.ask(DIALECTS[name].request())
        answer = await client.ended()
        assert answer.status == 200
        assert client.looks_complete
        check(name, answer.body)
        texts.append(text_of(name, answer.body))
        await until(lambda number=number: len(here.kept.records) == number + 1)
    assert here.times(breaking) == 1
    assert here.times(WELL) == 2
    plain, broken = sorted(here.kept.records, key=lambda each: len(each.attempts))
    assert [each.instance for each in plain.attempts] == ["b"]
    assert [each.instance for each in broken.attempts] == ["a", "b"]
    assert str(broken.outcome) == "completed"
    seam = broken.attempts[1].seam
    if after > 2:
        assert seam
        # What the first one used at last is not known.
        assert broken.usage_state != "reported"
    # What was told before the seam stands before what is told behind it.
    of_plain, of_broken = (
        texts[here.kept.records.index(record)] for record in (plain, broken)
    )
    assert len(of_broken.encode()) == seam + len(of_plain.encode())
    assert of_broken.endswith(of_plain)


def _asked(seen: Any) -> str:
    return str((seen.line + seen.body).decode())
