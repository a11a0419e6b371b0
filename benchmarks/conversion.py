"""
What converting a stream costs, in µs an event: ``python -m benchmarks.conversion``.

Rows are what providers speak, columns what clients do. Where they meet in one dialect
the bytes pass, with a tap beside; every other cell is what conversion costs in all. One
event a read, as tokens come. Each figure is the best of several runs, in CPU time of
this process. The target is issue 3's, for the pair it names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aigw import dialects, framing
from aigw.interfaces import IChatDialect, IFraming
from aigw.model import event as events
from aigw.model.call import Call
from aigw.model.event import Event
from aigw.model.finish import Finish
from aigw.model.rendered import Rendered
from aigw.model.usage import Usage
from aigw.streaming.convert import Converted
from aigw.streaming.passthrough import Passthrough

from .framing import best

#: Events of a stream; what stands around them counts too, and is lost among so many.
COUNT = 2000
NAMES = (
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "bedrock-converse",
    "gemini",
)
#: Client and provider, and the most µs an event beyond passthrough.
TARGET = ("openai-chat", "anthropic-messages", 25.0)


def told(block: events.BlockOpened, pieces: list[Event]) -> list[Event]:
    """A stream of one block."""
    reason = Finish.TOOL_CALLS if block.kind == "tool" else Finish.STOP
    return [
        events.Started(id="answer-1", model="m"),
        block,
        *pieces,
        events.BlockClosed(0, 0),
        events.Finished(0, reason),
        events.UsageReport(Usage(input=10, output=COUNT)),
        events.Ended(),
    ]


def texts(count: int = COUNT) -> list[Event]:
    opened = events.BlockOpened(0, 0, "text")
    return told(opened, [events.Text(0, 0, " word")] * count)


def arguments(count: int = COUNT) -> list[Event]:
    opened = events.BlockOpened(0, 0, "tool", "call_1", "f")
    inner: list[Event] = [events.Arguments(0, 0, '"word",')] * (count - 2)
    begun, ended = events.Arguments(0, 0, '{"a":['), events.Arguments(0, 0, '""]}')
    return told(opened, [begun, *inner, ended])


def chat(name: str) -> IChatDialect:
    return IChatDialect(dialects.get(name))


def of(name: str) -> IFraming:
    return framing.get(chat(name).framing)


def call(name: str) -> Call:
    return Call(origin=name, model="m", messages=(), stream=True, include_usage=True)


def frames(name: str, stream: list[Event]) -> list[bytes]:
    """A provider's stream, a frame each."""
    writer = chat(name).writer(call(name), 0, "r")
    encode = of(name).encode
    return [encode(frame) for event in stream for frame in writer.feed(event)]


def way(provider: str, client: str) -> Any:
    """What stands between the two."""
    if provider == client:
        return Passthrough(of(client), chat(client).tap(), terminates=True)
    return Converted(
        of(provider),
        chat(provider).reader(Rendered(b"")),
        chat(client).writer(call(client), 0, "r"),
        of(client),
    )


def cost(provider: str, client: str, stream: list[Event]) -> float | None:
    """µs of one event; None where the provider does not tell them one by one."""
    reads = frames(provider, stream)
    if len(reads) < len(stream) // 2:
        return None

    def run() -> None:
        feed = way(provider, client).feed
        for data in reads:
            feed(data)

    return best(run) * 1e6 / len(reads)


def table(what: str, stream: list[Event]) -> dict[tuple[str, str], float]:
    """Measure and print all pairs; ``-`` where there is nothing to measure."""
    print(f"{what + ', µs/event':24}" + "".join(f"{name:>20}" for name in NAMES))
    found: dict[tuple[str, str], float] = {}
    for provider in NAMES:
        row = []
        for client in NAMES:
            figure = cost(provider, client, stream)
            row.append(f"{'-':>20}" if figure is None else f"{figure:20.2f}")
            if figure is not None:
                found[provider, client] = figure
        print(f"{provider:24}" + "".join(row))
    return found


def main() -> None:
    kinds: tuple[tuple[str, Callable[[], list[Event]]], ...] = (
        ("text", texts),
        ("arguments", arguments),
    )
    for what, stream in kinds:
        found = table(what, stream())
        provider, client, most = TARGET
        beyond = found[provider, client] - found[client, client]
        print(f"{client} ↔ {provider}: {beyond:.2f} beyond passthrough, target {most}")
        print()


if __name__ == "__main__":
    main()
