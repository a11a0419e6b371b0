"""Envelopes for tests of dialects."""

from __future__ import annotations

from aigw.model.envelope import Envelope


def request(path: str, body: bytes | None = None, method: str = "POST") -> Envelope:
    envelope = Envelope(
        method=method, path=path, target=path.encode(), query=b"", headers=[]
    )
    if body is not None:
        envelope.open(body)
    return envelope
