"""How an answer ends."""

from __future__ import annotations

from dataclasses import dataclass

from aigw.errors import (
    AllThrottled,
    AnsweredError,
    AnswerTooLarge,
    BadRequest,
    BodyTooLarge,
    DeadlinePassed,
    GatewayError,
    UpstreamTimeout,
)
from aigw.model.event import Failed
from aigw.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How a relayed answer ended; ``reason`` names what ended it, or is ``""``.
    ``suspended`` is one that broke, but may be gone on with (see continued_relay.py).
    """

    outcome: Outcome
    reason: str = ""
    suspended: bool = False


def outcome_of(error: GatewayError) -> Outcome:
    """The outcome that an error which ends an answer is recorded as."""
    if error.reason == "shutdown":
        return Outcome.SHUTDOWN
    if isinstance(error, UpstreamTimeout | DeadlinePassed | AnswerTooLarge):
        return Outcome.LIMIT
    if isinstance(error, AllThrottled | AnsweredError):
        return Outcome.FAILED
    if isinstance(error, BadRequest | BodyTooLarge):
        return Outcome.REFUSED
    return Outcome.BROKEN


def error_of(failed: Failed, reason: str) -> AnsweredError:
    """What a provider reported, as an error that its client can be told."""
    return AnsweredError(
        failed.message or "the provider reported an error",
        status=failed.status,
        kind=failed.kind,
        retry_after=failed.retry_after,
        reason=reason,
    )
