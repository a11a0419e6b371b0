"""A neutral call as a Messages request."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.claude import Thought, sampled_either_way, thought_of, unsampled
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call
from aigw.model.rendered import Rendered, Target
from aigw.model.tool import Hosted, Tool

from .render_content import cache_control
from .render_messages import Messages
from .words import NAME, TOOL_NAME

_TIERS = frozenset({"auto", "standard_only"})
_NO_ARGUMENTS = b'{"type":"object","properties":{}}'


def render(call: Call, target: Target) -> Rendered:
    """See :meth:`aigw.interfaces.IChatDialect.render`."""
    ledger = Ledger(call, NAME)
    _demands(call, ledger)
    model = target.model or call.model
    cap = call.max_tokens
    if cap is None and not ledger.native:
        cap = target.max_tokens
    messages = Messages(call, ledger)
    body: dict[str, Any] = {}
    if model:
        body["model"] = model
    if cap is not None:
        body["max_tokens"] = cap
    system = messages.system()
    if system is not None:
        body["system"] = system
    body["messages"] = messages.rendered()
    if not body["messages"]:
        ledger.refuse("messages", "nothing is said in them")
    if call.stream:
        body["stream"] = True
    _tools(call, body, ledger)
    thought = thought_of(call, model, cap or target.max_tokens, ledger)
    _output(call, thought, body, ledger)
    _sampling(call, model, thought, body, ledger)
    if call.user:
        body["metadata"] = {"user_id": call.user}
    if call.metadata is not None:
        ledger.drop("metadata")
    if call.service_tier:
        if ledger.native or call.service_tier in _TIERS:
            body["service_tier"] = call.service_tier
        else:
            ledger.drop("service_tier")
    if call.cache is not None:
        body["cache_control"] = cache_control(call.cache)
    if ledger.native:
        graft(body, call.rider)
    return Rendered(
        body=msgspec.json.encode(body),
        model=model,
        names=TOOL_NAME.back(call.tools),
        dropped=ledger.dropped,
    )


def _demands(call: Call, ledger: Ledger) -> None:
    """What the answer would be wrong without."""
    if call.n is not None and call.n > 1:
        ledger.refuse("n", "it gives one answer")
    if call.logprobs is not None:
        ledger.refuse("logprobs")


def _sampling(
    call: Call, model: str, thought: Thought, body: dict[str, Any], ledger: Ledger
) -> None:
    for name in ("seed", "logit_bias"):
        if getattr(call, name) is not None:
            ledger.drop(name)
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(call, name):
            ledger.drop(name)
    # Neither recent models nor any that reasons let sampling be tuned.
    fixed = not ledger.native and (unsampled(model) or thought.on)
    either = not ledger.native and sampled_either_way(model)
    for name, most in (("temperature", 1), ("top_p", None), ("top_k", None)):
        value = getattr(call, name)
        if value is None:
            continue
        if fixed or (name == "top_p" and either and call.temperature is not None):
            ledger.drop(name)
        elif most is not None and value > most and not ledger.native:
            body[name] = most
            ledger.clamp(name)
        else:
            body[name] = value
    stop = call.stop
    if not ledger.native and any(not word.strip() for word in stop):
        stop = tuple(word for word in stop if word.strip())
        ledger.clamp("stop")
    if stop:
        body["stop_sequences"] = stop


def _output(call: Call, thought: Thought, body: dict[str, Any], ledger: Ledger) -> None:
    if thought.thinking is not None:
        body["thinking"] = thought.thinking
    output: dict[str, Any] = {}
    if thought.effort:
        output["effort"] = thought.effort
    format = call.format
    if format is not None and format.kind == "schema":
        schema = msgspec.Raw(format.schema)
        output["format"] = {"type": "json_schema", "schema": schema}
    elif format is not None and format.kind == "json":
        ledger.drop("response_format")
    if output:
        body["output_config"] = output


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
    if choice is None and call.parallel is None:
        return
    if choice is None:
        if call.parallel:
            return
        chosen: dict[str, Any] = {"type": "auto"}
    elif choice.mode == "other":
        if not ledger.native:
            ledger.refuse("tool_choice")
        body["tool_choice"] = msgspec.Raw(choice.raw)
        return
    else:
        chosen = {"type": choice.mode}
        if choice.mode == "tool":
            declared = any(tool.name == choice.name for tool in call.tools)
            chosen["name"] = TOOL_NAME(choice.name) if declared else choice.name
    if call.parallel is not None and chosen["type"] != "none":
        chosen["disable_parallel_tool_use"] = not call.parallel
    body["tool_choice"] = chosen


def _tool(tool: Tool | Hosted, at: str, ledger: Ledger) -> Any:
    if isinstance(tool, Hosted):
        if ledger.native:
            return msgspec.Raw(tool.raw)
        ledger.drop(f"{at} ({tool.type[:40]})")
        return None
    if tool.custom:
        ledger.refuse(at, "a tool that takes text")
    rendered: dict[str, Any] = {"name": TOOL_NAME(tool.name)}
    if tool.description:
        rendered["description"] = tool.description
    schema = tool.schema
    if schema is None and not ledger.native:
        schema = _NO_ARGUMENTS
    if schema is not None:
        rendered["input_schema"] = msgspec.Raw(schema)
    if tool.strict is not None:
        rendered["strict"] = tool.strict
    if tool.cache is not None:
        rendered["cache_control"] = cache_control(tool.cache)
    graft(rendered, ledger.rider(at, tool.rider))
    return rendered
