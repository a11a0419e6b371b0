"""A Responses request in neutral words."""

from __future__ import annotations

from aigw.dialects.json_object import JSONObject, opens_with, wrong
from aigw.dialects.openai_request import choice_word
from aigw.errors import BadRequest
from aigw.model.call import Call, Format, Message, Reasoning
from aigw.model.envelope import Envelope
from aigw.model.part import Text
from aigw.model.tool import Hosted, Tool, ToolChoice

from .parse_items import messages_of
from .words import NAME

_LOGPROBS = b'"message.output_text.logprobs"'

#: State that OpenAI keeps: without it the model would be asked something else.
_STATE = ("previous_response_id", "conversation", "prompt", "background")


def parse(envelope: Envelope) -> Call:
    """See :meth:`aigw.interfaces.IChatDialect.parse`."""
    body = JSONObject(envelope.fields or {}, "")
    body.raw("stream")
    needs = [
        name for name in _STATE if body.look(name) not in (None, b"null", b"false")
    ]
    messages, referred = _input(body)
    text = body.object("text")
    include = body.look("include") or b""
    logprobs = None
    if _LOGPROBS in include:
        logprobs = body.integer("top_logprobs") or 0
    user = body.string("user") or ""
    if not user:
        user = body.string("safety_identifier") or ""
    return Call(
        origin=NAME,
        model=body.string("model") or "",
        messages=tuple(_instructions(body) + messages),
        stream=envelope.stream,
        tools=tuple(map(_tool, body.objects("tools"))),
        tool_choice=_tool_choice(body),
        parallel=body.boolean("parallel_tool_calls"),
        max_tokens=body.integer("max_output_tokens"),
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        logprobs=logprobs,
        reasoning=_reasoning(body),
        format=_format(text),
        user=user,
        metadata=body.raw("metadata"),
        service_tier=body.string("service_tier") or "",
        rider=body.rest(),
        needs=(*needs, *referred),
    )


def _instructions(body: JSONObject) -> list[Message]:
    text = body.string("instructions")
    if text is None:
        return []
    return [Message("system", (Text(text),), at="instructions")]


def _input(body: JSONObject) -> tuple[list[Message], list[str]]:
    """Messages, and paths of items that only OpenAI knows what is in."""
    raw = body.raw("input")
    if raw is None:
        return [], []
    if opens_with(raw, b'"'):
        alone = JSONObject(b'{"input":' + raw + b"}", "")
        return [Message("user", (Text(alone.string("input") or ""),), at="input")], []
    if not opens_with(raw, b"["):
        raise BadRequest("input: a string or an array is expected", key="error_msg")
    return messages_of(raw)


def _tool(tool: JSONObject) -> Tool | Hosted:
    raw = tool.whole()
    kind = tool.string("type") or ""
    name = tool.string("name") or ""
    if kind == "function":
        if not name:
            wrong(tool.at("name"), "a name")
        return Tool(
            name=name,
            description=tool.string("description") or "",
            schema=tool.raw("parameters"),
            strict=tool.boolean("strict"),
            rider=tool.rest(),
        )
    if kind == "custom":
        grammar = None
        format = tool.object("format")
        if format is not None and format.look("type") == b'"grammar"':
            format.raw("type")
            syntax = format.string("syntax") or ""
            grammar = (syntax, format.string("definition") or "")
        return Tool(
            name=name,
            description=tool.string("description") or "",
            custom=True,
            grammar=grammar,
            rider=tool.rest(),
        )
    return Hosted(NAME, kind, name, raw)


def _tool_choice(body: JSONObject) -> ToolChoice | None:
    raw = body.look("tool_choice")
    if raw is None or not opens_with(raw, b"{"):
        return choice_word(body)
    body.raw("tool_choice")
    choice = JSONObject(raw, "tool_choice")
    if choice.string("type") in ("function", "custom"):
        return ToolChoice("tool", choice.string("name") or "")
    return ToolChoice("other", raw=raw)


def _reasoning(body: JSONObject) -> Reasoning | None:
    raw = body.raw("reasoning")
    if raw is None:
        return None
    asked = JSONObject(raw, "reasoning")
    reasoning = Reasoning(
        effort=asked.string("effort") or "",
        show=asked.string("summary") or "",
        rider=asked.rest(),
    )
    return None if reasoning == Reasoning() else reasoning


def _format(text: JSONObject | None) -> Format | None:
    asked = text.object("format") if text is not None else None
    if asked is None:
        return None
    kind = asked.string("type")
    if kind == "json_schema":
        return Format(
            kind="schema",
            schema=asked.raw("schema") or b"{}",
            name=asked.string("name") or "",
            description=asked.string("description") or "",
            strict=asked.boolean("strict"),
        )
    if kind not in ("text", "json_object"):
        wrong(asked.at("type"), "text, json_object or json_schema")
    return Format("text" if kind == "text" else "json")
