"""
A neutral call as a generateContent request. The body names the model and whether a
stream is wanted; providers move both into the path.
"""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call
from aigw.model.rendered import Rendered, Target
from aigw.model.tool import Hosted, Tool

from .render_contents import Contents
from .render_reasoning import thinking_config
from .words import NAME, TOOL_NAME

#: The most stop sequences the API takes.
_STOPS = 5
_SEED = 2**31


def render(call: Call, target: Target) -> Rendered:
    """See :meth:`aigw.interfaces.IChatDialect.render`."""
    ledger = Ledger(call, NAME)
    model = target.model or call.model
    body: dict[str, Any] = {}
    if model:
        body["model"] = model
    if call.stream:
        body["stream"] = True
    contents = Contents(call, model, ledger)
    system = contents.system()
    if system is not None:
        body["systemInstruction"] = system
    body["contents"] = contents.rendered()
    if not body["contents"]:
        ledger.refuse("messages", "nothing is said in them")
    _tools(call, body, ledger)
    config = _config(call, ledger)
    thinking = thinking_config(call, model, ledger)
    if thinking is not None:
        config["thinkingConfig"] = thinking
    if config:
        body["generationConfig"] = config
    _drops(call, ledger)
    if ledger.native:
        graft(body, call.rider)
    return Rendered(
        body=msgspec.json.encode(body),
        model=model,
        names=TOOL_NAME.back(call.tools),
        dropped=ledger.dropped,
    )


def _drops(call: Call, ledger: Ledger) -> None:
    """What only tunes an answer, or keeps accounts of it."""
    for name in ("logit_bias", "metadata"):
        if getattr(call, name) is not None:
            ledger.drop(name)
    for name in ("user", "service_tier"):
        if getattr(call, name):
            ledger.drop(name)
    if call.parallel is False:
        ledger.drop("parallel_tool_calls")
    if call.cache is not None:
        ledger.drop("cache_control")


def _config(call: Call, ledger: Ledger) -> dict[str, Any]:
    told = {
        "maxOutputTokens": call.max_tokens,
        "temperature": call.temperature,
        "topP": call.top_p,
        "topK": call.top_k,
        "seed": call.seed,
        "frequencyPenalty": call.frequency_penalty,
        "presencePenalty": call.presence_penalty,
        "candidateCount": call.n,
    }
    config: dict[str, Any] = {k: v for k, v in told.items() if v is not None}
    seed = call.seed
    if seed is not None and not ledger.native and not -_SEED <= seed < _SEED:
        config["seed"] = seed % _SEED
        ledger.clamp("seed")
    if call.stop:
        config["stopSequences"] = call.stop
        if len(call.stop) > _STOPS and not ledger.native:
            config["stopSequences"] = call.stop[:_STOPS]
            ledger.clamp("stop")
    if call.logprobs is not None:
        config["responseLogprobs"] = True
        if call.logprobs:
            config["logprobs"] = call.logprobs
    format = call.format
    if format is not None:
        ledger.rider("format", format.rider)
        json = format.kind != "text"
        if json or ledger.native:
            config["responseMimeType"] = "application/json" if json else "text/plain"
        if format.kind == "schema":
            config["responseJsonSchema"] = msgspec.Raw(format.schema)
    return config


def _tools(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    tools: list[Any] = []
    declared: list[Any] | None = None
    for index, tool in enumerate(call.tools):
        at = f"tools[{index}]"
        if isinstance(tool, Hosted):
            if ledger.native:
                tools.append(msgspec.Raw(tool.raw))
                declared = None
            else:
                ledger.drop(f"{at} ({tool.type[:40]})")
            continue
        if declared is None:
            declared = []
            tools.append({"functionDeclarations": declared})
        declared.append(_declaration(tool, at, ledger))
    choice = call.tool_choice
    if tools:
        body["tools"] = tools
    elif not ledger.native:
        if choice is not None:
            ledger.drop("tool_choice")  # no tool is left to choose
        return
    if choice is None:
        return
    config: Any = {"mode": choice.mode.upper()}
    if choice.mode == "other":
        if not ledger.native:
            ledger.refuse("tool_choice")
        config = msgspec.Raw(choice.raw)
    elif choice.mode == "tool":
        known = any(tool.name == choice.name for tool in call.tools)
        name = TOOL_NAME(choice.name) if known else choice.name
        config = {"mode": "ANY", "allowedFunctionNames": [name]}
    body["toolConfig"] = {"functionCallingConfig": config}


def _declaration(tool: Tool, at: str, ledger: Ledger) -> dict[str, Any]:
    if tool.custom:
        ledger.refuse(at, "a tool that takes text")
    told: dict[str, Any] = {"name": TOOL_NAME(tool.name)}
    if tool.description:
        told["description"] = tool.description
    if tool.schema is not None:
        told["parametersJsonSchema"] = msgspec.Raw(tool.schema)
    if tool.strict:
        ledger.drop(f"{at}.strict")
    if tool.cache is not None:
        ledger.drop(f"{at}.cache_control")
    graft(told, ledger.rider(at, tool.rider))
    return told
