"""``server`` and ``admin``: what aigw listens on, and how much it takes."""

from __future__ import annotations

import re
from ipaddress import ip_network
from os import sched_getaffinity
from typing import Annotated, Literal

from msgspec import Meta

from .part import SECRET, Check, Part, Positive, about

_DESCRIPTION = re.compile(r"[A-Za-z0-9_]+:.+\Z", re.DOTALL)
#: Port 0 is any free one, which tests like.
_PORT = re.compile(r"(?:haproxy:)?(?:tcp6?|ssl|reuse):(?:port=)?(\d+)(?::|\Z)")


def _listenable(listen: int | str) -> None:
    if isinstance(listen, int) or listen.isdigit():
        if not 1 <= int(listen) <= 65535:
            raise ValueError("no TCP port")
    elif not _DESCRIPTION.match(listen):
        raise ValueError("no endpoint description")
    elif (port := _PORT.match(listen)) is not None and int(port[1]) > 65535:
        raise ValueError("no TCP port")


Listen = Annotated[
    int | str, Check(_listenable, "a Twisted endpoint description, or a TCP port")
]

Network = Annotated[
    str,
    Check(lambda text: ip_network(text, strict=False), "an address or a CIDR range"),
]


def _descriptions(listen: tuple[int | str, ...]) -> tuple[str, ...]:
    return tuple(f"tcp:{each}" if str(each).isdigit() else str(each) for each in listen)


class Server(Part, frozen=True, kw_only=True):
    """The listeners for clients, and the limits of the process."""

    listen: Annotated[
        tuple[Listen, ...],
        Meta(min_length=1),
        about("Where clients are served, e.g. `tcp:9080`, `unix:/run/aigw.sock`."),
    ] = ("tcp:9080",)
    workers: Annotated[
        Positive | Literal["auto"],
        about("Processes that share the sockets; `auto` is one per core."),
    ] = 1
    max_connections: Annotated[
        Positive, about("Client connections open at once, per worker.")
    ] = 10_000
    max_buffered_bytes: Annotated[
        Positive,
        about(
            "Request bodies held in memory together, per worker, bytes; past it bodies"
            " wait unread."
        ),
    ] = 268_435_456
    graceful_timeout_ms: Annotated[
        int,
        Meta(ge=0),
        about("How long open streams may run on after SIGTERM, ms."),
    ] = 30_000
    drain_delay_ms: Annotated[
        int,
        Meta(ge=0),
        about(
            "How long after SIGTERM new connections are still taken, ms: until load"
            " balancers have seen that readiness fails."
        ),
    ] = 0
    default_max_req_body_size: Annotated[
        Positive,
        about("The largest request body where a route states none, bytes."),
    ] = 67_108_864
    trusted_proxies: Annotated[
        tuple[Network, ...],
        about("Addresses and ranges whose `X-Forwarded-For` is believed."),
    ] = ()

    disable_upstream_healthcheck: Annotated[
        bool, about("Whether the `checks` of all instances are switched off.")
    ] = False

    @property
    def endpoints(self) -> tuple[str, ...]:
        """``listen`` as Twisted endpoint descriptions."""
        return _descriptions(self.listen)

    @property
    def processes(self) -> int:
        """``workers`` as a number: ``auto`` is one per core this process may use."""
        return len(sched_getaffinity(0)) if self.workers == "auto" else self.workers

    @property
    def graceful_timeout(self) -> float:
        """``graceful_timeout_ms`` in seconds."""
        return self.graceful_timeout_ms / 1000

    @property
    def drain_delay(self) -> float:
        """``drain_delay_ms`` in seconds."""
        return self.drain_delay_ms / 1000


class Admin(Part, frozen=True, kw_only=True):
    """The listener for health, the configuration's version and the instances."""

    listen: Annotated[
        tuple[Listen, ...],
        about("Where it is served; an empty list switches it off."),
    ] = ("tcp:9180:interface=127.0.0.1",)
    key: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        SECRET,
        about("The Admin API's key. This version has no such API, and warns of it."),
    ] = None

    @property
    def endpoints(self) -> tuple[str, ...]:
        """``listen`` as Twisted endpoint descriptions."""
        return _descriptions(self.listen)
