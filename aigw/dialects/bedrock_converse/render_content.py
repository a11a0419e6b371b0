"""Neutral parts as content blocks of a Converse request."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import failures, foreign
from aigw.dialects.claude import VENDOR
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
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from . import blob, citation
from .media import Written
from .parse_content import WRAPPED
from .words import CALL_ID, CLAUDE_CALL_ID, NAME, TOOL_NAME, may_be_claude, may_cache

_TTLS = {"5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h", "24h": "1h"}


class Content:
    """
    Renders parts; keeps account of what cannot be carried.

    :param model: the model asked: some blocks are refused by all models but a few.
    """

    def __init__(self, ledger: Ledger, model: str) -> None:
        self._ledger = ledger
        self._media = Written(ledger)
        claude = may_be_claude(model)
        self._claude = ledger.native or claude
        self._id = CLAUDE_CALL_ID if claude and not ledger.native else CALL_ID
        self._caches = ledger.native or may_cache(model)

    def blocks(self, parts: tuple[Part, ...], path: str) -> list[Any]:
        blocks: list[Any] = []
        for index, part in enumerate(parts):
            at = f"{path}[{index}]"
            block = self._block(part, at)
            if block is None:
                continue
            blocks.append(block)
            cache = _cache_of(part)
            if cache is not None:
                blocks += self.mark(cache, at)
        return blocks

    def _results(self, parts: tuple[Part, ...], path: str) -> list[Any]:
        """The content of a tool result, in which no marker and no sound may stand."""
        blocks: list[Any] = []
        for index, part in enumerate(parts):
            at = f"{path}[{index}]"
            if isinstance(part, Media) and part.kind == "audio":
                if not self._ledger.native:
                    self._ledger.refuse(at, "audio in a tool result")
            block = self._block(part, at)
            if block is not None:
                blocks.append(block)
        return blocks

    def mark(self, cache: Cache, at: str) -> list[Any]:
        """
        The block that marks what stands before it, with the nearest of the two times to
        live; none where the model takes none.
        """
        if not self._caches:
            self._ledger.drop(f"{at}.cache_control" if at else "cache_control")
            return []
        point = {"type": "default"}
        if cache.ttl:
            native = self._ledger.native
            point["ttl"] = cache.ttl if native else _TTLS.get(cache.ttl, "5m")
        return [{"cachePoint": point}]

    def _block(self, part: Part, at: str) -> Any:
        if isinstance(part, Text):
            return self._text(part, at)
        if isinstance(part, ToolCall):
            return self._tool_use(part, at)
        if isinstance(part, ToolResult):
            return self._tool_result(part, at)
        if isinstance(part, Media):
            media = self._media(part, at)
            return media and self._with(media, part.rider, at)
        if isinstance(part, Thinking):
            return self._thinking(part, at)
        if isinstance(part, Redacted):
            if self._readable(part.signature):
                told = {"redactedContent": blob.written(part.signature)}
                return {"reasoningContent": told}
            self._ledger.drop(f"{at}.redacted")
            return None
        if isinstance(part, Refusal):
            return {"text": part.text} if part.text.strip() else None
        assert isinstance(part, Opaque)
        if part.dialect == NAME:
            return msgspec.Raw(part.raw)
        self._ledger.drop(f"{at} ({part.type[:40]})")
        return None

    def _text(self, part: Text, at: str) -> dict[str, Any] | None:
        ledger = self._ledger
        if not ledger.native:
            if not part.text.strip():
                return None  # the API refuses blank blocks
            if part.signature is not None:
                ledger.drop(f"{at}.signature")
        elif any(path[0] in WRAPPED for path, _ in part.rider):
            return self._with({}, part.rider, at)
        if part.json and (ledger.native or _is_object(part.text)):
            block: dict[str, Any] = {"json": msgspec.Raw(part.text.encode())}
            return self._with(block, part.rider, at)
        own = [c for c in part.citations if c.dialect == NAME]
        if len(own) < len(part.citations):
            ledger.drop(f"{at}.citations")
        inside = any(path[0] == "citationsContent" for path, _ in part.rider)
        if own or (ledger.native and inside):
            told = [citation.written(one) for one in own]
            return self._with(citation.cited(part.text, told), part.rider, at)
        return self._with({"text": part.text}, part.rider, at)

    def _readable(self, signature: Signature) -> bool:
        """Whether the model can read what it signs."""
        if self._ledger.native or signature.vendor == blob.BEDROCK:
            return True
        return signature.vendor == VENDOR and self._claude

    def _thinking(self, part: Thinking, at: str) -> dict[str, Any] | None:
        signature = part.signature
        told = {"text": part.text}
        if signature is not None and self._readable(signature):
            told["signature"] = foreign.pack(signature, VENDOR)
            if signature.vendor == blob.BEDROCK and not self._ledger.native:
                told["signature"] = signature.value
        elif signature is not None or not self._ledger.native:
            self._ledger.drop(f"{at}.thinking")
            return None
        return self._with({"reasoningContent": {"reasoningText": told}}, part.rider, at)

    def _tool_use(self, call: ToolCall, at: str) -> dict[str, Any]:
        if call.kind == "custom":
            self._ledger.refuse(at, "a call of a tool that takes text")
        if call.signature is not None:
            self._ledger.drop(f"{at}.signature")
        use = {
            "toolUseId": self._id(call.id),
            "name": TOOL_NAME(call.name),
            "input": msgspec.Raw(self._input(call, at)),
        }
        return self._with({"toolUse": use}, call.rider, at)

    def _input(self, call: ToolCall, at: str) -> bytes:
        """Arguments as an object; models sometimes say what is none."""
        if not call.arguments.strip():
            return b"{}"
        if not _is_object(call.arguments):
            self._ledger.clamp(f"{at}.arguments")
            return b"{}"
        return call.arguments.encode()

    def _tool_result(self, result: ToolResult, at: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "toolUseId": self._id(result.id),
            "content": self._results(result.parts, f"{at}.content"),
        }
        if result.error:
            told["status"] = "error"
        return self._with({"toolResult": told}, result.rider, at)

    def _with(self, block: dict[str, Any], rider: Rider, at: str) -> dict[str, Any]:
        graft(block, self._ledger.rider(at, rider))
        return block


def _cache_of(part: Part) -> Cache | None:
    """The marker behind a part; a tool result's stands for all that are in it."""
    if isinstance(part, ToolResult) and part.cache is None:
        inner = (_cache_of(one) for one in part.parts)
        return next((cache for cache in inner if cache is not None), None)
    if isinstance(part, Text | Media | ToolCall | ToolResult):
        return part.cache
    return None


def _is_object(text: str) -> bool:
    return isinstance(failures.decoded(text.encode("utf-8", "replace")), dict)
