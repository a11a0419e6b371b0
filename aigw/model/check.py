"""Active health checks of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .headers import Headers


@dataclass(frozen=True, slots=True)
class ActiveCheck:
    """
    How an instance's nodes are probed. Times are seconds.

    :ivar timeout: of one probe.
    :ivar concurrency: the most probes of this instance under way at once.
    :ivar host: what ``Host`` says, ``""`` for the node's own.
    :ivar port: the port probed, None for the node's own.
    :ivar path: path and query, the credentials of ``auth.query`` included.
    :ivar headers: fields sent, names in lower case, the credentials of ``auth.header``
        included.
    :ivar healthy_interval: seconds between probes of a healthy node;
        ``unhealthy_interval`` of an unhealthy one.
    :ivar healthy_statuses: statuses that count as success; ``unhealthy_statuses`` as
        failure; any other counts as neither.
    :ivar successes: successes in a row that make a node healthy; ``http_failures``,
        ``tcp_failures`` and ``timeouts`` make it unhealthy.
    """

    type: Literal["http", "https", "tcp"] = "http"
    timeout: float = 1.0
    concurrency: int = 10
    host: str = ""
    port: int | None = None
    method: str = "GET"
    path: str = "/"
    body: bytes = b""
    verify: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()
    healthy_interval: float = 1.0
    healthy_statuses: frozenset[int] = frozenset({200, 302})
    successes: int = 2
    unhealthy_interval: float = 1.0
    unhealthy_statuses: frozenset[int] = frozenset(
        {429, 404, 500, 501, 502, 503, 504, 505}
    )
    http_failures: int = 5
    tcp_failures: int = 2
    timeouts: int = 3

    def fields(self) -> Headers:
        """``headers`` as the list that requests take."""
        return list(self.headers)
