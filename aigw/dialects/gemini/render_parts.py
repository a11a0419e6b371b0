"""Neutral parts as parts of a content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aigw.dialects.google import VENDOR
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from .words import NAME, TOOL_NAME, is_made

_TYPES = {"image": "image/png", "document": "application/pdf", "audio": "audio/wav"}
_SUFFIXES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "webm": "video/webm",
}


class Parts:
    """
    Renders parts; keeps account of what cannot be carried.

    :param names: the tools' names by the ids of their calls; results repeat them.
    :param nested: whether the model takes media inside of results.
    """

    def __init__(self, names: Mapping[str, str], nested: bool, ledger: Ledger) -> None:
        self._names = names
        self._nested = nested or ledger.native
        self._ledger = ledger

    def rendered(self, parts: tuple[Part, ...], path: str) -> list[Any]:
        out: list[Any] = []
        for index, part in enumerate(parts):
            self._part(part, f"{path}[{index}]", out)
        return out

    def _part(self, part: Part, at: str, out: list[Any]) -> None:
        ledger = self._ledger
        if isinstance(part, Text):
            self._text(part, at, out)
        elif isinstance(part, ToolCall):
            self._call(part, at, out)
        elif isinstance(part, ToolResult):
            self._result(part, at, out)
        elif isinstance(part, Media):
            media = self._media(part, at)
            if media is not None:
                out.append(media)
        elif isinstance(part, Thinking):
            self._thinking(part, at, out)
        elif isinstance(part, Redacted):
            if part.signature.vendor == VENDOR:
                signed = {"thoughtSignature": part.signature.value}
                out.append(signed if ledger.native else {"text": "", **signed})
            else:
                ledger.drop(f"{at}.redacted")
        elif isinstance(part, Refusal):
            if part.text:
                out.append({"text": part.text})
        else:
            assert isinstance(part, Opaque)
            if part.dialect == NAME:
                out.append(msgspec.Raw(part.raw))
            else:
                ledger.drop(f"{at} ({part.type[:40]})")

    def _text(self, part: Text, at: str, out: list[Any]) -> None:
        if part.citations:
            self._ledger.drop(f"{at}.citations")
        if part.cache is not None:
            self._ledger.drop(f"{at}.cache_control")
        told: dict[str, Any] = {"text": part.text}
        self._sign(told, part.signature, at)
        graft(told, self._ledger.rider(at, part.rider))
        if part.text or self._ledger.native or len(told) > 1:
            out.append(told)

    def _thinking(self, part: Thinking, at: str, out: list[Any]) -> None:
        signature = part.signature
        own = signature is not None and signature.vendor == VENDOR
        if not own and not (self._ledger.native and signature is None):
            self._ledger.drop(f"{at}.thinking")
            return
        told: dict[str, Any] = {"text": part.text, "thought": True}
        self._sign(told, signature, at)
        graft(told, self._ledger.rider(at, part.rider))
        out.append(told)

    def _sign(self, told: dict[str, Any], signature: Signature | None, at: str) -> None:
        if signature is None:
            return
        if signature.vendor == VENDOR:
            told["thoughtSignature"] = signature.value
        else:
            self._ledger.drop(f"{at}.signature")

    def _call(self, call: ToolCall, at: str, out: list[Any]) -> None:
        ledger = self._ledger
        if call.kind == "custom":
            ledger.refuse(at, "a call of a tool that takes text")
        if call.cache is not None:
            ledger.drop(f"{at}.cache_control")
        given: dict[str, Any] = {"name": TOOL_NAME(call.name)}
        if not is_made(call.id):
            given["id"] = call.id
        given["args"] = msgspec.Raw(self._args(call, at))
        told: dict[str, Any] = {"functionCall": given}
        self._sign(told, call.signature, at)
        graft(told, ledger.rider(at, call.rider))
        out.append(told)

    def _args(self, call: ToolCall, at: str) -> bytes:
        """Arguments as an object; models sometimes say what is none."""
        if not call.arguments.strip():
            return b"{}"
        raw = call.arguments.encode()
        if not _is_object(raw):
            self._ledger.clamp(f"{at}.arguments")
            return b"{}"
        return raw

    def _result(self, result: ToolResult, at: str, out: list[Any]) -> None:
        ledger = self._ledger
        name = result.name or self._names.get(result.id, "")
        if not name:
            ledger.refuse(at, "no call has its id")
        if result.cache is not None:
            ledger.drop(f"{at}.cache_control")
        texts: list[str] = []
        media: list[Any] = []
        for index, part in enumerate(result.parts):
            path = f"{at}.content[{index}]"
            if isinstance(part, Text):
                texts.append(part.text)
                if part.citations:
                    ledger.drop(f"{path}.citations")
                ledger.rider(path, part.rider)
            else:
                self._part(part, path, media)
        given: dict[str, Any] = {"name": TOOL_NAME(name)}
        if result.id and not is_made(result.id):
            given["id"] = result.id
        given["response"] = _response("".join(texts), bool(texts), result.error)
        if media and self._nested:
            given["parts"] = media
        told = {"functionResponse": given}
        graft(told, ledger.rider(at, result.rider))
        out.append(told)
        if not self._nested:
            out += media

    def _media(self, media: Media, at: str) -> dict[str, Any] | None:
        ledger = self._ledger
        if media.source == "file" and not ledger.native:
            ledger.refuse(at, "the file id is another provider's")
        if not media.value and not ledger.native:
            return None
        for field in ("detail", "name"):
            if getattr(media, field):
                ledger.drop(f"{at}.{field}")
        if media.cache is not None:
            ledger.drop(f"{at}.cache_control")
        told: dict[str, Any]
        if media.source == "text":
            told = {"text": media.value}
        else:
            inline = media.source == "base64"
            type = media.type
            if not type and not ledger.native:
                type = "" if inline else _suffix_type(media.value)
                type = type or _TYPES.get(media.kind, "")
            given = {"data" if inline else "fileUri": media.value}
            if type:
                given["mimeType"] = "image/jpeg" if type == "image/jpg" else type
            told = {"inlineData" if inline else "fileData": given}
        graft(told, ledger.rider(at, media.rider))
        return told


def _response(text: str, said: bool, error: bool) -> Any:
    """What a tool answered, an object: its own where it is one."""
    if error:
        return {"error": text}
    if not said:
        return {}
    raw = text.encode()
    return msgspec.Raw(raw) if _is_object(raw) else {"output": text}


def _is_object(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _suffix_type(url: str) -> str:
    path = url.partition("?")[0].partition("#")[0]
    return _SUFFIXES.get(path.rpartition(".")[2].lower(), "")
