"""What an access line says of a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigw.model.outcome import Outcome
from aigw.model.record import AttemptRecord, Record
from aigw.model.usage import Usage
from aigw.telemetry import line


def written(record: Record) -> dict[str, Any]:
    lines = bytearray()
    line.append(record, lines)
    assert lines.count(b"\n") == 1
    assert lines.endswith(b"\n")
    parsed = json.loads(lines)
    assert isinstance(parsed, dict)
    return parsed


def attempt(**changes: Any) -> AttemptRecord:
    values: dict[str, Any] = {
        "instance": "a",
        "provider": "openai",
        "address": "10.0.0.1:443",
        "host": "api.example.com",
        "scheme": "https",
        "uri": "/v1/chat/completions",
        "status": 200,
        "connect_ms": 1.2,
        "head_ms": 20.0,
        "first_byte_ms": 21.5,
        "total_ms": 1500.0,
        "received": 99,
        "outcome": Outcome.COMPLETED,
    }
    return AttemptRecord(**(values | changes))


def test_an_empty_record_makes_a_line_with_the_references_defaults() -> None:
    fields = written(Record())
    assert fields["request_type"] == "traditional_http"
    assert fields["request_llm_model"] == fields["llm_model"] == ""
    assert fields["llm_stream"] is False
    assert fields["llm_time_to_first_token"] == 0
    assert fields["llm_prompt_tokens"] == fields["llm_total_tokens"] == 0
    assert fields["usage"] == "none"
    assert fields["response_source"] == "aigw"
    assert fields["outcome"] is None
    absent = {"attempts", "upstream_addr", "llm_summary", "llm_request"}
    assert not absent & set(fields)


def test_time_is_utc_to_the_microsecond() -> None:
    assert written(Record(time=1.5))["time"] == "1970-01-01T00:00:01.500000Z"


def test_token_counts_are_the_vendors_totals_of_the_exclusive_parts() -> None:
    usage = Usage(input=10, cache_read=3, cache_write=2, output=7, reasoning=4)
    fields = written(Record(usage=usage, usage_state="reported"))
    assert fields["llm_prompt_tokens"] == 15
    assert fields["llm_completion_tokens"] == 7
    assert fields["llm_total_tokens"] == 22
    assert fields["llm_cache_read_input_tokens"] == 3
    assert fields["llm_cache_creation_input_tokens"] == 2
    assert fields["llm_reasoning_tokens"] == 4
    assert fields["usage"] == "reported"


def test_one_attempt_fills_the_upstream_variables_in_seconds() -> None:
    fields = written(Record(stream=True, attempts=[attempt()]))
    assert fields["upstream_addr"] == "10.0.0.1:443"
    assert fields["upstream_status"] == "200"
    assert fields["upstream_connect_time"] == "0.001"
    assert fields["upstream_header_time"] == "0.020"
    assert fields["upstream_response_time"] == "1.500"
    assert fields["upstream_response_length"] == "99"
    assert fields["upstream_uri"] == "/v1/chat/completions"
    assert fields["upstream_host"] == "api.example.com"
    assert fields["upstream_scheme"] == "https"
    assert fields["aigw_upstream_response_time"] == 1500.0
    assert fields["response_source"] == "upstream"
    assert fields["attempts"][0]["instance"] == "a"
    assert fields["attempts"][0]["outcome"] == "completed"


def test_several_attempts_are_separated_by_commas_in_their_order() -> None:
    unreachable = attempt(
        address="10.0.0.9:1",
        status=0,
        connect_ms=None,
        head_ms=None,
        first_byte_ms=None,
        total_ms=3.0,
        received=0,
        outcome=Outcome.BROKEN,
        reason="refused",
    )
    fields = written(Record(attempts=[unreachable, attempt()]))
    assert fields["upstream_addr"] == "10.0.0.9:1, 10.0.0.1:443"
    assert fields["upstream_status"] == "-, 200"
    assert fields["upstream_connect_time"] == "-, 0.001"
    assert fields["upstream_response_length"] == "0, 99"
    assert [each["reason"] for each in fields["attempts"]] == ["refused", ""]


@pytest.mark.parametrize(
    ("stream", "changes", "expected"),
    [
        (True, {}, 21.5),
        (False, {}, 1500.0),
        (True, {"status": 429}, 1500.0),
        (True, {"head_ms": None, "first_byte_ms": None, "status": 0}, 0),
        (True, {"first_byte_ms": None}, 0),
    ],
)
def test_time_to_first_token_is_the_references(
    stream: bool, changes: dict[str, Any], expected: float
) -> None:
    fields = written(Record(stream=stream, attempts=[attempt(**changes)]))
    assert fields["llm_time_to_first_token"] == expected


def test_payloads_and_summaries_appear_only_where_the_record_holds_them() -> None:
    silent = json.dumps(written(Record(model="m", attempts=[attempt()])))
    assert not any(
        name in silent for name in ("llm_summary", 'llm_request"', "llm_response_text")
    )
    fields = written(
        Record(
            model="m",
            stream=True,
            summaries=True,
            prompt=b'[{"role":"user","content":"hi"}]',
            text="hello",
            usage=Usage(input=1, output=2),
            attempts=[attempt()],
        )
    )
    assert fields["llm_request"] == {
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }
    assert fields["llm_response_text"] == {"content": "hello"}
    summary = fields["llm_summary"]
    assert summary["model"] == "m"
    assert summary["duration"] == 21.5
    assert summary["total_tokens"] == 3
    assert summary["upstream_response_time"] == 1500.0


def test_a_prompt_written_over_several_lines_stays_on_one() -> None:
    fields = written(Record(prompt=b'[\r\n  "a\\n",\n  "b"\n]'))
    assert fields["llm_request"]["messages"] == ["a\n", "b"]


def test_what_a_client_sends_cannot_begin_a_line_of_its_own() -> None:
    forged = 'x"}\n{"status":200'
    fields = written(Record(path=forged, client_request_id=forged))
    assert fields["uri"] == fields["client_request_id"] == forged
