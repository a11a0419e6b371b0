"""
A neutral call as a chat completion request. For calls that came as anthropic-messages
this is the mapping of the reference's section 3.6, its faults excepted.
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

from .render_messages import Messages
from .words import NAME, TOOL_NAME

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
    if (call.stream and not ledger.native) or call.include_usage:
        body["stream_options"] = {"include_usage": True}
    if call.max_tokens is not None:
        body[target.cap] = call.max_tokens
    _sampling(call, body, ledger)
    effort = _effort(call, ledger)
    if effort:
        body["reasoning_effort"] = effort
    if call.format is not None:
        body["response_format"] = _format(call.format, ledger)
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
    """Reference section 3.6: by budget where there is one, else the effort told."""
    asked = call.reasoning
    if asked is None or asked.mode == "off":
        return ""
    ledger.rider("reasoning", asked.rider)
    if asked.mode == "on":
        budget = asked.budget or 0
        for bound, effort in ((1024, "minimal"), (2048, "low"), (4096, "medium")):
            if budget < bound:
                return effort
        return "high"
    if asked.mode == "adaptive":
        return asked.effort or "medium"
    if call.origin == "anthropic-messages":
        # There an effort alone does not ask for reasoning.
        ledger.drop("output_config.effort")
        return ""
    return asked.effort


def _format(format: Format, ledger: Ledger) -> dict[str, Any]:
    ledger.rider("format", format.rider)
    if format.kind != "schema":
        return {"type": "text" if format.kind == "text" else "json_object"}
    # Vendors without a strict flag always hold the model to the schema.
    forced = format.strict is None and not ledger.native
    schema = strict(format.schema) if forced else format.schema
    given: dict[str, Any] = {
        "name": format.name or ("" if ledger.native else "structured_output"),
        "schema": msgspec.Raw(schema),
    }
    if format.description:
        given["description"] = format.description
    if forced or format.strict is not None:
        given["strict"] = True if forced else format.strict
    return {"type": "json_schema", "json_schema": given}


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
        if tool.name == choice.name:  # a name nobody declared is left alone
            name = TOOL_NAME(tool.name)
            custom = isinstance(tool, Tool) and tool.custom
    kind = "custom" if custom else "function"
    return {"type": kind, kind: {"name": name}}


def _tool(tool: Tool | Hosted, at: str, ledger: Ledger) -> dict[str, Any] | None:
    if isinstance(tool, Hosted):
        ledger.drop(f"{at} ({tool.type[:40]})")
        return None
    given: dict[str, Any] = {"name": TOOL_NAME(tool.name)}
    if tool.description:
        given["description"] = tool.description
    if tool.custom:
        if tool.grammar is not None:
            syntax, definition = tool.grammar
            grammar = {"syntax": syntax, "definition": definition}
            given["format"] = {"type": "grammar", "grammar": grammar}
    else:
        if tool.schema is not None:
            given["parameters"] = msgspec.Raw(tool.schema)
        if tool.strict is not None:
            given["strict"] = tool.strict
    kind = "custom" if tool.custom else "function"
    result: dict[str, Any] = {"type": kind, kind: given}
    if tool.cache is not None:
        if ledger.native:
            result["cache_control"] = cache_control(tool.cache.ttl)
        else:
            ledger.drop(f"{at}.cache_control")
    graft(result, ledger.rider(at, tool.rider))
    return result


def cache_control(ttl: str) -> dict[str, str]:
    return {"type": "ephemeral", "ttl": ttl} if ttl else {"type": "ephemeral"}
