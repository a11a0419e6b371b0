"""What an exchange comes to, when it is over."""

from __future__ import annotations

from aigw.model.outcome import Outcome
from aigw.model.record import Record
from aigw.streaming.relay import Relay
from aigw.streaming.way import Way

from .attempt import Attempt


def tally(record: Record, attempt: Attempt, arrived: float, busy: float) -> None:
    """
    Complete ``record`` by what is known of the answer.

    :param attempt: the one that gave it, or was the last to be asked for it.
    :param arrived: clock seconds of the request's arrival.
    :param busy: seconds that the gateway itself was at work before the attempts.
    """
    own, relay = busy, attempt.relay
    if relay is not None:
        record.sent += relay.outlet.sent
        _meter(record, relay)
    if relay is not None and relay.first_byte_at is not None:
        written = relay.outlet.first_write_at
        own += max(0.0, (written or relay.first_byte_at) - relay.first_byte_at)
        record.first_byte_ms = _since(arrived, written)
        record.first_token_ms = _since(arrived, relay.first_content_at)
    record.overhead_ms = max(0.0, own) * 1000


def _meter(record: Record, relay: Relay) -> None:
    """What the answer used, as far as it could be read."""
    way, tap = relay.way, relay.way.tap
    if tap is None:
        return
    record.usage = tap.usage
    record.has_tool_calls = tap.tool_calls
    if tap.usage is not None:
        final = not way.damaged and (tap.finished or _ended(record, way))
        record.usage_state = "reported" if final else "partial"
    if record.prompt is not None:
        record.text = tap.text()


def _ended(record: Record, way: Way) -> bool:
    """
    Whether an answer without a finish reason is over all the same, so that no more
    would have been told: embeddings have none. A stream is where it ends with a
    terminal frame.
    """
    if record.reason == "error_in_stream" or (record.stream and not way.terminates):
        return False
    return record.outcome in (Outcome.COMPLETED, Outcome.FAILED)


def _since(arrived: float, when: float | None) -> float | None:
    return None if when is None else (when - arrived) * 1000
