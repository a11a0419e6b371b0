"""
The access log's line: one record as one JSON object, in the reference's variable names.

The names of reference section 8.1 keep their meaning (``aigw_`` where the reference has
its own prefix); what the reference has no name for is called as the record calls it.
Types do not vary: numbers are numbers and flags are booleans in every line. Only fields
of the record are written, so that what must stay secret cannot slip in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from aigw.model.record import AttemptRecord, Record
from aigw.model.usage import Usage

_NOTHING = Usage()
_encode_into = msgspec.json.Encoder().encode_into

#: JSON allows these between tokens only, where a space means the same.
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def append(record: Record, lines: bytearray) -> None:
    """
    Write ``record`` to the end of ``lines`` as one JSON line, LF included.

    :raises Exception: whatever the encoder raises for what cannot be JSON; ``lines``
        may then end in a piece of it.
    """
    _encode_into(fields(record), lines, -1)
    lines += b"\n"


def fields(record: Record) -> dict[str, Any]:
    """The line's names and values, in its order."""
    usage = record.usage or _NOTHING
    attempts = record.attempts
    last = attempts[-1] if attempts else None
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.time, UTC),
        "request_id": record.request_id,
        "client_request_id": record.client_request_id,
        "route_id": record.route,
        "consumer_name": record.consumer,
        "remote_addr": record.peer,
        "request_method": record.method,
        "host": record.host,
        "uri": record.path,
        "status": record.status,
        "outcome": record.outcome,
        "reason": record.reason,
        "response_source": _source(record, last),
        "dialect": record.dialect,
        "request_type": record.request_type,
        "request_llm_model": record.request_model,
        "llm_model": record.model,
        "llm_stream": record.stream,
        "llm_time_to_first_token": _first(record, last),
        "llm_prompt_tokens": usage.prompt,
        "llm_completion_tokens": usage.output,
        "llm_total_tokens": usage.all,
        "llm_cache_read_input_tokens": usage.cache_read,
        "llm_cache_creation_input_tokens": usage.cache_write,
        "llm_reasoning_tokens": usage.reasoning,
        "usage": record.usage_state,
        "llm_tool_count": record.tool_count,
        "llm_has_tool_calls": record.has_tool_calls,
        "llm_end_user_id": record.end_user_id,
        "bytes_received": record.received,
        "bytes_sent": record.sent,
        "total_ms": record.total_ms,
        "first_byte_ms": record.first_byte_ms,
        "first_token_ms": record.first_token_ms,
        "overhead_ms": record.overhead_ms,
    }
    if last is not None:
        if len(attempts) == 1:
            _one(last, line)
        else:
            _several(attempts, line)
        line["aigw_upstream_response_time"] = last.total_ms
        line["attempts"] = attempts
    if record.dropped_fields:
        line["dropped_fields"] = record.dropped_fields
    if record.summaries:
        line["llm_summary"] = _summary(record, usage, line)
    if record.prompt is not None:
        prompt = msgspec.Raw(record.prompt.translate(_ONE_LINE))
        line["llm_request"] = {"messages": prompt, "stream": record.stream}
    if record.text is not None:
        line["llm_response_text"] = {"content": record.text}
    return line


def _source(record: Record, last: AttemptRecord | None) -> str:
    """Who made the answer: the provider as soon as its head had arrived."""
    return "upstream" if last is not None and last.head_ms is not None else "aigw"


def _first(record: Record, last: AttemptRecord | None) -> float:
    """Reference 8.1: to the first bytes of a stream, else to the end of the answer."""
    if last is None or last.head_ms is None:
        return 0
    if record.stream and last.status < 400:
        return last.first_byte_ms or 0
    return last.total_ms or last.head_ms


def _one(attempt: AttemptRecord, line: dict[str, Any]) -> None:
    """The ``upstream_*`` strings of the common case, at a third of the price."""
    line["upstream_addr"] = attempt.address
    line["upstream_status"] = str(attempt.status) if attempt.status else "-"
    line["upstream_connect_time"] = _seconds(attempt.connect_ms)
    line["upstream_header_time"] = _seconds(attempt.head_ms)
    line["upstream_response_time"] = _seconds(attempt.total_ms)
    line["upstream_response_length"] = str(attempt.received)
    line["upstream_uri"] = attempt.uri
    line["upstream_host"] = attempt.host
    line["upstream_scheme"] = attempt.scheme


def _several(attempts: list[AttemptRecord], line: dict[str, Any]) -> None:
    """The ``upstream_*`` strings, one entry an attempt, separated as nginx does it."""
    each: list[dict[str, Any]] = []
    for attempt in attempts:
        each.append({})
        _one(attempt, each[-1])
    for name in each[0]:
        line[name] = ", ".join([entry[name] for entry in each])


def _seconds(ms: float | None) -> str:
    """nginx writes seconds to the millisecond, and ``-`` for what never came."""
    return "-" if ms is None else "%.3f" % (ms * 0.001)


def _summary(record: Record, usage: Usage, line: dict[str, Any]) -> dict[str, Any]:
    """Reference 8.2, ``logging.summaries``."""
    return {
        "request_model": record.request_model,
        "model": record.model,
        "duration": line["llm_time_to_first_token"],
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.all,
        "upstream_response_time": line.get("aigw_upstream_response_time"),
        "stream": record.stream,
        "tool_count": record.tool_count,
        "has_tool_calls": record.has_tool_calls,
        "end_user_id": record.end_user_id,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "reasoning_tokens": usage.reasoning,
    }
