"""
A neutral call as a chat completion request. For calls that came as anthropic-messages
this is the mapping of the reference's section 3.6, its faults excepted.
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
from aigw.model.call import Call, Format
from aigw.model.rendered import Rendered, Target
from aigw.model.tool import Tool

from .render_messages import Messages
from .words import NAME

#: The most stop sequences the official API takes.
_STOPS = 4


def render(call: Call, target: Target) -> Rendered:
    """See :meth:`aigw.interfaces.IChatDialect.render`."""
    ledger = Ledger(call, NAME)
    body: dict[str, Any] = {}
    model = target.model or call.model
    if model:
        body["model"] = model
    body["messages"] = Messages(call, target, ledger).rendered()
    if call.stream:
        body["stream"] = True
    # Without a stream the API refuses it, so only the client itself may ask then.
    if call.include_usage if ledger.native else call.stream:
        body["stream_options"] = {"include_usage": True}
    if call.max_tokens is not None:
        body[target.cap] = call.max_tokens
    _sampling(call, body, ledger)
    effort = _effort(call, ledger)
    if effort:
        body["reasoning_effort"] = effort
    if call.format is not None:
        body["response_format"] = _format(call.format, ledger)
    add_tools(call, body, ledger, _tool, _named)
    attach(call, body, ledger)
    if ledger.native:
        graft(body, call.rider)
    return Rendered(
        body=msgspec.json.encode(body),
        model=model,
        names=TOOL_NAME.back(call.tools),
        dropped=ledger.dropped,
    )


def _sampling(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    for name in (
        "temperature",
        "top_p",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "n",
    ):
        value = getattr(call, name)
        if value is not None:
            body[name] = value
    if call.top_k is not None:
        if ledger.native:
            body["top_k"] = call.top_k  # compatible servers take it
        else:
            ledger.drop("top_k")
    if call.logit_bias is not None:
        body["logit_bias"] = msgspec.Raw(call.logit_bias)
    if call.logprobs is not None:
        body["logprobs"] = True
        if call.logprobs:
            body["top_logprobs"] = call.logprobs
    if call.stop:
        body["stop"] = call.stop
        if len(call.stop) > _STOPS and not ledger.native:
            body["stop"] = call.stop[:_STOPS]
            ledger.clamp("stop")


def _effort(call: Call, ledger: Ledger) -> str:
    if call.reasoning is not None and call.reasoning.mode != "off":
        ledger.rider("reasoning", call.reasoning.rider)
    return effort_of(call, ledger)


def _format(format: Format, ledger: Ledger) -> dict[str, Any]:
    kind, given = format_of(format, ledger)
    return {"type": kind, kind: given} if given else {"type": kind}


def _tool(tool: Tool, at: str, ledger: Ledger) -> dict[str, Any]:
    given = tool_fields(tool)
    if tool.grammar is not None:
        syntax, definition = tool.grammar
        grammar = {"syntax": syntax, "definition": definition}
        given["format"] = {"type": "grammar", "grammar": grammar}
    kind = kind_of(tool)
    result: dict[str, Any] = {"type": kind, kind: given}
    if tool.cache is not None:
        if ledger.native:
            marker = {"type": "ephemeral"}
            if tool.cache.ttl:
                marker["ttl"] = tool.cache.ttl
            result["cache_control"] = marker
        else:
            ledger.drop(f"{at}.cache_control")
    graft(result, ledger.rider(at, tool.rider))
    return result


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, kind: {"name": name}}
