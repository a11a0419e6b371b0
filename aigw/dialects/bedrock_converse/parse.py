"""A Converse request in neutral words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from aigw.dialects import failures, foreign
from aigw.dialects.claude import asked_of
from aigw.dialects.json_object import JSONObject, items, opens_with, wrong
from aigw.errors import BadRequest
from aigw.model.call import Call, Format, Message, Role
from aigw.model.envelope import Envelope
from aigw.model.path import named_model
from aigw.model.tool import Hosted, Tool, ToolChoice

from .parse_content import blocks_of, marker_of
from .words import NAME

_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
}

#: What only AWS has, and the answer would be wrong without: a guardrail keeps things
#: out, variables are part of a prompt.
_NEEDS = ("guardrailConfig", "promptVariables")

_INTEGER = re.compile(rb"-?\d{1,18}")


def streams(envelope: Envelope) -> bool:
    """By path; ``stream`` in the body is the reference's own way of asking."""
    return envelope.path.rstrip("/").endswith("/converse-stream") or envelope.stream


def parse(envelope: Envelope) -> Call:
    """See :meth:`aigw.interfaces.IChatDialect.parse`."""
    body = JSONObject(envelope.fields or {}, "")
    body.raw("stream")
    model = body.string("model") or ""
    needs = tuple(name for name in _NEEDS if body.look(name) not in (None, b"null"))
    messages = _system(body) + _messages(body)
    inference = body.object("inferenceConfig") or JSONObject({}, "inferenceConfig")
    output = body.object("outputConfig") or JSONObject({}, "outputConfig")
    extra = _extra(body)
    tools, choice = _tools(body)
    tier = body.object("serviceTier")
    return Call(
        origin=NAME,
        model=named_model(envelope.path) or model,
        messages=tuple(messages),
        stream=streams(envelope),
        tools=tools,
        tool_choice=choice,
        max_tokens=inference.integer("maxTokens"),
        temperature=inference.number("temperature"),
        top_p=inference.number("topP"),
        top_k=_top_k(extra),
        stop=inference.strings("stopSequences"),
        reasoning=asked_of(extra, output.string("effort") or ""),
        format=_format(output),
        metadata=_metadata(body),
        service_tier=(tier.string("type") if tier else None) or "",
        rider=body.rest(),
        needs=needs,
    )


def _system(body: JSONObject) -> list[Message]:
    raw = body.raw("system")
    if raw is None:
        return []
    return [Message("system", blocks_of(raw, "system"), at="system")]


def _messages(body: JSONObject) -> list[Message]:
    raw = body.raw("messages")
    if raw is None:
        if body.look("promptVariables") is not None:
            return []  # the prompt that the model id names has them
        raise BadRequest("missing messages", key="error_msg")
    found = [raw] if opens_with(raw, b"{") else items(raw, "messages")
    if not found:
        raise BadRequest("missing messages", key="error_msg")
    return [_message(bytes(item), index) for index, item in enumerate(found)]


def _message(raw: bytes, index: int) -> Message:
    message = JSONObject(raw, f"messages[{index}]")
    role = _ROLES.get(message.string("role") or "")
    if role is None:
        wrong(message.at("role"), "user, assistant or system")
    content = message.raw("content")
    if content is None:
        wrong(message.at("content"), "an array")
    parts = foreign.bound(blocks_of(content, message.at("content")))
    return Message(role, parts, rider=message.rest(), at=message.path)


def _extra(body: JSONObject) -> JSONObject:
    """The model's own fields; no object is left where it stands."""
    name = "additionalModelRequestFields"
    raw = body.look(name)
    if raw is not None and opens_with(raw, b"{"):
        return body.object(name) or JSONObject({}, name)
    return JSONObject({}, name)


def _top_k(extra: JSONObject) -> int | None:
    """Anything but an integer is some model's own affair."""
    raw = extra.look("top_k")
    if raw is None or not _INTEGER.fullmatch(raw):
        return None
    return extra.integer("top_k")


def _metadata(body: JSONObject) -> bytes | None:
    raw = body.raw("requestMetadata")
    if raw is not None and not opens_with(raw, b"{"):
        wrong("requestMetadata", "an object")
    return raw


def _format(output: JSONObject) -> Format | None:
    given = output.look("textFormat")
    told = None if given is None else failures.decoded(given)
    structure = told.get("structure") if isinstance(told, dict) else None
    asked = structure.get("jsonSchema") if isinstance(structure, dict) else None
    if told is None or told.get("type") != "json_schema" or not isinstance(asked, dict):
        return None
    form = output.object("textFormat")
    inner = form and form.object("structure")
    schema = inner and inner.object("jsonSchema")
    if form is None or schema is None:
        return None
    form.raw("type")
    text = schema.string("schema") or ""
    if not isinstance(failures.decoded(text.encode()), dict):
        wrong(schema.at("schema"), "a JSON Schema as a string")
    return Format(
        "schema",
        text.encode(),
        schema.string("name") or "",
        schema.string("description") or "",
    )


def _tools(body: JSONObject) -> tuple[tuple[Tool | Hosted, ...], ToolChoice | None]:
    config = body.object("toolConfig")
    if config is None:
        return (), None
    tools: list[Tool | Hosted] = []
    raw = config.raw("tools")
    for index, item in enumerate(items(raw, "toolConfig.tools") if raw else ()):
        one = bytes(item)
        last = tools[-1] if tools else None
        marker = marker_of(one)
        if isinstance(last, Tool) and last.cache is None and marker is not None:
            tools[-1] = replace(last, cache=marker)
            continue
        tools.append(_tool(one, f"toolConfig.tools[{index}]"))
    return tuple(tools), _choice(config)


def _tool(raw: bytes, path: str) -> Tool | Hosted:
    if not opens_with(raw, b"{"):
        return Hosted(NAME, "no object", "", raw)
    tool = JSONObject(raw, path)
    spec = tool.object("toolSpec")
    name = (spec.string("name") if spec else None) or ""
    if spec is None or not name:
        return _hosted(raw)
    schema = spec.object("inputSchema")
    return Tool(
        name=name,
        description=spec.string("description") or "",
        schema=schema.raw("json") if schema else None,
        strict=spec.boolean("strict"),
        rider=tool.rest(),
    )


def _hosted(raw: bytes) -> Hosted:
    told: Any = failures.decoded(raw)
    kind = next(iter(told), "empty") if isinstance(told, dict) else "unreadable"
    own = told.get(kind) if isinstance(told, dict) else None
    name = own.get("name") if isinstance(own, dict) else None
    return Hosted(NAME, kind, name if isinstance(name, str) else "", raw)


def _choice(config: JSONObject) -> ToolChoice | None:
    raw = config.raw("toolChoice")
    told = None if raw is None else failures.decoded(raw)
    if raw is None:
        return None
    if told == {"auto": {}}:
        return ToolChoice("auto")
    if told == {"any": {}}:
        return ToolChoice("any")
    named = told.get("tool") if isinstance(told, dict) and len(told) == 1 else None
    if isinstance(named, dict) and named.keys() == {"name"}:
        if isinstance(named["name"], str):
            return ToolChoice("tool", named["name"])
    return ToolChoice("other", raw=raw)
