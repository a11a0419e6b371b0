"""Providers that differ only in data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Preset:
    """
    What distinguishes one vendor from another.

    :ivar host: the vendor's host; None where an endpoint must be configured.
    :ivar paths: dialect name to path.
    :ivar caps: dialect name to the field that caps output tokens; a dot leads into an
        object.
    :ivar extensions: see :class:`aigw.interfaces.IProvider`.
    :ivar renames: fields deleted when a cap is set, because the vendor refuses both.
    :ivar base: where the vendor keeps what OpenAI keeps under ``/v1``.
    :ivar removes: fields that are never sent.
    :ivar asks_usage: whether ``stream_options`` may be sent; who refuses it tells usage
        without being asked.
    """

    name: str
    host: str | None
    paths: Mapping[str, str]
    caps: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    base: str = "/v1"
    removes: tuple[str, ...] = ()
    asks_usage: bool = True
    extensions: frozenset[str] = frozenset()

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """The dialects of ``paths``, in their order."""
        return tuple(self.paths)


_CHAT = {"openai-chat": "/v1/chat/completions"}
_RESPONSES = {"openai-responses": "/v1/responses"}
_EMBEDDINGS = {"openai-embeddings": "/v1/embeddings"}
_EVERY = {**_CHAT, **_RESPONSES, **_EMBEDDINGS}

#: Most servers know OpenAI's older name of the cap; OpenAI's newer models the newer.
_CAPS = {"openai-chat": "max_tokens", "openai-responses": "max_output_tokens"}


def _below(base: str, paths: Mapping[str, str]) -> dict[str, str]:
    return {dialect: base + path[len("/v1") :] for dialect, path in paths.items()}


PRESETS = (
    Preset(
        "openai",
        "api.openai.com",
        _EVERY,
        {
            "openai-chat": "max_completion_tokens",
            "openai-responses": "max_output_tokens",
        },
        # Reasoning models refuse max_tokens, and all refuse the two together.
        renames={"openai-chat": "max_tokens"},
        # https://platform.openai.com/docs/guides/pdf-files, and the reference of chat
        # completions, whose tool messages take text alone.
        extensions=frozenset({"file", "text_results"}),
    ),
    Preset("openai-compatible", None, _EVERY, _CAPS),
    # https://api-docs.deepseek.com: with /v1 and without, the reference's is without.
    # A turn of tools is refused without its reasoning
    # (https://api-docs.deepseek.com/guides/thinking_mode).
    Preset(
        "deepseek",
        "api.deepseek.com",
        _below("", _CHAT),
        _CAPS,
        base="",
        extensions=frozenset({"reasoning_content"}),
    ),
    # https://docs.aimlapi.com: likewise.
    Preset("aimlapi", "api.aimlapi.com", _below("", _CHAT), _CAPS),
    # https://openrouter.ai/docs/api-reference/overview
    Preset(
        "openrouter",
        "openrouter.ai",
        _below("/api/v1", {**_CHAT, **_RESPONSES, **_EMBEDDINGS}),
        _CAPS,
        base="/api/v1",
        # https://openrouter.ai/docs/guides/best-practices/reasoning-tokens
        # https://openrouter.ai/docs/guides/overview/multimodal/pdfs
        extensions=frozenset({"file", "reasoning_content", "reasoning_details"}),
    ),
    # https://console.groq.com/docs/openai
    Preset(
        "groq",
        "api.groq.com",
        _below("/openai/v1", {**_CHAT, **_RESPONSES}),
        {
            "openai-chat": "max_completion_tokens",
            "openai-responses": "max_output_tokens",
        },
        renames={"openai-chat": "max_tokens"},
        base="/openai/v1",
    ),
    # https://docs.mistral.ai/api: unknown fields are refused, stream_options among
    # them; the last chunk has usage always.
    Preset(
        "mistral",
        "api.mistral.ai",
        {**_CHAT, **_EMBEDDINGS},
        _CAPS,
        asks_usage=False,
    ),
    # https://docs.together.ai/docs/openai-api-compatibility
    Preset("together", "api.together.xyz", {**_CHAT, **_EMBEDDINGS}, _CAPS),
    # https://docs.ollama.com/api/openai-compatibility
    Preset("ollama", None, _EVERY, _CAPS),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    Preset("vllm", None, _EVERY, _CAPS),
)
