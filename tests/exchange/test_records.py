"""A record stays small and tells nothing it should not, whatever a client sends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aigw.telemetry import line

from .site import JSON, Site
from .test_every_pair import site as asking

LONG = "x" * 1_000_000
MESSAGES = [{"role": "user", "content": "a secret"}]


@pytest.mark.parametrize("provider", ["openai-chat", "bedrock-converse", "gemini"])
@pytest.mark.parametrize(
    "fields",
    [{"model": LONG}, {"user": LONG}, {"safety_identifier": LONG}, {LONG: 1}],
    ids=["model", "user", "safety_identifier", "a field"],
)
def test_a_long_name_makes_no_long_record(fields: Any, provider: str) -> None:
    place: Site = asking(provider)
    body = msgspec.json.encode({"model": "m", "messages": MESSAGES, **fields})
    place.ask(
        body,
        target=b"/v1/chat/completions?key=secret",
        headers=[*JSON, (b"authorization", b"Bearer secret")],
    )
    if place.upstream.calls:
        place.call.answer(500, JSON, b'{"error":{"message":"the secret"}}')
    lines = bytearray()
    line.append(place.record, lines)
    assert len(lines) < 12_000
    assert b"secret" not in lines
