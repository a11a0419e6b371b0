"""A Messages request in neutral words."""

from __future__ import annotations

import re

from aigw.dialects import foreign
from aigw.dialects.claude import asked_of
from aigw.dialects.json_object import JSONObject, items, opens_with
from aigw.errors import BadRequest
from aigw.model.call import Call, Format, Message, Reasoning, Role
from aigw.model.envelope import Envelope
from aigw.model.part import Part, Text
from aigw.model.tool import Hosted, Tool, ToolChoice

from .parse_content import blocks_of, cache_of
from .words import NAME

_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
}

#: Claude Code puts a line of accounts into the system prompt; its hash changes with
#: every request and would keep any other provider's prompt cache from matching.
_BILLING = "x-anthropic-billing-header:"
_HASH = re.compile(r"\s*cch=[^;]*;?")


def parse(envelope: Envelope) -> Call:
    """See :meth:`aigw.interfaces.IChatDialect.parse`."""
    body = JSONObject(envelope.fields or {}, "")
    body.raw("stream")
    messages = _system(body) + _messages(body)
    metadata = body.object("metadata")
    output = body.object("output_config")
    choice, parallel = _tool_choice(body)
    return Call(
        origin=NAME,
        model=body.string("model") or "",
        messages=tuple(messages),
        stream=envelope.stream,
        tools=_tools(body),
        tool_choice=choice,
        parallel=parallel,
        max_tokens=body.integer("max_tokens"),
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        top_k=body.integer("top_k"),
        stop=body.strings("stop_sequences"),
        reasoning=_reasoning(body, output),
        format=_format(body, output),
        user=(metadata.string("user_id") if metadata else None) or "",
        service_tier=body.string("service_tier") or "",
        cache=cache_of(body),
        rider=body.rest(),
    )


def _system(body: JSONObject) -> list[Message]:
    raw = body.look("system")
    if raw is None or raw == b"null":
        body.raw("system")
        return []
    parts: tuple[Part, ...]
    if opens_with(raw, b'"'):
        parts = (Text(body.string("system") or ""),)
    else:
        body.raw("system")
        parts = blocks_of(raw, "system")
    return [Message("system", tuple(_accounted(parts)), at="system")]


def _accounted(parts: tuple[Part, ...]) -> list[Part]:
    kept: list[Part] = []
    for part in parts:
        if isinstance(part, Text) and part.text[: len(_BILLING)].lower() == _BILLING:
            rest = _HASH.sub("", part.text[len(_BILLING) :])
            if not rest.strip():
                continue
            text = part.text[: len(_BILLING)] + rest
            part = Text(text, part.citations, part.cache, rider=part.rider)
        kept.append(part)
    return kept


def _messages(body: JSONObject) -> list[Message]:
    raw = body.look("messages")
    if raw is None or not opens_with(raw, b"["):
        raise BadRequest("missing messages", key="error_msg")
    body.raw("messages")
    found = items(raw, "messages")
    if not found:
        raise BadRequest("missing messages", key="error_msg")
    return [_message(item, index) for index, item in enumerate(found)]


def _message(raw: bytes, index: int) -> Message:
    wrong = BadRequest(f"invalid message at index {index}", key="error_msg")
    if not opens_with(raw, b"{"):
        raise wrong
    message = JSONObject(raw, f"messages[{index}]")
    named = message.look("role")
    word = message.string("role") if named and opens_with(named, b'"') else None
    role = _ROLES.get(word or "")
    if role is None:
        raise wrong
    content = message.look("content")
    if content is not None and opens_with(content, b'"'):
        parts: tuple[Part, ...] = (Text(message.string("content") or ""),)
    elif content is not None and opens_with(content, b"["):
        message.raw("content")
        parts = foreign.bound(blocks_of(content, message.at("content")))
    else:
        text = f"invalid message content at index {index}"
        raise BadRequest(text, key="error_msg")
    return Message(role, parts, rider=message.rest(), at=message.path)


def _tools(body: JSONObject) -> tuple[Tool | Hosted, ...]:
    raw = body.raw("tools")
    if raw is None:
        return ()
    return tuple(
        _tool(item, f"tools[{index}]") for index, item in enumerate(items(raw, "tools"))
    )


def _tool(raw: bytes, path: str) -> Tool | Hosted:
    if not opens_with(raw, b"{"):
        return Hosted(NAME, "no object", "", bytes(raw))
    tool = JSONObject(raw, path)
    kind = tool.string("type") or "custom"
    name = tool.string("name") or ""
    if kind != "custom" or not name:
        return Hosted(NAME, kind if name else "unnamed", name, bytes(raw))
    return Tool(
        name=name,
        description=tool.string("description") or "",
        schema=tool.raw("input_schema"),
        strict=tool.boolean("strict"),
        cache=cache_of(tool),
        rider=tool.rest(),
    )


def _tool_choice(body: JSONObject) -> tuple[ToolChoice | None, bool | None]:
    raw = body.raw("tool_choice")
    if raw is None:
        return None, None
    choice = JSONObject(raw, "tool_choice")
    kind = choice.string("type")
    alone = choice.boolean("disable_parallel_tool_use")
    parallel = None if alone is None else not alone
    if kind == "auto":
        return ToolChoice("auto"), parallel
    if kind == "any":
        return ToolChoice("any"), parallel
    if kind == "none":
        return ToolChoice("none"), parallel
    if kind == "tool":
        return ToolChoice("tool", choice.string("name") or ""), parallel
    return ToolChoice("other", raw=raw), None


def _reasoning(body: JSONObject, output: JSONObject | None) -> Reasoning | None:
    effort = (output.string("effort") if output else None) or ""
    return asked_of(body, effort)


def _format(body: JSONObject, output: JSONObject | None) -> Format | None:
    """``output_format``, its older name, wins; only schemas are a format."""
    for asked in (body.object("output_format"), output and output.object("format")):
        if asked is None or asked.look("type") != b'"json_schema"':
            continue
        asked.raw("type")
        schema = asked.raw("schema")
        if schema is not None and schema != b"{}":
            return Format("schema", schema)
    return None
