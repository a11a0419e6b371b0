"""Content blocks of a Converse request as neutral parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec

from aigw.dialects import failures, foreign
from aigw.dialects.claude import VENDOR
from aigw.dialects.json_object import JSONObject, items, opens_with, wrong
from aigw.model.part import (
    Cache,
    Media,
    Opaque,
    Part,
    Redacted,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from . import blob
from .citation import citation_of
from .media import Kind, read_media
from .words import NAME

_MEDIA: Final[tuple[Kind, ...]] = ("image", "document", "audio", "video")

#: Blocks that are text to every other dialect: kept as their own rider, by which they
#: are put back.
WRAPPED: Final = frozenset({"guardContent", "searchResult"})


def blocks_of(raw: bytes, path: str, inner: bool = False) -> tuple[Part, ...]:
    """
    The parts of an array of blocks.

    :param inner: whether they are a tool result's, which may hold no result itself:
        nothing else nests, so nothing can nest too deep.
    """
    parts: list[Part] = []
    for index, item in enumerate(items(raw, path)):
        if parts and not inner and _marks(parts, bytes(item)):
            continue
        parts.append(_block(bytes(item), f"{path}[{index}]", inner))
    return tuple(parts)


def marker_of(raw: bytes) -> Cache | None:
    """The marker that a lone ``cachePoint`` block is, None where it says more."""
    if b"cachePoint" not in raw:
        return None
    told = failures.decoded(raw)
    point = told.get("cachePoint") if isinstance(told, dict) and len(told) == 1 else 0
    if not isinstance(point, dict) or point.get("type") != "default":
        return None
    if point.keys() == {"type"}:
        return Cache()
    ttl = point.get("ttl")
    whole = point.keys() == {"type", "ttl"}
    return Cache(ttl) if whole and isinstance(ttl, str) and ttl else None


def _marks(parts: list[Part], raw: bytes) -> bool:
    """Whether a block is the marker behind the last of ``parts``, which takes it."""
    last = parts[-1]
    if not isinstance(last, Text | Media | ToolCall | ToolResult) or last.cache:
        return False
    marker = marker_of(raw)
    if marker is None:
        return False
    parts[-1] = replace(last, cache=marker)
    return True


def _block(raw: bytes, path: str, inner: bool) -> Part:
    if not opens_with(raw, b"{"):
        return Opaque(NAME, "no object", raw)
    block = JSONObject(raw, path)
    if block.look("text") is not None:
        text = block.string("text")
        if text is None:
            wrong(block.at("text"), "a string")
        return Text(text, rider=block.rest())
    if inner and block.look("json") is not None:
        told = bytes(block.look("json") or b"")
        block.raw("json")
        return Text(told.decode(), rider=block.rest(), json=True)
    for name, read in _READERS.items():
        if block.look(name) is not None:
            found = read(block, raw) if not inner or name != "toolResult" else None
            return found or Opaque(NAME, name, raw)
    for kind in _MEDIA:
        if block.look(kind) is not None:
            medium = read_media(block, kind)
            if medium is None:
                return Opaque(NAME, kind, raw)
            return replace(medium, rider=block.rest())
    return Opaque(NAME, _key(raw), raw)


def _tool_use(block: JSONObject, raw: bytes) -> ToolCall | None:
    use = block.object("toolUse")
    if use is None or use.look("type") is not None:
        return None  # a tool of the provider's own
    id, name = use.string("toolUseId"), use.string("name")
    if id is None or name is None:
        wrong(use.at("toolUseId" if id is None else "name"), "a string")
    given = use.raw("input") or b"{}"
    if not opens_with(given, b"{"):
        wrong(use.at("input"), "an object")
    return ToolCall(id=id, name=name, arguments=given.decode(), rider=block.rest())


def _tool_result(block: JSONObject, raw: bytes) -> ToolResult | None:
    result = block.object("toolResult")
    if result is None or result.look("type") is not None:
        return None
    id = result.string("toolUseId")
    if id is None:
        wrong(result.at("toolUseId"), "a string")
    content = result.raw("content")
    error = result.look("status") == b'"error"'
    if error or result.look("status") == b'"success"':
        result.raw("status")  # success is what saying nothing means
    return ToolResult(
        id=id,
        parts=()
        if content is None
        else blocks_of(content, result.at("content"), inner=True),
        error=error,
        rider=block.rest(),
    )


def _reasoning(block: JSONObject, raw: bytes) -> Part | None:
    content = block.object("reasoningContent")
    if content is None:
        return None
    if content.look("redactedContent") is not None:
        data = content.string("redactedContent") or ""
        return None if block.rest() else Redacted(blob.read(data))
    thought = content.object("reasoningText")
    if thought is None:
        return None
    value = thought.string("signature")
    signature = foreign.unpack(value, VENDOR) if value else None
    return Thinking(thought.string("text") or "", signature, rider=block.rest())


def _cited(block: JSONObject, raw: bytes) -> Text | None:
    told = block.object("citationsContent")
    if told is None:
        return None
    content = told.objects("content")
    text = "".join(one.string("text") or "" for one in content)
    citations = told.objects("citations")
    if any(one.rest() for one in content):
        return None
    return Text(
        text,
        citations=tuple(
            citation_of(failures.decoded(one.whole())) for one in citations
        ),
        rider=block.rest(),
    )


def _wrapped(block: JSONObject, raw: bytes) -> Text | None:
    """What everybody else is to read of a guarded text or a search result."""
    told: Any = failures.decoded(raw)
    guarded = told.get("guardContent")
    if isinstance(guarded, dict) and isinstance(guarded.get("text"), dict):
        text = guarded["text"].get("text")
        if isinstance(text, str):
            return Text(text, rider=block.rest())
    found = told.get("searchResult")
    if not isinstance(found, dict) or not isinstance(found.get("content"), list):
        return None
    lines = [found.get("title"), found.get("source")]
    lines += [one.get("text") for one in found["content"] if isinstance(one, dict)]
    text = "\n".join(line for line in lines if isinstance(line, str))
    return Text(text, rider=block.rest())


def _key(raw: bytes) -> str:
    try:
        names = list(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, RecursionError):
        return "unreadable"
    return names[0] if names else "empty"


_READERS = {
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "reasoningContent": _reasoning,
    "citationsContent": _cited,
    "guardContent": _wrapped,
    "searchResult": _wrapped,
}
