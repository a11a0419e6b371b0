"""
What requests of OpenAI's two dialects say alike: tools, the answer's form, how much to
think, what stands beside the prompt, cache markers. The dialects differ in how deep
they nest it, which they tell by the functions they pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from aigw.model.call import Call, Format
from aigw.model.part import Cache, Rider
from aigw.model.tool import Hosted, Tool, ToolChoice

from .json_object import JSONObject, graft, wrong
from .ledger import Ledger
from .names import Fit
from .schema import strict

TOOL_NAME: Final = Fit("a-zA-Z0-9_-", 64)

#: The service tiers an answer may name; other vendors' words mean nothing here.
TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})

#: Thinking budgets below which an effort is meant (reference section 3.6), tokens.
_EFFORTS: Final = ((1024, "minimal"), (2048, "low"), (4096, "medium"))


def choice_word(body: JSONObject) -> ToolChoice | None:
    """
    A ``tool_choice`` that is no object; None where there is none.

    :raises BadRequest: it is not one of the three words.
    """
    word = body.string("tool_choice")
    if word is None:
        return None
    if word in ("auto", "none"):
        return ToolChoice("auto" if word == "auto" else "none")
    if word != "required":
        wrong("tool_choice", "none, auto, required or an object")
    return ToolChoice("any")


def effort_of(call: Call, ledger: Ledger) -> str:
    """Reference section 3.6: by budget where there is one, else the effort told."""
    asked = call.reasoning
    if asked is None or asked.mode == "off":
        return ""
    if asked.mode == "on":
        budget = asked.budget or 0
        return next((word for bound, word in _EFFORTS if budget < bound), "high")
    if asked.mode == "adaptive":
        return asked.effort or "medium"
    if call.origin == "anthropic-messages":
        # There an effort alone does not ask for reasoning.
        ledger.drop("output_config.effort")
        return ""
    return asked.effort


def format_of(format: Format, ledger: Ledger) -> tuple[str, dict[str, Any]]:
    """The form's type, and for a schema the object that tells it."""
    ledger.rider("format", format.rider)
    if format.kind != "schema":
        return "text" if format.kind == "text" else "json_object", {}
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
    return "json_schema", given


def kind_of(tool: Tool) -> str:
    return "custom" if tool.custom else "function"


def tool_fields(tool: Tool) -> dict[str, Any]:
    """A tool's own fields, but for the grammar of one that takes text."""
    given: dict[str, Any] = {"name": TOOL_NAME(tool.name)}
    if tool.description:
        given["description"] = tool.description
    if not tool.custom:
        if tool.schema is not None:
            given["parameters"] = msgspec.Raw(tool.schema)
        if tool.strict is not None:
            given["strict"] = tool.strict
    return given


def add_tools(
    call: Call,
    body: dict[str, Any],
    ledger: Ledger,
    tool: Callable[[Tool, str, Ledger], dict[str, Any]],
    named: Callable[[str, str], dict[str, Any]],
) -> None:
    """
    Put ``tools``, ``tool_choice`` and ``parallel_tool_calls`` into ``body``.

    :param tool: renders a tool that stands at a path.
    :param named: the choice of one tool, by its kind and name.
    """
    tools: list[Any] = []
    for index, one in enumerate(call.tools):
        at = f"tools[{index}]"
        if isinstance(one, Tool):
            tools.append(tool(one, at, ledger))
        elif ledger.native:
            tools.append(msgspec.Raw(one.raw))
        else:
            ledger.drop(f"{at} ({one.type[:40]})")
    choice = call.tool_choice
    if tools:
        body["tools"] = tools
    elif not ledger.native:
        if choice is not None:
            ledger.drop("tool_choice")  # no tool is left to choose
        return
    if choice is not None:
        if choice.mode == "other":
            if not ledger.native:
                ledger.refuse("tool_choice")
            body["tool_choice"] = msgspec.Raw(choice.raw)
        elif choice.mode == "tool":
            body["tool_choice"] = named(*_chosen(call.tools, choice.name))
        else:
            body["tool_choice"] = "required" if choice.mode == "any" else choice.mode
    if call.parallel is not None:
        body["parallel_tool_calls"] = call.parallel


def _chosen(tools: tuple[Tool | Hosted, ...], name: str) -> tuple[str, str]:
    """Kind and name of the tool chosen; a name nobody declared is left alone."""
    for tool in tools:
        if tool.name == name:
            kind = kind_of(tool) if isinstance(tool, Tool) else "function"
            return kind, TOOL_NAME(name)
    return "function", name


def attach(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    """Put what stands beside the prompt into ``body``."""
    if call.user:
        body["user"] = call.user
    if call.metadata is not None:
        body["metadata"] = msgspec.Raw(call.metadata)
    if call.service_tier:
        body["service_tier"] = call.service_tier
    if call.cache is not None:
        ledger.drop("cache_control")


def marked(
    part: dict[str, Any], cache: Cache | None, rider: Rider, at: str, ledger: Ledger
) -> dict[str, Any]:
    """A content part with its cache marker and what nobody knew of it."""
    if cache is not None:
        if ledger.native:
            marker = {"mode": "explicit"}
            if cache.ttl:
                marker["ttl"] = cache.ttl
            part["prompt_cache_breakpoint"] = marker
        else:
            ledger.drop(f"{at}.cache_control")
    graft(part, ledger.rider(at, rider))
    return part
