"""Providers that differ only in data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Preset:
    """
    What distinguishes one OpenAI-style vendor from another.

    :ivar host: the vendor's host; None where an endpoint must be configured.
    :ivar paths: dialect name to path.
    :ivar caps: dialect name to the field that caps output tokens.
    :ivar renames: fields deleted when a cap is set, because the vendor refuses both.
    :ivar removes_model: whether ``model`` is taken out of the body.
    """

    name: str
    host: str | None
    paths: Mapping[str, str]
    caps: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    removes_model: bool = False


_OPENAI_PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-embeddings": "/v1/embeddings",
}

PRESETS = (
    Preset(
        name="openai",
        host="api.openai.com",
        paths=_OPENAI_PATHS,
        caps={"openai-chat": "max_completion_tokens"},
        # Reasoning models refuse max_tokens, and all refuse the two together.
        renames={"openai-chat": "max_tokens"},
    ),
    Preset(
        name="openai-compatible",
        host=None,
        paths=_OPENAI_PATHS,
        caps={"openai-chat": "max_tokens"},
    ),
)
