"""Parts of a content as neutral parts."""

from __future__ import annotations

from typing import Literal

from aigw.dialects.json_object import opens_with, wrong
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from .wire import Wire
from .words import NAME, kind_of, made_id, standard, thought_of, unpacked

#: Where Google keeps files that were uploaded to it.
_OWN_FILES = ("gs://", "https://generativelanguage.googleapis.com/", "files/")
_ABOUT = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution"})


class Parts:
    """
    Reads the parts of one request, in order: a call without an id is given one made of
    its place, and a result without one that of the first call of its name that has no
    result yet.
    """

    def __init__(self) -> None:
        self._unanswered: list[ToolCall] = []
        self._calls = 0

    def part(self, raw: bytes, path: str) -> Part:
        part = Wire(raw, path)
        if part.look("text") is not None:
            return self._text(part)
        if part.look("functionCall") is not None:
            return self._call(part)
        if part.look("functionResponse") is not None:
            return self._result(part)
        for name in ("inlineData", "fileData"):
            if part.look(name) is not None:
                return _media(part, name)
        if part.names() == ["thoughtSignature"]:
            return Redacted(_signature(part) or Signature("", ""))
        kind = next((n for n in part.names() if n not in _ABOUT), "nothing")
        return Opaque(NAME, kind, raw)

    def _text(self, part: Wire) -> Part:
        text = part.string("text") or ""
        thought = part.boolean("thought")
        if not thought:
            signature = _signature(part)
            return Text(text, signature=signature, rider=part.rest())
        found = thought_of(text, part.string("thoughtSignature") or "")
        if isinstance(found, Redacted):
            return found
        return Thinking(found.text, found.signature, rider=part.rest())

    def _call(self, part: Wire) -> ToolCall:
        given = part.object("functionCall")
        name = given.string("name") if given is not None else None
        if given is None or name is None:
            wrong(part.at("functionCall.name"), "a string")
        args = given.raw("args") or b"{}"
        if not opens_with(args, b"{"):
            wrong(given.at("args"), "an object")
        self._calls += 1
        signature = _signature(part)
        call = ToolCall(
            id=given.string("id") or made_id(self._calls, name),
            name=name,
            arguments=args.decode(),
            signature=signature,
            rider=part.rest(),
        )
        self._unanswered.append(call)
        return call

    def _result(self, part: Wire) -> ToolResult:
        given = part.object("functionResponse")
        name = given.string("name") if given is not None else None
        if given is None or name is None:
            wrong(part.at("functionResponse.name"), "a string")
        id = given.string("id") or ""
        for call in self._unanswered:
            if call.id == id if id else call.name == name:
                id = call.id
                self._unanswered.remove(call)
                break
        raw = given.raw("response") or b"{}"
        parts, failed = _response(raw, given.at("response"))
        media = [self._within(*one) for one in given.several("parts")]
        return ToolResult(
            id=id or made_id("result", name),
            parts=(*parts, *media),
            name=name,
            error=failed,
            rider=part.rest(),
        )

    def _within(self, raw: bytes, path: str) -> Part:
        """A part of a result: nothing but media stands there."""
        part = Wire(raw, path)
        for name in ("inlineData", "fileData"):
            if part.look(name) is not None:
                return _media(part, name)
        return Opaque(NAME, "result part", raw)


def _response(raw: bytes, path: str) -> tuple[tuple[Part, ...], bool]:
    """
    What a tool answered: the text under ``output`` or ``error`` where that is all, else
    the object itself, as text.
    """
    if raw == b"{}":
        return (), False
    response = Wire(raw, path)
    if len(response.names()) == 1:
        for name in ("output", "error"):
            told = response.look(name)
            if told is not None and opens_with(told, b'"'):
                text = response.string(name) or ""
                if name == "error" or not text.lstrip().startswith("{"):
                    return (Text(text),), name == "error"
    return (Text(raw.decode()),), False


def _signature(part: Wire) -> Signature | None:
    value = part.string("thoughtSignature")
    return unpacked(value)[0] if value else None


def _media(part: Wire, name: str) -> Media:
    given = part.object(name)
    if given is None:
        wrong(part.at(name), "an object")
    type = given.string("mimeType") or ""
    kind: Literal["image", "document", "audio", "video"]
    found = kind_of(type)
    kind = "image" if found == "image" else "document"
    if found == "audio":
        kind = "audio"
    elif found == "video":
        kind = "video"
    if name == "inlineData":
        data = standard(given.string("data") or "")
        return Media(kind, "base64", data, type, rider=part.rest())
    uri = given.string("fileUri") or ""
    if not type and "youtu" in uri:
        kind = "video"
    own = uri.startswith(_OWN_FILES)
    return Media(kind, "file" if own else "url", uri, type, rider=part.rest())
