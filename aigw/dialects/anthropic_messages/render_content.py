"""Neutral parts as content blocks of a Messages request."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.part import (
    Cache,
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Rider,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from .words import CALL_ID, NAME, TOOL_NAME, VENDOR

_IMAGES = {"image/jpg": "image/jpeg", "": "image/png"}
_TTLS = {"5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h", "24h": "1h"}


def cache_control(cache: Cache) -> dict[str, str]:
    """The nearest of Anthropic's two times to live."""
    marker = {"type": "ephemeral"}
    if cache.ttl:
        marker["ttl"] = _TTLS.get(cache.ttl, "5m")
    return marker


class Content:
    """Renders parts; keeps account of what cannot be carried."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def blocks(self, parts: tuple[Part, ...], path: str) -> list[Any]:
        blocks: list[Any] = []
        for index, part in enumerate(parts):
            block = self._block(part, f"{path}[{index}]")
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self, part: Part, at: str) -> Any:
        if isinstance(part, Text):
            return self._text(part, at)
        if isinstance(part, ToolCall):
            return self._tool_use(part, at)
        if isinstance(part, ToolResult):
            return self._tool_result(part, at)
        if isinstance(part, Media):
            return self._media(part, at)
        if isinstance(part, Thinking):
            return self._thinking(part, at)
        if isinstance(part, Redacted):
            if part.signature.vendor == VENDOR:
                return {"type": "redacted_thinking", "data": part.signature.value}
            self._ledger.drop(f"{at}.redacted")
            return None
        if isinstance(part, Refusal):
            return {"type": "text", "text": part.text} if part.text else None
        assert isinstance(part, Opaque)
        if part.dialect == NAME:
            return msgspec.Raw(part.raw)
        self._ledger.drop(f"{at} ({part.type[:40]})")
        return None

    def _text(self, part: Text, at: str) -> dict[str, Any] | None:
        if not part.text and not self._ledger.native:
            return None  # the API refuses empty blocks
        block: dict[str, Any] = {"type": "text", "text": part.text}
        citations = [msgspec.Raw(c.raw) for c in part.citations if c.dialect == NAME]
        if len(citations) < len(part.citations):
            self._ledger.drop(f"{at}.citations")
        if part.signature is not None:
            self._ledger.drop(f"{at}.signature")
        if citations:
            block["citations"] = citations
        return self._with(block, part.cache, part.rider, at)

    def _thinking(self, part: Thinking, at: str) -> dict[str, Any] | None:
        signature = part.signature
        if signature is None and self._ledger.native:
            value = ""
        elif signature is None or signature.vendor != VENDOR:
            self._ledger.drop(f"{at}.thinking")
            return None
        else:
            value = signature.value
        block = {"type": "thinking", "thinking": part.text, "signature": value}
        return self._with(block, None, part.rider, at)

    def _tool_use(self, call: ToolCall, at: str) -> dict[str, Any]:
        if call.kind == "custom":
            self._ledger.refuse(at, "a call of a tool that takes text")
        if call.signature is not None:
            self._ledger.drop(f"{at}.signature")
        block = {
            "type": "tool_use",
            "id": CALL_ID(call.id),
            "name": TOOL_NAME(call.name),
            "input": msgspec.Raw(self._input(call, at)),
        }
        return self._with(block, call.cache, call.rider, at)

    def _input(self, call: ToolCall, at: str) -> bytes:
        """Arguments as an object; models sometimes say what is none."""
        if not call.arguments.strip():
            return b"{}"
        raw = call.arguments.encode()
        try:
            msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            self._ledger.clamp(f"{at}.arguments")
            return b"{}"
        return raw

    def _tool_result(self, result: ToolResult, at: str) -> dict[str, Any]:
        blocks = self.blocks(result.parts, f"{at}.content")
        block: dict[str, Any] = {
            "type": "tool_result",
            "tool_use_id": CALL_ID(result.id),
        }
        only = result.parts[0] if len(result.parts) == 1 else None
        if isinstance(only, Text) and only.cache is None and not only.rider:
            block["content"] = only.text
        elif blocks:
            block["content"] = blocks
        if result.error:
            block["is_error"] = True
        return self._with(block, result.cache, result.rider, at)

    def _media(self, media: Media, at: str) -> dict[str, Any] | None:
        ledger = self._ledger
        if media.kind not in ("image", "document"):
            ledger.refuse(at, f"{media.kind} input")
        if media.source == "file" and not ledger.native:
            ledger.refuse(at, "the file id is another provider's")
        if not media.value and not ledger.native:
            return None
        block: dict[str, Any] = {"type": media.kind, "source": self._source(media, at)}
        if media.name and media.kind == "document":
            block["title"] = media.name
        if media.detail:
            ledger.drop(f"{at}.detail")
        return self._with(block, media.cache, media.rider, at)

    def _source(self, media: Media, at: str) -> dict[str, Any]:
        if media.source == "url":
            return {"type": "url", "url": media.value}
        if media.source == "file":
            return {"type": "file", "file_id": media.value}
        kind = media.type
        if media.source == "text":
            return {
                "type": "text",
                "media_type": kind or "text/plain",
                "data": media.value,
            }
        if not self._ledger.native:
            if media.kind == "image":
                kind = _IMAGES.get(kind, kind)
            elif kind not in ("", "application/pdf"):
                self._ledger.refuse(at, f"a document of type {kind!r}")
            else:
                kind = "application/pdf"
        source = {"type": "base64", "data": media.value}
        if kind:
            source["media_type"] = kind
        return source

    def _with(
        self, block: dict[str, Any], cache: Cache | None, rider: Rider, at: str
    ) -> dict[str, Any]:
        if cache is not None:
            block["cache_control"] = cache_control(cache)
        graft(block, self._ledger.rider(at, rider))
        return block
