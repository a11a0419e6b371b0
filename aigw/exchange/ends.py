"""What the end of an attempt says of its instance, and what the client is told."""

from __future__ import annotations

from aigw.errors import (
    AllFailed,
    AllThrottled,
    AnswerTooLarge,
    GatewayError,
    UpstreamError,
)
from aigw.model.outcome import Judgement, Outcome, Verdict
from aigw.routing.plan import Plan
from aigw.streaming.ending import Ending

from .attempt import Attempt
from .exchange import Exchange

#: Limits that say the instance is in trouble; the others are our own or the client's.
_STALLS = frozenset({"first_byte", "idle", "read"})


def judged(error: UpstreamError) -> Judgement:
    """What an attempt that ended in ``error`` says of its instance."""
    if isinstance(error, AnswerTooLarge) or error.reason == "max_stream_duration_ms":
        return Judgement(Verdict.REJECTED)
    if error.status == 429:
        return Judgement(Verdict.THROTTLED, error.retry_after)
    if error.kind == "overloaded":
        return Judgement(Verdict.OVERLOADED, error.retry_after)
    return Judgement(Verdict.BROKEN)


def answered(status: int, text: str, judgement: Judgement) -> UpstreamError:
    """The failure of an attempt that was answered with an error."""
    return UpstreamError(
        text,
        status=status,
        reason=judgement.verdict.value,
        retry_after=judgement.retry_after,
    )


def exhausted(plan: Plan, last: GatewayError) -> GatewayError:
    """What the client is told when all that could serve it have failed."""
    if plan.all_throttled():
        wait = plan.retry_after()
        return AllThrottled(last.message, reason="all_throttled", retry_after=wait)
    return AllFailed(last.message, reason="all_failed")


def in_trouble(ending: Ending) -> bool:
    """Whether the end of a relayed answer is the instance's fault."""
    if ending.outcome is Outcome.LIMIT:
        return ending.reason in _STALLS
    if ending.outcome is Outcome.FAILED:
        return ending.reason == "error_in_stream"
    return ending.outcome is Outcome.BROKEN


def close(exchange: Exchange, attempt: Attempt, ending: Ending) -> None:
    """The answer that ``attempt`` gave was relayed, and has ended."""
    outcome = ending.outcome
    if attempt.record.status >= 400 and outcome is Outcome.COMPLETED:
        outcome = Outcome.FAILED
    attempt.close(outcome, ending.reason)
    if not ending.suspended:
        exchange.ended(outcome, ending.reason)
