"""Requests and instances that provider tests vary."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.path import safe_path
from aigw.providers import built_in

CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"m","messages":[],"stream":true}'


def asked(
    body: bytes = CHAT,
    target: bytes = b"/v1/chat/completions",
    headers: Headers | None = None,
) -> Envelope:
    """A request: POST with ``body``, GET without one."""
    path, query = safe_path(target)
    method = "POST" if body else "GET"
    envelope = Envelope(method, path, target, query, headers or [])
    if body:
        envelope.open(body)
    return envelope


def prepared(
    provider: str,
    body: bytes = CHAT,
    target: bytes = b"/v1/chat/completions",
    dialect: str = "passthrough",
    *,
    headers: Headers | None = None,
    **settings: Any,
) -> Outbound:
    """What ``provider`` makes of a request."""
    instance = Instance("one", provider, **settings)
    envelope = asked(body, target, headers)
    return built_in()[provider].prepare(envelope, dialect, instance)


def body_of(outbound: Outbound) -> Any:
    return msgspec.json.decode(outbound.body)
