"""Content blocks of a Messages request as neutral parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from aigw.dialects import foreign
from aigw.dialects.json_object import JSONObject, items, opens_with, wrong
from aigw.model.part import (
    Cache,
    Citation,
    Media,
    Opaque,
    Part,
    Redacted,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from .words import NAME, VENDOR


def blocks_of(raw: bytes, path: str, inner: bool = False) -> tuple[Part, ...]:
    """
    The parts of an array of blocks.

    :param inner: whether they are a tool result's, which may hold no result itself:
        nothing else nests, so nothing can nest too deep.
    """
    return tuple(
        _block(bytes(item), f"{path}[{index}]", inner)
        for index, item in enumerate(items(raw, path))
    )


def cache_of(block: JSONObject) -> Cache | None:
    marker = block.object("cache_control")
    if marker is None:
        return None
    marker.raw("type")
    return Cache(marker.string("ttl") or "")


def citation_of(raw: bytes, path: str) -> Citation:
    """A citation of text, however it says where it was found."""
    told = JSONObject(raw, path)
    title = told.look("document_title")
    named = "title" if title is None else "document_title"
    return Citation(
        url=_string(told, "url"),
        title=_string(told, named),
        quote=_string(told, "cited_text"),
        dialect=NAME,
        raw=bytes(raw),
    )


def _string(told: JSONObject, name: str) -> str:
    raw = told.look(name)
    return (told.string(name) or "") if raw and opens_with(raw, b'"') else ""


def _block(raw: bytes, path: str, inner: bool) -> Part:
    if not opens_with(raw, b"{"):
        return Opaque(NAME, "no object", raw)
    block = JSONObject(raw, path)
    kind = block.string("type")
    if kind == "text":
        return _text(block)
    if kind == "tool_use":
        return _tool_use(block)
    if kind == "tool_result" and not inner:
        return _tool_result(block)
    if kind == "thinking":
        value = block.string("signature")
        signature = foreign.unpack(value, VENDOR) if value else None
        text = block.string("thinking") or ""
        return Thinking(text, signature, rider=block.rest())
    if kind == "redacted_thinking":
        return Redacted(foreign.unpack(block.string("data") or "", VENDOR))
    if kind == "image" or kind == "document":
        found = _media(block, "image" if kind == "image" else "document")
        if found is not None:
            return found
    if kind is None:
        wrong(block.at("type"), "a string")
    return Opaque(NAME, kind, raw)


def _text(block: JSONObject) -> Text:
    text = block.string("text")
    if text is None:
        wrong(block.at("text"), "a string")
    raw = block.raw("citations")
    path = block.at("citations")
    citations = () if raw is None else tuple(items(raw, path))
    return Text(
        text,
        citations=tuple(
            citation_of(bytes(one), f"{path}[{index}]")
            for index, one in enumerate(citations)
        ),
        cache=cache_of(block),
        rider=block.rest(),
    )


def _tool_use(block: JSONObject) -> ToolCall:
    id, name = block.string("id"), block.string("name")
    if id is None or name is None:
        wrong(block.at("id" if id is None else "name"), "a string")
    given = block.raw("input") or b"{}"
    if not opens_with(given, b"{"):
        wrong(block.at("input"), "an object")
    return ToolCall(
        id=id,
        name=name,
        arguments=given.decode(),
        cache=cache_of(block),
        rider=block.rest(),
    )


def _tool_result(block: JSONObject) -> ToolResult:
    id = block.string("tool_use_id")
    if id is None:
        wrong(block.at("tool_use_id"), "a string")
    raw = block.look("content")
    parts: tuple[Part, ...] = ()
    if raw is not None and opens_with(raw, b'"'):
        parts = (Text(block.string("content") or ""),)
    else:
        raw = block.raw("content")
        if raw is not None:
            parts = blocks_of(raw, block.at("content"), inner=True)
    return ToolResult(
        id=id,
        parts=parts,
        error=bool(block.boolean("is_error")),
        cache=cache_of(block),
        rider=block.rest(),
    )


def _media(block: JSONObject, kind: Literal["image", "document"]) -> Media | None:
    """None where only this dialect knows such a source."""
    source = block.object("source")
    if source is None:
        wrong(block.at("source"), "an object")
    form = source.string("type")
    if form in ("base64", "text"):
        value = source.string("data")
        type = source.string("media_type") or ""
        found = Media(kind, "base64" if form == "base64" else "text", value or "", type)
    elif form == "url":
        found = Media(kind, "url", source.string("url") or "")
    elif form == "file":
        found = Media(kind, "file", source.string("file_id") or "")
    else:
        return None
    name = block.string("title") or ""
    cache = cache_of(block)
    return replace(found, name=name, cache=cache, rider=block.rest())
