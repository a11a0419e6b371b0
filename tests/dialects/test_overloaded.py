"""An overloaded provider has each vendor's own status."""

from __future__ import annotations

import json

import pytest

from aigw import dialects
from aigw.errors import GatewayError


@pytest.mark.parametrize(
    ("dialect", "status"),
    [
        ("openai-chat", 503),
        ("openai-responses", 503),
        ("anthropic-messages", 529),
        ("bedrock-converse", 503),
        ("gemini", 503),
    ],
)
def test_only_anthropics_clients_are_told_529(dialect: str, status: int) -> None:
    error = GatewayError("Overloaded", status=529, kind="overloaded")
    told, _, body = dialects.get(dialect).problem(error, "req_1")
    assert told == status
    code = json.loads(body).get("error", {}).get("code")
    assert code == status or not isinstance(code, int)
