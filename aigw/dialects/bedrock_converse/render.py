"""
A neutral call as a Converse request. ``model`` and ``stream`` stand in it for the
provider to take out: Converse has both in its path.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from aigw.dialects import failures
from aigw.dialects.claude import Thought, sampled_either_way, unsampled
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.model.call import Call, Format
from aigw.model.rendered import Rendered, Target

from .render_content import Content
from .render_messages import Messages
from .render_reasoning import Asked, asked_for
from .render_tools import tool_config
from .words import NAME, TIERS, TOOL_NAME, may_be_claude

#: Where Claude tells the stop sequence it hit.
_SEQUENCE = "/stop_sequence"

_LABEL = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_MOST_LABELS = 16


def render(call: Call, target: Target) -> Rendered:
    """See :meth:`aigw.interfaces.IChatDialect.render`."""
    ledger = Ledger(call, NAME)
    if call.n is not None and call.n > 1:
        ledger.refuse("n", "it gives one answer")
    if call.logprobs is not None:
        ledger.refuse("logprobs")
    model = target.model or call.model
    content = Content(ledger, model)
    messages = Messages(call, ledger, content)
    body: dict[str, Any] = {}
    if model:
        body["model"] = model
    system = messages.system()
    if system is not None:
        body["system"] = system
    body["messages"] = messages.rendered()
    if not body["messages"]:
        if not ledger.native:
            ledger.refuse("messages", "nothing is said in them")
        del body["messages"]
    if call.stream:
        body["stream"] = True
    tools = tool_config(call, messages.called(), content, ledger)
    if tools is not None:
        body["toolConfig"] = tools
    asked = asked_for(call, model, ledger)
    _inference(call, model, asked, body, ledger)
    output = _output(call.format, asked.thought, ledger)
    if output:
        body["outputConfig"] = output
    _attached(call, body, ledger)
    if ledger.native:
        graft(body, call.rider)
    return Rendered(
        body=msgspec.json.encode(body),
        model=model,
        names=TOOL_NAME.back(call.tools),
        dropped=ledger.dropped,
    )


def _inference(
    call: Call, model: str, asked: Asked, body: dict[str, Any], ledger: Ledger
) -> None:
    for name in ("seed", "logit_bias"):
        if getattr(call, name) is not None:
            ledger.drop(name)
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(call, name):
            ledger.drop(name)
    config: dict[str, Any] = {}
    if call.max_tokens is not None:
        config["maxTokens"] = call.max_tokens
    # Neither recent Claudes nor any that reasons let sampling be tuned.
    fixed = not ledger.native and (unsampled(model) or asked.thought.on)
    either = not ledger.native and sampled_either_way(model)
    for name, word in (("temperature", "temperature"), ("top_p", "topP")):
        value = getattr(call, name)
        if value is None:
            continue
        if fixed or (name == "top_p" and either and call.temperature is not None):
            ledger.drop(name)
        elif value > 1 and not ledger.native:
            config[word] = 1
            ledger.clamp(name)
        else:
            config[word] = value
    stop = call.stop
    if not ledger.native and any(not word.strip() for word in stop):
        stop = tuple(word for word in stop if word.strip())
        ledger.clamp("stop")
    if stop:
        config["stopSequences"] = stop
        if not ledger.native and "claude" in model:
            body["additionalModelResponseFieldPaths"] = [_SEQUENCE]
    if config:
        body["inferenceConfig"] = config
    fields = asked.fields
    if call.top_k is not None:
        if ledger.native or (may_be_claude(model) and not fixed):
            fields["top_k"] = call.top_k
        elif "nova" in model:
            fields["inferenceConfig"] = {"topK": call.top_k}
        else:
            ledger.drop("top_k")
    if fields:
        body["additionalModelRequestFields"] = fields


def _output(format: Format | None, thought: Thought, ledger: Ledger) -> dict[str, Any]:
    output: dict[str, Any] = {}
    if thought.effort:
        output["effort"] = thought.effort
    if format is None or format.kind == "text":
        return output
    ledger.rider("response_format", format.rider)
    if format.kind == "json":
        ledger.drop("response_format")
        return output
    schema = {"schema": format.schema.decode()}
    if format.name:
        schema["name"] = format.name
    if format.description:
        schema["description"] = format.description
    output["textFormat"] = {
        "type": "json_schema",
        "structure": {"jsonSchema": schema},
    }
    return output


def _attached(call: Call, body: dict[str, Any], ledger: Ledger) -> None:
    """What stands beside the prompt."""
    if call.user:
        ledger.drop("user")
    if call.metadata is not None:
        labels = call.metadata if ledger.native else _labels(call.metadata, ledger)
        if labels is not None:
            body["requestMetadata"] = msgspec.Raw(labels)
    if call.service_tier:
        if ledger.native or call.service_tier in TIERS:
            body["serviceTier"] = {"type": call.service_tier}
        else:
            ledger.drop("service_tier")


def _labels(metadata: bytes, ledger: Ledger) -> bytes | None:
    """The metadata that Converse takes: few, short, of few characters."""
    told = failures.decoded(metadata)
    kept: dict[str, str] = {}
    for key, value in told.items() if isinstance(told, dict) else ():
        fits = isinstance(value, str) and _LABEL.fullmatch(value)
        if fits and key and _LABEL.fullmatch(key) and len(kept) < _MOST_LABELS:
            kept[key] = value
        else:
            ledger.drop(f"metadata.{key[:64]}")
    return msgspec.json.encode(kept) if kept else None
