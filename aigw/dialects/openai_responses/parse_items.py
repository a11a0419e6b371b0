"""
Items of a Responses request as neutral messages. Reasoning, text and calls are items of
their own here; those of one turn of the model become one message.
"""

from __future__ import annotations

from dataclasses import replace

from aigw.dialects import data_uri, foreign
from aigw.dialects.json_object import JSONObject, items, opens_with, wrong
from aigw.model.call import Message, Role
from aigw.model.part import (
    Cache,
    Citation,
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

from .words import NAME, signed

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
}


#: What was said stands at OpenAI, or is readable there alone.
_KEPT = frozenset({"item_reference", "compaction"})


class _Turns:
    """Messages made of items; holds the model's turn under way."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._at = ""
        self._parts: list[Part] = []
        self._rider: Rider = ()
        self._spoke = False

    def other(self, message: Message) -> None:
        """Somebody else's turn."""
        self.end()
        self.messages.append(message)

    def said(self, item: JSONObject) -> None:
        """A message of the model; a second one is a turn of its own."""
        if self._spoke:
            self.end()
        self._begin(item)
        self._spoke = True
        item.raw("role")
        self._parts += _content(item)
        self._rider = item.rest()

    def did(self, item: JSONObject, part: Part) -> None:
        """Reasoning, a call, a hosted tool at work."""
        self._begin(item)
        self._parts.append(part)

    def end(self) -> None:
        if self._parts:
            parts = foreign.bound(self._parts)
            turn = Message("assistant", parts, rider=self._rider, at=self._at)
            self.messages.append(turn)
        self._parts, self._rider, self._spoke = [], (), False

    def _begin(self, item: JSONObject) -> None:
        if not self._parts:
            self._at = item.path


def messages_of(raw: bytes) -> tuple[list[Message], list[str]]:
    """Messages, and the paths of items that only OpenAI knows what is in."""
    turns = _Turns()
    referred: list[str] = []
    for index, one in enumerate(items(raw, "input")):
        item = JSONObject(one, f"input[{index}]")
        kind = item.string("type") or _implied(item)
        if kind == "message" and item.look("role") == b'"assistant"':
            turns.said(item)
        elif kind == "message":
            turns.other(_message(item))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            turns.other(Message("tool", (_result(item, kind),), at=item.path))
        elif kind in ("function_call", "custom_tool_call"):
            turns.did(item, _call(item, kind == "custom_tool_call"))
        elif kind == "reasoning":
            turns.did(item, _reasoning(item))
        else:
            if kind in _KEPT:
                referred.append(item.path)
            turns.did(item, Opaque(NAME, kind, bytes(one)))
    turns.end()
    return turns.messages, referred


def _implied(item: JSONObject) -> str:
    """The type of an item that names none."""
    alone = item.look("role") is None and item.look("content") is None
    return "item_reference" if alone and item.look("id") is not None else "message"


def _message(item: JSONObject) -> Message:
    role = _ROLES.get(item.string("role") or "")
    if role is None:
        wrong(item.at("role"), "system, developer, user or assistant")
    return Message(role, _content(item), rider=item.rest(), at=item.path)


def _call(item: JSONObject, custom: bool) -> ToolCall:
    id, name = item.string("call_id"), item.string("name")
    if id is None or name is None:
        wrong(item.at("call_id" if id is None else "name"), "a string")
    return ToolCall(
        id=id,
        name=name,
        arguments=item.string("input" if custom else "arguments") or "",
        kind="custom" if custom else "function",
        rider=item.rest(),
    )


def _result(item: JSONObject, kind: str) -> ToolResult:
    id = item.string("call_id")
    if id is None:
        wrong(item.at("call_id"), "a string")
    parts = _content(item, "output")
    name = item.string("name") or ""
    return ToolResult(
        id, parts, name=name, custom=kind.startswith("custom"), rider=item.rest()
    )


def _reasoning(item: JSONObject) -> Part:
    texts = [part.string("text") or "" for part in item.objects("summary")]
    inner = [part.string("text") or "" for part in item.objects("content")]
    text = "\n\n".join(texts) if texts else "".join(inner)
    value = item.string("encrypted_content")
    if not value:
        return Thinking(text, rider=item.rest())
    signature, redacted = signed(item.string("id") or "", value)
    if redacted:
        return Redacted(signature)
    return Thinking(text, signature, rider=item.rest())


def _content(item: JSONObject, name: str = "content") -> tuple[Part, ...]:
    raw = item.look(name)
    if raw is not None and opens_with(raw, b'"'):
        return (Text(item.string(name) or ""),)
    if raw is None or not opens_with(raw, b"["):
        wrong(item.at(name), "a string or an array")
    return tuple(map(_part, item.objects(name)))


def _part(part: JSONObject) -> Part:
    raw = part.whole()
    kind = part.string("type")
    if kind == "input_text" or kind == "output_text" or kind == "text":
        text = part.string("text")
        if text is None:
            wrong(part.at("text"), "a string")
        citations = tuple(map(_citation, part.objects("annotations")))
        return Text(text, citations, _cache(part), rider=part.rest())
    if kind == "refusal":
        return Refusal(part.string("refusal") or "", rider=part.rest())
    if kind == "input_image":
        found = _image(part)
    elif kind == "input_file":
        found = _file(part)
    elif kind is None:
        wrong(part.at("type"), "a string")
    else:
        return Opaque(NAME, kind, raw)
    cache = _cache(part)
    return replace(found, cache=cache, rider=part.rest())


def _image(part: JSONObject) -> Media:
    detail = part.string("detail") or ""
    url = part.string("image_url")
    if url is None:
        id = part.string("file_id")
        if id is None:
            wrong(part.at("image_url"), "a string")
        return Media("image", "file", id, detail=detail)
    found = data_uri.split(url)
    if found is None:
        return Media("image", "url", url, detail=detail)
    return Media("image", "base64", found[1], type=found[0], detail=detail)


def _file(part: JSONObject) -> Media:
    name = part.string("filename") or ""
    data = part.string("file_data")
    if data is not None:
        found = data_uri.split(data)
        type, value = found if found is not None else ("", data)
        return Media("document", "base64", value, type=type, name=name)
    url = part.string("file_url")
    if url is not None:
        return Media("document", "url", url, name=name)
    id = part.string("file_id")
    if id is None:
        wrong(part.at("file_data"), "a string")
    return Media("document", "file", id, name=name)


def _cache(part: JSONObject) -> Cache | None:
    marker = part.object("prompt_cache_breakpoint")
    if marker is None:
        return None
    marker.raw("mode")
    return Cache(marker.string("ttl") or "")


def _citation(annotation: JSONObject) -> Citation:
    raw = annotation.whole()
    if annotation.look("type") != b'"url_citation"':
        return Citation(dialect=NAME, raw=raw)
    return Citation(
        url=annotation.string("url") or "",
        title=annotation.string("title") or "",
        start=annotation.integer("start_index"),
        end=annotation.integer("end_index"),
        dialect=NAME,
        raw=raw,
    )
