"""The record of an exchange: exactly one each, whatever became of it."""

from __future__ import annotations

from typing import Final

import msgspec

from .outcome import Outcome
from .usage import Usage

#: The most characters of a name that a client has chosen: a record is no place for its
#: prompt, nor for megabytes.
LONGEST: Final = 1024


class AttemptRecord(msgspec.Struct):
    """
    One try at one instance. Times are ms from the attempt's start, None where
    that point was not reached.

    :ivar address: ``host:port`` as configured, or the peer's address once connected.
    :ivar uri: the path sent, without its query.
    :ivar reused: whether a pooled connection served it.
    :ivar received: bytes of the answer's body.
    :ivar usage: what it used, as far as it could be read.
    :ivar seam: bytes (UTF-8) of the text that it was asked to go on from; 0 where it
        was asked what the client asked.
    :ivar reason: what broke it, ``""`` where nothing did.
    """

    instance: str
    provider: str = ""
    model: str = ""
    address: str = ""
    host: str = ""
    scheme: str = ""
    uri: str = ""
    status: int = 0
    reused: bool = False
    connect_ms: float | None = None
    head_ms: float | None = None
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float | None = None
    received: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    usage: Usage | None = None
    seam: int = 0


class Record(msgspec.Struct):
    """
    What is told of one exchange. The reference's variables (section 8.1) are made
    from it by the access log.

    :ivar time: seconds since the epoch when the request's head had arrived.
    :ivar request_id: our id; ``client_request_id`` is the client's own, or ``""``.
    :ivar reason: the limit, deadline or error that ended it, ``""`` where none did.
    :ivar received: bytes of the request's body.
    :ivar sent: bytes of the answer's body, before transfer coding.
    :ivar total_ms: from the head's arrival to the end.
    :ivar first_byte_ms: to the first byte of the answer's body written to the client.
    :ivar overhead_ms: the part of the time before the answer's head that the gateway
        itself used.
    :ivar usage_state: ``reported``, ``partial`` or ``none``.
    :ivar prompt: the request's messages as raw JSON, only where payloads are logged.
    :ivar text: the answer's text, only where payloads are logged.
    """

    time: float = 0.0
    request_id: str = ""
    client_request_id: str = ""
    route: str = ""
    consumer: str = ""
    method: str = ""
    path: str = ""
    host: str = ""
    peer: str = ""
    status: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    dialect: str = ""
    request_type: str = "traditional_http"
    request_model: str = ""
    model: str = ""
    stream: bool = False
    tool_count: int = 0
    has_tool_calls: bool = False
    end_user_id: str = ""
    received: int = 0
    sent: int = 0
    total_ms: float = 0.0
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    overhead_ms: float | None = None
    usage: Usage | None = None
    usage_state: str = "none"
    dropped_fields: tuple[str, ...] = ()
    attempts: list[AttemptRecord] = []  # msgspec copies it
    summaries: bool = False
    prompt: bytes | None = None
    text: str | None = None
