"""
Every error aigw raises, in one hierarchy.

Each :class:`GatewayError` knows its HTTP status, its neutral kind (which a
dialect turns into its own word), whether another attempt may help, and what it
may say aloud. What must stay private goes to ``detail``, which only the
daemon's log sees. This module must not know HTTP objects, dialects or Twisted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

#: What decoding JSON raises: msgspec does not name the latter two as its own.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class AigwError(Exception):
    """The root of all errors of this package."""


class FramingError(AigwError, ValueError):
    """
    A frame is malformed, or larger than allowed.

    :ivar frames: the good frames that stood before the bad one, in order.
    :ivar events: the same list, under the word SSE users look for.
    """

    def __init__(self, message: str, frames: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.frames = list(frames)
        self.events = self.frames


class ConfigError(AigwError):
    """
    A configuration is refused.

    :ivar problems: every problem found, each one line that names the field's
        path, what was found and what would be accepted.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class RankingFailed(AigwError):
    """Instances could not be scored; the request is served without scores."""


class GatewayError(AigwError):
    """
    An exchange (or one attempt of it) cannot go on.

    :ivar status: the HTTP status a client is answered with.
    :ivar kind: a neutral word for what went wrong; dialects map it to theirs.
    :ivar retryable: whether another attempt may help.
    :ivar message: what the client may read.
    :ivar reason: a short fixed word for the record (``limit`` or ``deadline``
        names, ``unreachable``…), or ``""``.
    :ivar key: the reference's own JSON key for the message (``error_msg`` or
        ``message``), shown beside the dialect's; ``""`` where it used plain text.
    :ivar retry_after: seconds the client should wait, or None.
    :ivar detail: what only the daemon's log may hold.
    """

    status: int = 500
    kind: str = "internal"
    retryable: ClassVar[bool] = False
    key: str = ""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        kind: str | None = None,
        reason: str = "",
        key: str | None = None,
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.retry_after = retry_after
        self.detail = detail
        if status is not None:
            self.status = status
        if kind is not None:
            self.kind = kind
        if key is not None:
            self.key = key


# -- the client's doing


class BadRequest(GatewayError):
    """The request cannot be understood, or asks for what cannot be had."""

    status = 400
    kind = "invalid_request"


class Forbidden(GatewayError):
    """The caller may not do this."""

    status = 403
    kind = "permission"


class NotFound(GatewayError):
    """No route, or no model, of that name."""

    status = 404
    kind = "not_found"


class MethodNotAllowed(GatewayError):
    """The route exists, but not for this method."""

    status = 405
    kind = "invalid_request"


class BodyTooLarge(GatewayError):
    """The request body is over its limit (bytes)."""

    status = 413
    kind = "too_large"
    key = "message"


# -- the provider's doing


class UpstreamError(GatewayError):
    """The provider could not be reached, or broke off."""

    status = 502
    kind = "upstream"
    retryable = True


class AnsweredError(UpstreamError):
    """
    The provider answered with an error, told here in the client's own dialect.

    :ivar fields: the header fields of that answer that the client gets too, pairs of
        name and value.
    """

    fields: Sequence[tuple[bytes, bytes]] = ()


class ConnectFailed(UpstreamError):
    """No connection to the provider: refused, unroutable, unresolvable, bad TLS."""


class UpstreamBroke(UpstreamError):
    """The provider's answer ended before it was complete, or is not HTTP."""


class UpstreamTimeout(UpstreamError):
    """
    A deadline towards the provider passed; ``reason`` names it (``connect``,
    ``send``, ``read``, ``first_byte``, ``idle``, ``total``).
    """

    status = 504
    kind = "timeout"


class AnswerTooLarge(UpstreamError):
    """``max_response_bytes`` was exceeded, or what a conversion may keep of it."""


class AllFailed(UpstreamError):
    """Every instance that could have served the request has failed."""


class AllThrottled(GatewayError):
    """Every instance that could have served the request asks for a pause."""

    status = 429
    kind = "rate_limit"
    retryable = True


# -- our own doing


class CredentialsFailed(GatewayError):
    """There are no credentials to sign a request with; they could not be had now."""

    status = 500
    kind = "upstream"
    retryable = True
    key = "error_msg"


class Unavailable(GatewayError):
    """Nothing can serve this now: draining, or no eligible instance."""

    status = 503
    kind = "unavailable"
    retryable = True


class DeadlinePassed(GatewayError):
    """A deadline of the whole exchange passed; ``reason`` names it."""

    status = 504
    kind = "timeout"


class NotSupported(GatewayError):
    """Valid HTTP that aigw does not offer (a WebSocket upgrade)."""

    status = 501
    kind = "not_supported"
