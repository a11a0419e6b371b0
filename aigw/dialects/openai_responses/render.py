"""
A neutral call as a Responses request. What came from another dialect asks OpenAI to
keep nothing, and where it reasons to hand that out encrypted, so that it can come back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.openai_request import (
    TOOL_NAME,
    add_tools,
    attach,
    effort_of,
    format_of,
    kind_of,
    tool_fields,
)
from aigw.model.call import Call, Format, Reasoning
from aigw.model.rendered import Rendered, Target
from aigw.model.tool import Tool

from .render_items import Items
from .words import NAME

_LOGPROBS = "message.output_text.logprobs"
#: Models that do not reason refuse a request for this (400, ``include``).
_ENCRYPTED = "reasoning.encrypted_content"


def render(call: Call, target: Target) -> Rendered:
    """See :meth:`aigw.interfaces.IChatDialect.render`."""
    ledger = Ledger(call, NAME)
    if call.n is not None and call.n > 1:
        ledger.refuse("n", "it gives one answer")
    model = target.model or call.model
    body: dict[str, Any] = {}
    if model:
        body["model"] = model
    items = Items(call, ledger)
    if items.instructions is not None:
        body["instructions"] = items.instructions
    rendered = items.rendered()
    if rendered or not ledger.native:
        body["input"] = rendered
    if call.stream:
        body["stream"] = True
    if call.max_tokens is not None:
        body["max_output_tokens"] = call.max_tokens
    _sampling(call, body, ledger)
    reasoning = _reasoning(call, ledger)
    if reasoning:
        body["reasoning"] = reasoning
    if call.format is not None:
        body["text"] = {"format": _format(call.format, ledger)}
    add_tools(call, body, ledger, _tool, _named)
    attach(call, body, ledger)
    if ledger.native:
        graft(body, call.rider)
    else:
        body["store"] = False
        include = [_ENCRYPTED] if reasoning or items.reasoned else []
        if call.logprobs is not None:
            include.append(_LOGPROBS)
        if include:
            body["include"] = include
    return Rendered(
        body=msgspec.json.encode(body),
        model=model,
        names=TOOL_NAME.back(call.tools),
        dropped=ledger.dropped,
    )


def _sampling(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    for name in ("temperature", "top_p"):
        value = getattr(call, name)
        if value is not None:
            body[name] = value
    if call.logprobs:
        body["top_logprobs"] = call.logprobs
    for name in ("top_k", "seed", "logit_bias"):
        if getattr(call, name) is not None:
            ledger.drop(name)
    for name in ("frequency_penalty", "presence_penalty", "stop"):
        if getattr(call, name):
            ledger.drop(name)


def _reasoning(call: Call, ledger: Ledger) -> dict[str, Any]:
    asked = call.reasoning
    if asked is None or asked.mode == "off":
        return {}
    rider = ledger.rider("reasoning", asked.rider)
    effort = effort_of(call, ledger)
    rendered: dict[str, Any] = {"effort": effort} if effort else {}
    summary = asked.show if ledger.native else _summary(asked, call.origin)
    if summary:
        rendered["summary"] = summary
    graft(rendered, rider)
    return rendered


def _summary(asked: Reasoning, origin: str) -> str:
    """
    What other dialects call showing the reasoning. Gemini does if told to, Messages
    unless told not to; Chat Completions, which knows an effort only, never does.
    """
    if asked.show:
        return "" if asked.show == "omitted" else "auto"
    unasked = asked.mode in ("on", "adaptive") and origin != "gemini"
    return "auto" if unasked else ""


def _format(format: Format, ledger: Ledger) -> dict[str, Any]:
    kind, given = format_of(format, ledger)
    return {"type": kind, **given}


def _tool(tool: Tool, at: str, ledger: Ledger) -> dict[str, Any]:
    rendered: dict[str, Any] = {"type": kind_of(tool), **tool_fields(tool)}
    if tool.grammar is not None:
        syntax, definition = tool.grammar
        grammar = {"type": "grammar", "syntax": syntax, "definition": definition}
        rendered["format"] = grammar
    if not tool.custom and not ledger.native:
        rendered.setdefault("parameters", {"type": "object", "properties": {}})
        rendered.setdefault("strict", False)  # absent means strict here
    if tool.cache is not None:
        ledger.drop(f"{at}.cache_control")
    graft(rendered, ledger.rider(at, tool.rider))
    return rendered


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "name": name}
