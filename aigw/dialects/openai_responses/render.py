"""
A neutral call as a Responses request. What came from another dialect asks OpenAI to
keep nothing, and where it reasons to hand that out encrypted, so that it can come back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.schema import strict
from aigw.model.call import Call, Format
from aigw.model.rendered import Rendered, Target
from aigw.model.tool import Hosted, Tool

from .render_items import Items
from .words import NAME, TOOL_NAME

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
    _tools(call, body, ledger)
    if call.user:
        body["user"] = call.user
    if call.metadata is not None:
        body["metadata"] = msgspec.Raw(call.metadata)
    if call.service_tier:
        body["service_tier"] = call.service_tier
    if call.cache is not None:
        ledger.drop("cache_control")
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
    """An effort; a budget becomes one by reference section 3.6."""
    asked = call.reasoning
    if asked is None or asked.mode == "off":
        return {}
    rider = ledger.rider("reasoning", asked.rider)
    effort = asked.effort
    if asked.mode == "on":
        budget = asked.budget or 0
        effort = "high"
        for bound, word in ((1024, "minimal"), (2048, "low"), (4096, "medium")):
            if budget < bound:
                effort = word
                break
    elif asked.mode == "adaptive":
        effort = effort or "medium"
    elif call.origin == "anthropic-messages":
        ledger.drop("output_config.effort")
        return {}
    rendered: dict[str, Any] = {"effort": effort} if effort else {}
    if asked.show and ledger.native:
        rendered["summary"] = asked.show
    graft(rendered, rider)
    return rendered


def _format(format: Format, ledger: Ledger) -> dict[str, Any]:
    ledger.rider("format", format.rider)
    if format.kind != "schema":
        return {"type": "text" if format.kind == "text" else "json_object"}
    forced = format.strict is None and not ledger.native
    schema = strict(format.schema) if forced else format.schema
    rendered: dict[str, Any] = {
        "type": "json_schema",
        "name": format.name or ("" if ledger.native else "structured_output"),
        "schema": msgspec.Raw(schema),
    }
    if format.description:
        rendered["description"] = format.description
    if forced or format.strict is not None:
        rendered["strict"] = True if forced else format.strict
    return rendered


def _tools(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    tools = [
        rendered
        for index, tool in enumerate(call.tools)
        if (rendered := _tool(tool, f"tools[{index}]", ledger)) is not None
    ]
    choice = call.tool_choice
    if tools:
        body["tools"] = tools
    elif not ledger.native:
        if choice is not None:
            ledger.drop("tool_choice")  # no tool is left to choose
        return
    if choice is not None:
        if choice.mode == "other" and not ledger.native:
            ledger.refuse("tool_choice")
        body["tool_choice"] = _choice(call)
    if call.parallel is not None:
        body["parallel_tool_calls"] = call.parallel


def _choice(call: Call) -> Any:
    choice = call.tool_choice
    assert choice is not None
    if choice.mode == "other":
        return msgspec.Raw(choice.raw)
    if choice.mode != "tool":
        return "required" if choice.mode == "any" else choice.mode
    custom = False
    name = choice.name
    for tool in call.tools:
        if tool.name == choice.name:
            name = TOOL_NAME(tool.name)
            custom = isinstance(tool, Tool) and tool.custom
    return {"type": "custom" if custom else "function", "name": name}


def _tool(tool: Tool | Hosted, at: str, ledger: Ledger) -> Any:
    if isinstance(tool, Hosted):
        if ledger.native:
            return msgspec.Raw(tool.raw)
        ledger.drop(f"{at} ({tool.type[:40]})")
        return None
    kind = "custom" if tool.custom else "function"
    rendered: dict[str, Any] = {"type": kind, "name": TOOL_NAME(tool.name)}
    if tool.description:
        rendered["description"] = tool.description
    if tool.custom:
        if tool.grammar is not None:
            syntax, definition = tool.grammar
            rendered["format"] = {
                "type": "grammar",
                "syntax": syntax,
                "definition": definition,
            }
    else:
        if tool.schema is not None:
            rendered["parameters"] = msgspec.Raw(tool.schema)
        elif not ledger.native:
            rendered["parameters"] = {"type": "object", "properties": {}}
        if tool.strict is not None:
            rendered["strict"] = tool.strict
        elif not ledger.native:
            rendered["strict"] = False  # absent means strict here
    if tool.cache is not None:
        ledger.drop(f"{at}.cache_control")
    graft(rendered, ledger.rider(at, tool.rider))
    return rendered
