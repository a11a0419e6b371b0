"""A chat completion request in neutral words."""

from __future__ import annotations

from typing import NoReturn

from aigw.dialects import foreign
from aigw.dialects.json_object import JSONObject, items, opens_with, wrong
from aigw.errors import BadRequest
from aigw.model.call import Call, Message, Reasoning, Role
from aigw.model.envelope import Envelope
from aigw.model.part import (
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

from . import media
from .parse_tools import cache_of, format_of, tool_choice_of, tool_of
from .words import NAME, vendor_of

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def parse(envelope: Envelope) -> Call:
    """See :meth:`aigw.interfaces.IChatDialect.parse`."""
    body = JSONObject(envelope.fields or {}, "")
    for name in ("functions", "function_call"):
        if body.raw(name) is not None:
            _legacy(name)
    body.raw("stream")
    options = body.object("stream_options")
    if body.look("messages") is None:
        raise BadRequest("missing messages", key="error_msg")
    user = body.string("user") or ""
    if not user:
        user = body.string("safety_identifier") or ""
    stop = body.look("stop")
    alone = stop is not None and opens_with(stop, b'"')
    cap = body.integer("max_completion_tokens")
    if cap is None:
        cap = body.integer("max_tokens")
    modalities = body.look("modalities")
    return Call(
        origin=NAME,
        model=body.string("model") or "",
        stream=envelope.stream,
        include_usage=bool(options and options.boolean("include_usage")),
        messages=tuple(map(_message, body.objects("messages"))),
        tools=tuple(map(tool_of, body.objects("tools"))),
        tool_choice=tool_choice_of(body),
        parallel=body.boolean("parallel_tool_calls"),
        max_tokens=cap,
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        top_k=body.integer("top_k"),
        stop=(body.string("stop") or "",) if alone else body.strings("stop"),
        seed=body.integer("seed"),
        frequency_penalty=body.number("frequency_penalty"),
        presence_penalty=body.number("presence_penalty"),
        logit_bias=body.raw("logit_bias"),
        n=body.integer("n"),
        logprobs=_logprobs(body),
        reasoning=_reasoning(body),
        format=format_of(body),
        user=user,
        metadata=body.raw("metadata"),
        service_tier=body.string("service_tier") or "",
        rider=body.rest(),
        needs=("modalities",) if modalities and b"audio" in modalities else (),
    )


def _legacy(path: str) -> NoReturn:
    raise BadRequest(f"{path}: functions are obsolete, use tools", key="error_msg")


def _logprobs(body: JSONObject) -> int | None:
    wanted, top = body.boolean("logprobs"), body.integer("top_logprobs")
    return (top or 0) if wanted else None


def _reasoning(body: JSONObject) -> Reasoning | None:
    effort = body.string("reasoning_effort")
    return None if effort is None else Reasoning(effort=effort)


def _message(message: JSONObject) -> Message:
    word = message.string("role") or ""
    role = _ROLES.get(word)
    name = message.string("name") or ""
    if role is None:
        if word == "function":
            _legacy(message.path)
        wrong(message.at("role"), "system, developer, user, assistant or tool")
    if role == "tool":
        id = message.string("tool_call_id")
        if id is None:
            wrong(message.at("tool_call_id"), "a string")
        result = ToolResult(id, _content(message), name)
        return Message(role, (result,), rider=message.rest(), at=message.path)
    parts = _said(message) if role == "assistant" else _content(message)
    return Message(role, parts, name, rider=message.rest(), at=message.path)


def _content(message: JSONObject, absent: bool = False) -> tuple[Part, ...]:
    """
    :param absent: whether there need not be any.
    """
    raw = message.look("content")
    if raw is None or raw == b"null":
        message.raw("content")
        if absent:
            return ()
    elif opens_with(raw, b'"'):
        text = message.string("content") or ""
        return (Text(text),)
    elif opens_with(raw, b"["):
        return tuple(map(_part, message.objects("content")))
    wrong(message.at("content"), "a string or an array")


def _part(part: JSONObject) -> Part:
    raw_type = part.look("type")
    if raw_type == b'"text"':
        part.raw("type")
        text = part.string("text")
        if text is None:
            wrong(part.at("text"), "a string")
        cache = cache_of(part)
        return Text(text, cache=cache, rider=part.rest())
    if raw_type == b'"refusal"':
        part.raw("type")
        return Refusal(part.string("refusal") or "", rider=part.rest())
    return _media(part)


def _media(part: JSONObject) -> Part:
    raw = part.whole()
    kind = part.string("type")
    if kind == "image_url":
        found = media.read_image(part)
    elif kind == "input_audio":
        found = media.read_audio(part)
    elif kind == "file":
        found = media.read_file(part)
    elif kind is None:
        wrong(part.at("type"), "a string")
    else:
        return Opaque(NAME, kind, raw)
    cache = cache_of(part)
    return media.with_more(found, cache, part.rest())


def _said(message: JSONObject) -> tuple[Part, ...]:
    """What the model said in an earlier turn: reasoning first, calls last."""
    parts = _reasoned(message)
    content = _content(message, absent=True)
    refusal = message.string("refusal")
    if message.raw("function_call") is not None:
        _legacy(message.at("function_call"))
    calls = tuple(map(_call, message.objects("tool_calls")))
    signed = {id: signature for id, signature in parts[1] if id}
    if signed:
        calls = tuple(_signed(call, signed.get(call.id)) for call in calls)
    refused: tuple[Part, ...] = () if refusal is None else (Refusal(refusal),)
    if calls and content == (Text(""),):
        content = ()  # what many clients send for null
    return foreign.bound((*parts[0], *content, *refused, *calls))


def _call(call: JSONObject) -> ToolCall:
    id = call.string("id")
    custom = (call.string("type") or "function") == "custom"
    given = call.object("custom" if custom else "function")
    name = given.string("name") if given is not None else None
    if id is None or given is None or name is None:
        wrong(call.at("id" if id is None else "function.name"), "a string")
    text = given.string("input" if custom else "arguments") or ""
    return ToolCall(
        id=id,
        name=name,
        arguments=text,
        kind="custom" if custom else "function",
        rider=call.rest(),
    )


def _signed(call: ToolCall, signature: Signature | None) -> ToolCall:
    if signature is None:
        return call
    return ToolCall(
        call.id, call.name, call.arguments, call.kind, signature, rider=call.rider
    )


def _reasoned(
    message: JSONObject,
) -> tuple[list[Part], list[tuple[str, Signature]]]:
    """
    Reasoning a client sends back, and the signatures of tool calls by their ids. The
    details say all that the plain text does, and who signed it.
    """
    plain = message.string("reasoning_content")
    other = message.string("reasoning")
    parts: list[Part] = []
    calls: list[tuple[str, Signature]] = []
    raw = message.raw("reasoning_details")
    if raw is not None:
        path = message.at("reasoning_details")
        for index, entry in enumerate(items(raw, path)):
            _detail(JSONObject(entry, f"{path}[{index}]"), parts, calls)
    text = plain if plain is not None else other
    if text and not parts:
        parts.append(Thinking(text))
    return parts, calls


def _detail(
    entry: JSONObject, parts: list[Part], calls: list[tuple[str, Signature]]
) -> None:
    kind = entry.string("type")
    vendor = vendor_of(entry.string("format"))
    if kind == "reasoning.encrypted":
        signature = Signature(vendor, entry.string("data") or "")
        id = entry.string("id")
        if id and vendor == "gemini":
            calls.append((id, signature))
        else:
            parts.append(Redacted(signature))
    elif kind in ("reasoning.text", "reasoning.summary"):
        text = entry.string("text" if kind == "reasoning.text" else "summary")
        value = entry.string("signature")
        parts.append(Thinking(text or "", Signature(vendor, value) if value else None))
