"""What became of an attempt, and how an exchange ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """A provider's judgement of its answer's head (and error body)."""

    OK = "ok"
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"
    REFUSED = "refused"  # our credential is refused
    REJECTED = "rejected"  # the request's own fault: no other instance will help
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    :ivar verdict: see :class:`Verdict`.
    :ivar retry_after: seconds until another try makes sense, or None.
    """

    verdict: Verdict
    retry_after: float | None = None


class Outcome(StrEnum):
    """How an exchange (or an attempt) ended, as the record says it."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"  # ended properly, but without the terminal frame
    REFUSED = "refused"  # answered by the gateway itself with an error
    FAILED = "failed"  # the provider answered with an error, passed on
    BROKEN = "broken"  # the provider broke off, or could not be reached
    LIMIT = "limit"  # a deadline or limit ended it; the record names it
    HEDGED = "hedged"  # (an attempt) another one had content sooner
    CLIENT_GONE = "client_gone"
    SHUTDOWN = "shutdown"
