"""What is measured: each case a value, its figure one of which less is better."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"


class Setup(Enum):
    """How a proxy is set up for a case."""

    PLAIN = "plain"
    EVENTSTREAM = "eventstream"  # a Bedrock route
    CONVERSION = "conversion"  # Anthropic's API outside, OpenAI's inside
    TLS_CLIENT = "tls-client"  # clients come over TLS
    TLS_PROVIDER = "tls-provider"  # the provider is reached over TLS
    WORKERS_1 = "workers-1"  # one worker
    WORKERS_2 = "workers-2"  # two workers on the same core, so that turns are even
    NO_LOG = "no-log"  # no access log
    PAYLOADS = "payloads"  # prompts and answers in the access log
    HEARTBEAT = "heartbeat"  # a comment after each second's silence
    SEVERAL = "several"  # two instances, balanced, with retries and breakers


class Unit(Enum):
    """What a figure is per. All are such that less is better."""

    REQUEST = "µs CPU a request"
    EVENT = "µs CPU an event"
    FIRST_TOKEN = "µs added to first token, p50"
    STREAM = "KiB an open stream"
    GROWTH = "KiB grown a stream"
    LEFT = "% grown, from before to after"
    START = "MiB at start"


@dataclass(frozen=True, slots=True)
class Case:
    """
    One line of the table.

    :ivar kind: what the load generator reads: json, sse, es or messages; empty where
        the case is not one of load but of memory.
    :ivar model: what the mock provider is asked for; see tools/mock.c.
    :ivar connections: client connections, or streams in the cases of memory.
    :ivar body_bytes: size of the request's body, 0 for the ordinary one of 400 bytes.
    :ivar close_each: whether each request has a connection of its own.
    :ivar quick: whether it belongs to the quick run.
    :ivar only: the peers it is measured for; empty for all that can.
    """

    name: str
    title: str
    unit: Unit
    kind: str = "sse"
    model: str = "m-n100-s200-d0-b1"
    connections: int = 32
    path: str = CHAT
    setup: Setup = Setup.PLAIN
    body_bytes: int = 0
    close_each: bool = False
    quick: bool = False
    only: frozenset[str] = frozenset()

    @property
    def events(self) -> int:
        """Events a stream has; 0 where streams have no fixed number or are none."""
        if self.kind in ("", "json"):
            return 0
        return int(self.model.partition("-n")[2].partition("-")[0])

    @property
    def needs_direct(self) -> bool:
        """Whether the figure is a difference to asking the mock directly."""
        return self.unit is Unit.FIRST_TOKEN


PACED = "m-n100-s200-d20000-b1"

LOAD = (
    Case(
        "non-stream",
        "1 KB JSON answer",
        Unit.REQUEST,
        kind="json",
        quick=True,
    ),
    Case(
        "burst",
        "100 events of 200 B, one a chunk, as fast as they are read",
        Unit.EVENT,
        quick=True,
    ),
    Case(
        "packed",
        "the same, ten events a chunk",
        Unit.EVENT,
        model="m-n100-s200-d0-b10",
        quick=True,
    ),
    Case(
        "paced",
        "400 streams of 50 events a second",
        Unit.EVENT,
        model=PACED,
        connections=400,
        quick=True,
    ),
    Case(
        "burst-nulls",
        'burst, "usage":null in every event where usage is asked for',
        Unit.EVENT,
        model="m-n100-s200-d0-b1-u1",
    ),
    Case(
        "first-token",
        "10 connections, short paced streams",
        Unit.FIRST_TOKEN,
        model="m-n5-s200-d20000-b1",
        connections=10,
    ),
    Case(
        "prompt-100k",
        "non-stream, request of 100 KB",
        Unit.REQUEST,
        kind="json",
        connections=8,
        body_bytes=100_000,
    ),
    Case(
        "prompt-1m",
        "non-stream, request of 1 MB",
        Unit.REQUEST,
        kind="json",
        connections=4,
        body_bytes=1_000_000,
    ),
    Case(
        "churn",
        "non-stream, a connection a request",
        Unit.REQUEST,
        kind="json",
        close_each=True,
    ),
    Case(
        "eventstream",
        "burst of AWS EventStream frames",
        Unit.EVENT,
        kind="es",
        path="/model/m-n100-s200-d0-b1/converse-stream",
        setup=Setup.EVENTSTREAM,
    ),
    Case(
        "conversion",
        "burst, Anthropic's API outside, OpenAI's inside",
        Unit.EVENT,
        kind="messages",
        path=MESSAGES,
        setup=Setup.CONVERSION,
    ),
    Case(
        "tls-client",
        "non-stream, clients over TLS",
        Unit.REQUEST,
        kind="json",
        setup=Setup.TLS_CLIENT,
    ),
    Case(
        "tls-client-paced",
        "200 paced streams, clients over TLS",
        Unit.EVENT,
        model=PACED,
        connections=200,
        setup=Setup.TLS_CLIENT,
    ),
    Case(
        "tls-provider",
        "non-stream, provider over TLS",
        Unit.REQUEST,
        kind="json",
        setup=Setup.TLS_PROVIDER,
    ),
    Case(
        "tls-provider-paced",
        "200 paced streams, provider over TLS",
        Unit.EVENT,
        model=PACED,
        connections=200,
        setup=Setup.TLS_PROVIDER,
    ),
    Case(
        "workers-1",
        "non-stream, 64 connections, one worker",
        Unit.REQUEST,
        kind="json",
        connections=64,
        setup=Setup.WORKERS_1,
    ),
    Case(
        "workers-2",
        "non-stream, 64 connections, two workers on one core",
        Unit.REQUEST,
        kind="json",
        connections=64,
        setup=Setup.WORKERS_2,
    ),
)


def _each(setup: Setup, words: str) -> tuple[Case, ...]:
    """What a feature of aigw's own costs a request, and an event."""
    only = frozenset({"aigw"})
    return tuple(
        replace(
            case,
            name=f"{case.name}-{setup.value}",
            title=f"{case.name} {words}",
            setup=setup,
            quick=False,
            only=only,
        )
        for case in LOAD
        if case.name in ("non-stream", "burst")
    )


#: To be compared with non-stream and burst of the same run.
WITH_AND_WITHOUT = (
    *_each(Setup.NO_LOG, "without the access log"),
    *_each(Setup.PAYLOADS, "with prompts and answers in the access log"),
    *_each(Setup.HEARTBEAT, "with a heartbeat of one second"),
    *_each(Setup.SEVERAL, "over two instances with retries and breakers"),
)

HELD = "m-n2-s200-h3600000000-b1"  # one event, then an hour of silence

MEMORY = (
    Case("start", "memory once it serves", Unit.START, kind="", connections=0),
    Case(
        "idle",
        "1,000 silent open streams",
        Unit.STREAM,
        kind="",
        model=HELD,
        connections=1000,
    ),
    Case(
        "idle-limit",
        "9,900 silent open streams",
        Unit.STREAM,
        kind="",
        model=HELD,
        connections=9900,
        only=frozenset({"aigw"}),
    ),
    Case(
        "slow-reader",
        "8 clients that read nothing of 200 MB, events of 200 B",
        Unit.GROWTH,
        kind="",
        model="m-n1000000-s200-d0-b10",
        connections=8,
    ),
    Case(
        "slow-reader-64k",
        "8 clients that read nothing of 200 MB, events of 60 KB",
        Unit.GROWTH,
        kind="",
        model="m-n3300-s60000-d0-b1",
        connections=8,
    ),
    Case(
        "cut",
        "5,000 streams opened and cut, three times",
        Unit.LEFT,
        kind="",
        model=HELD,
        connections=5000,
        only=frozenset({"aigw", "nginx", "envoy"}),
    ),
)

ALL = LOAD + WITH_AND_WITHOUT + MEMORY


def chosen(names: list[str], quick: bool) -> list[Case]:
    """
    The cases to run: those named, else the quick ones or all.

    :raises ValueError: a name is not known; its text lists those that are.
    """
    if names:
        known = {case.name: case for case in ALL}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                f"no such case: {', '.join(unknown)}; known are {', '.join(known)}"
            )
        return [known[name] for name in names]
    return [case for case in ALL if case.quick or not quick]


def scaled(case: Case, most_files: int) -> Case:
    """The case with no more streams than ``most_files`` descriptors allow a proxy."""
    room = (most_files - 200) // 2  # one descriptor a side
    if case.kind or case.connections <= room:
        return case
    title = case.title.replace(f"{case.connections:,}", f"{room:,}", 1)
    return replace(case, connections=room, title=title)
