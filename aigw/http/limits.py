"""What the daemon's front bears with from one client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds on one connection. Sizes in bytes, times in seconds.

    :ivar request_line: the longest request line; over it 414.
    :ivar head: request line and header fields together; over it 431.
    :ivar fields: the most header fields, and the most trailer fields; over it 431.
    :ivar body: the longest body; over it 413. What an exchange reads into memory has
        its own, lower limit: this one is for uploads.
    :ivar chunk_line: the longest line that begins a chunk, extensions included.
    :ivar trailers: trailer fields together.
    :ivar waiting: what may wait behind the request being served (pipelining); over it
        all that waits is refused with 400, in its turn.
    :ivar unread: what is taken of a body that nobody has asked for yet, or of an upload
        that was paused, before the connection is read no more.
    :ivar leftover: what is read of a body that the answer has made pointless, so that
        the connection can be kept; over it the connection is closed.
    :ivar discarded: what is read and thrown away so that a client which sends before it
        listens gets to read why it was refused.
    :ivar idle_timeout: between two requests.
    :ivar head_timeout: from a request's first byte, or the connection's beginning, to
        the end of its head, however steadily bytes may drip in.
    :ivar body_timeout: between two pieces of a body that is being read.
    :ivar body_rate: bytes a second that a body must average beyond ``body_timeout``.
    :ivar leftover_timeout: for the rest of a body that the answer has made pointless.
    :ivar close_timeout: for a client to take what was queued when its connection was to
        be closed, and to stop sending; then it is reset.
    """

    request_line: int = 16 * 1024
    head: int = 64 * 1024
    fields: int = 100
    body: int = 1 << 40
    chunk_line: int = 1024
    trailers: int = 8 * 1024
    waiting: int = 16 * 1024
    unread: int = 64 * 1024
    leftover: int = 64 * 1024
    discarded: int = 16 * 1024 * 1024
    idle_timeout: float = 75.0
    head_timeout: float = 30.0
    body_timeout: float = 60.0
    body_rate: float = 500.0
    leftover_timeout: float = 5.0
    close_timeout: float = 30.0
