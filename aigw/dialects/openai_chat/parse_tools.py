"""What a chat completion request says of tools, of the answer's form, of caching."""

from __future__ import annotations

from aigw.dialects.json_object import JSONObject, opens_with, wrong
from aigw.dialects.openai_request import choice_word
from aigw.model.call import Format
from aigw.model.part import Cache
from aigw.model.tool import Tool, ToolChoice


def format_of(body: JSONObject) -> Format | None:
    asked = body.object("response_format")
    if asked is None:
        return None
    kind = asked.string("type")
    if kind == "json_schema":
        given = asked.object("json_schema")
        if given is None:
            wrong(asked.at("json_schema"), "an object")
        return Format(
            kind="schema",
            schema=given.raw("schema") or b"{}",
            name=given.string("name") or "",
            description=given.string("description") or "",
            strict=given.boolean("strict"),
        )
    if kind not in ("text", "json_object"):
        wrong(asked.at("type"), "text, json_object or json_schema")
    return Format("text" if kind == "text" else "json")


def tool_of(tool: JSONObject) -> Tool:
    kind = tool.string("type") or "function"
    if kind == "custom":
        given = tool.object("custom")
        if given is None:
            wrong(tool.at("custom"), "an object")
        grammar = None
        format = given.object("format")
        if format is not None and format.string("type") == "grammar":
            told = format.object("grammar")
            if told is not None:
                grammar = (told.string("syntax") or "", told.string("definition") or "")
        return Tool(
            name=given.string("name") or "",
            description=given.string("description") or "",
            custom=True,
            grammar=grammar,
            rider=tool.rest(),
        )
    if kind != "function":
        wrong(tool.at("type"), "function or custom")
    given = tool.object("function")
    name = given.string("name") if given is not None else None
    if given is None or not name:
        wrong(tool.at("function.name"), "a name")
    cache = cache_of(tool)
    return Tool(
        name=name,
        description=given.string("description") or "",
        schema=given.raw("parameters"),
        strict=given.boolean("strict"),
        cache=cache,
        rider=tool.rest(),
    )


def tool_choice_of(body: JSONObject) -> ToolChoice | None:
    raw = body.look("tool_choice")
    if raw is None or not opens_with(raw, b"{"):
        return choice_word(body)
    body.raw("tool_choice")
    choice = JSONObject(raw, "tool_choice")
    kind = choice.string("type") or "function"
    if kind in ("function", "custom"):
        named = choice.object(kind)
        name = named.string("name") if named is not None else None
        if not name:
            wrong(f"tool_choice.{kind}.name", "a name")
        return ToolChoice("tool", name)
    return ToolChoice("other", raw=raw)


def cache_of(part: JSONObject) -> Cache | None:
    """OpenAI's marker, or Anthropic's, which several gateways take in this place."""
    for name in ("prompt_cache_breakpoint", "cache_control"):
        marker = part.object(name)
        if marker is not None:
            marker.raw("mode" if name == "prompt_cache_breakpoint" else "type")
            return Cache(marker.string("ttl") or "")
    return None
