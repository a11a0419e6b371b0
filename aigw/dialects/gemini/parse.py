"""A generateContent request in neutral words."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

import msgspec

from aigw.dialects import foreign
from aigw.dialects.google import VENDOR
from aigw.dialects.json_object import JSONObject, opens_with, wrong
from aigw.errors import BadRequest
from aigw.model.call import Call, Format, Message, Reasoning, Role
from aigw.model.envelope import Envelope
from aigw.model.part import Part, Signature, Thinking
from aigw.model.tool import Hosted, Tool, ToolChoice

from .openapi import json_schema
from .parse_parts import Parts
from .wire import Wire
from .words import NAME

_NEEDS = ("cachedContent",)
_ROLES: dict[str, Role] = {"user": "user", "function": "user", "model": "assistant"}


def streams(envelope: Envelope) -> bool:
    """Whether a stream is asked for: by the path, or where it names no model, by us."""
    path = envelope.path.rstrip("/")
    if path.endswith(":streamGenerateContent"):
        return True
    return envelope.stream and "/{model}:" in path


def parse(envelope: Envelope) -> Call:
    """See :meth:`aigw.interfaces.IChatDialect.parse`."""
    streamed = streams(envelope)
    if streamed and not envelope.stream:
        query = parse_qs(envelope.query.decode("latin-1"))
        if query.get("alt", [""])[-1] != "sse":
            raise BadRequest(
                "streamGenerateContent is converted with alt=sse alone: add it to the "
                "query",
                key="error_msg",
            )
    body = Wire(envelope.fields or {}, "")
    body.raw("model")
    body.raw("stream")
    parts = Parts()
    messages = _system(body) + _contents(body, parts)
    config = body.object("generationConfig")
    if config is None:
        config = Wire({}, "generationConfig")
    needs = [name for name in _NEEDS if body.look(name) is not None]
    modalities = config.look("responseModalities") or b""
    if b"AUDIO" in modalities or b"IMAGE" in modalities:
        needs.append("generationConfig.responseModalities")
    call = Call(
        origin=NAME,
        model=envelope.model.removeprefix("models/"),
        messages=tuple(messages),
        stream=streamed,
        include_usage=True,
        tools=_tools(body),
        tool_choice=_tool_choice(body),
        max_tokens=config.integer("maxOutputTokens"),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=_top_k(config),
        stop=config.strings("stopSequences"),
        seed=config.integer("seed"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        n=config.integer("candidateCount"),
        logprobs=_logprobs(config),
        reasoning=_reasoning(config),
        format=_format(config),
        needs=tuple(needs),
    )
    return replace(call, rider=body.rest())


def _system(body: Wire) -> list[Message]:
    raw = body.raw("systemInstruction")
    if raw is None:
        return []
    given = Wire(raw, "systemInstruction")
    parts = Parts()
    said = tuple(parts.part(*one) for one in given.several("parts"))
    return [Message("system", said, rider=given.rest(), at="systemInstruction")]


def _contents(body: Wire, parts: Parts) -> list[Message]:
    found = body.several("contents")
    if not found:
        raise BadRequest("missing contents", key="error_msg")
    messages: list[Message] = []
    for raw, path in found:
        content = Wire(raw, path)
        role = _ROLES.get(content.string("role") or "user")
        if role is None:
            wrong(content.at("role"), "user or model")
        said = tuple(parts.part(*one) for one in content.several("parts"))
        rider = content.rest()
        last = messages[-1] if messages else None
        if last is not None and last.role == role and not rider and not last.rider:
            # Clients keep each chunk of a streamed answer as a content of its own.
            messages[-1] = replace(last, parts=last.parts + said)
            continue
        messages.append(Message(role, said, rider=rider, at=path))
    return [replace(one, parts=foreign.bound(_joined(one.parts))) for one in messages]


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """
    Reasoning another vendor signed, whole again: a stream brings it to the client in
    pieces, with the signature at the end.
    """
    kept: list[Part] = []
    for part in parts:
        if isinstance(part, Thinking) and _foreign(part.signature):
            while kept:
                last = kept[-1]
                if not isinstance(last, Thinking) or last.signature is not None:
                    break
                part = replace(part, text=last.text + part.text)
                kept.pop()
        kept.append(part)
    return tuple(kept)


def _foreign(signature: Signature | None) -> bool:
    return signature is not None and signature.vendor != VENDOR


def _tools(body: Wire) -> tuple[Tool | Hosted, ...]:
    tools: list[Tool | Hosted] = []
    for raw, path in body.several("tools"):
        given = Wire(raw, path)
        for one in given.several("functionDeclarations"):
            tools.append(_tool(Wire(*one)))
        for name in given.names():
            whole = msgspec.json.encode({name: msgspec.Raw(given.look(name) or b"")})
            tools.append(Hosted(NAME, name, name, whole))
    return tuple(tools)


def _tool(tool: Wire) -> Tool:
    name = tool.string("name")
    if not name:
        wrong(tool.at("name"), "a name")
    schema = tool.raw("parametersJsonSchema")
    if schema is None:
        schema = tool.raw("parameters")
        schema = None if schema is None else json_schema(schema)
    return Tool(
        name=name,
        description=tool.string("description") or "",
        schema=schema,
        rider=tool.rest(),
    )


def _tool_choice(body: Wire) -> ToolChoice | None:
    outer = body.object("toolConfig")
    raw = None if outer is None else outer.look("functionCallingConfig")
    if outer is None or raw is None or not opens_with(raw, b"{"):
        return None
    config = Wire(raw, outer.at("functionCallingConfig"))
    mode = (config.string("mode") or "AUTO").upper()
    allowed = config.strings("allowedFunctionNames")
    if config.names() or mode not in ("AUTO", "ANY", "NONE"):
        return None  # it stays in the rider
    if allowed and (mode != "ANY" or len(allowed) > 1):
        outer.raw("functionCallingConfig")
        return ToolChoice("other", raw=raw)
    outer.raw("functionCallingConfig")
    if mode == "NONE":
        return ToolChoice("none")
    if mode == "AUTO":
        return ToolChoice("auto")
    return ToolChoice("tool", allowed[0]) if allowed else ToolChoice("any")


def _top_k(config: JSONObject) -> int | None:
    """A number in the protocol; only whole ones mean anything."""
    value = config.number("topK")
    return None if value is None else int(value)


def _logprobs(config: JSONObject) -> int | None:
    if config.look("responseLogprobs") != b"true":
        return None
    config.raw("responseLogprobs")
    return config.integer("logprobs") or 0


def _reasoning(config: JSONObject) -> Reasoning | None:
    thinking = config.object("thinkingConfig")
    if thinking is None:
        return None
    budget = thinking.integer("thinkingBudget")
    effort = (thinking.string("thinkingLevel") or "").lower()
    if budget is None and not effort:
        return None  # what is left only tells whether thoughts are shown
    shown = thinking.look("includeThoughts") == b"true"
    if shown:
        thinking.raw("includeThoughts")
    show = "thoughts" if shown else ""
    if budget is None:
        return Reasoning(effort=effort, show=show)
    if budget < 0:
        return Reasoning("adaptive", effort, show=show)
    if budget == 0:
        return Reasoning("off", effort, show=show)
    return Reasoning("on", effort, budget, show)


def _format(config: JSONObject) -> Format | None:
    type = config.look("responseMimeType")
    if type not in (None, b'"application/json"', b'"text/plain"'):
        return None  # a choice of words (text/x.enum) is Google's alone
    config.raw("responseMimeType")
    if type == b'"text/plain"':
        return Format("text")
    schema = config.raw("responseJsonSchema")
    if schema is None:
        schema = config.raw("responseSchema")
        schema = None if schema is None else json_schema(schema)
    if schema is not None:
        return Format("schema", schema)
    return None if type is None else Format("json")
