"""The tools of a neutral call as ``toolConfig``."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call
from aigw.model.tool import Hosted, Tool, ToolChoice

from .render_content import Content
from .words import TOOL_NAME

_NO_ARGUMENTS = b'{"type":"object","properties":{}}'


def tool_config(
    call: Call, called: list[str], content: Content, ledger: Ledger
) -> dict[str, Any] | None:
    """
    :param called: names of the tools that earlier turns called: Converse refuses such
        turns where no tool is defined.
    """
    tools: list[Any] = []
    for index, tool in enumerate(call.tools):
        tools += _tool(tool, f"tools[{index}]", content, ledger)
    choice = call.tool_choice
    if ledger.native:
        if not tools and choice is None:
            return None
        told: dict[str, Any] = {"tools": tools} if tools else {}
        if choice is not None:
            told["toolChoice"] = _choice(choice, call)
        return told
    if choice is not None and choice.mode == "other":
        ledger.refuse("tool_choice")
    if call.parallel is False:
        ledger.drop("parallel_tool_calls")
    if choice is not None and (choice.mode == "none" or not tools):
        if called or choice.mode != "none":
            ledger.drop("tool_choice")  # none is left to choose, or to leave out
        elif not called:
            return None  # no tool may be called: none is shown
        choice = None
    if not tools:
        if not called:
            return None
        ledger.clamp("tools")
        tools = [_spec(Tool(name), "tools", ledger) for name in called]
    told = {"tools": tools}
    if choice is not None:
        told["toolChoice"] = _choice(choice, call)
    return told


def _tool(tool: Tool | Hosted, at: str, content: Content, ledger: Ledger) -> list[Any]:
    """The tool, and the marker behind it."""
    if isinstance(tool, Hosted):
        if ledger.native:
            return [msgspec.Raw(tool.raw)]
        ledger.drop(f"{at} ({tool.type[:40]})")
        return []
    if tool.custom:
        ledger.refuse(at, "a tool that takes text")
    spec = _spec(tool, at, ledger)
    return [spec] if tool.cache is None else [spec, *content.mark(tool.cache, at)]


def _spec(tool: Tool, at: str, ledger: Ledger) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": TOOL_NAME(tool.name)}
    if tool.description:
        spec["description"] = tool.description
    schema = tool.schema
    if schema is None and not ledger.native:
        schema = _NO_ARGUMENTS
    if schema is not None:
        spec["inputSchema"] = {"json": msgspec.Raw(schema)}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    rendered = {"toolSpec": spec}
    graft(rendered, ledger.rider(at, tool.rider))
    return rendered


def _choice(choice: ToolChoice, call: Call) -> Any:
    if choice.mode == "other":
        return msgspec.Raw(choice.raw)
    if choice.mode != "tool":
        return {choice.mode: {}}
    declared = any(tool.name == choice.name for tool in call.tools)
    return {"tool": {"name": TOOL_NAME(choice.name) if declared else choice.name}}
