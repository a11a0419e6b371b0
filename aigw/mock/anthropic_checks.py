"""
What Anthropic refuses of a message, in its words, and what is left to tell of one that
it takes (https://docs.claude.com/en/api/messages, …/docs/agents-and-tools/tool-use,
…/docs/build-with-claude/extended-thinking).
"""

from __future__ import annotations

import re
from typing import Any, Final

from .anthropic_blocks import block, text_of
from .heard import Heard, stranger
from .script import Refused
from .shape import shaped

_KNOWN: Final = frozenset(
    "model messages max_tokens billing_policy cache_control container "
    "context_management diagnostics fallbacks inference_geo mcp_servers metadata "
    "output_config output_format service_tier speed stop_sequences stream system "
    "temperature thinking tool_choice tools top_k top_p anthropic_version "
    "anthropic_beta".split()
)
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
_LEAST_BUDGET: Final = 1024
_MOST_MARKS: Final = 4


@shaped
def checked(body: dict[str, Any]) -> Heard:
    """
    What a request has for the model.

    :raises Refused: Anthropic would refuse it.
    """
    name = stranger(body, _KNOWN)
    if name:
        raise Refused(400, f"{name}: Extra inputs are not permitted")
    thinking = _thinking(body)
    for place, tool in enumerate(body.get("tools") or ()):
        where = f"tools.{place}.custom"
        if tool.get("type", "custom") != "custom":
            continue
        if not _TOOL_NAME.match(str(tool.get("name", ""))):
            pattern = "^[a-zA-Z0-9_-]{1,128}$"
            said = f"{where}.name: String should match pattern '{pattern}'"
            raise Refused(400, said)
        if "input_schema" not in tool:
            raise Refused(400, f"{where}.input_schema: Field required")
    marks = _marks(body)
    if marks > _MOST_MARKS:
        raise Refused(
            400,
            f"A maximum of {_MOST_MARKS} blocks with cache_control may be provided. "
            f"Found {marks}.",
        )
    messages = body["messages"]
    for at, message in enumerate(messages):
        _message(message, f"messages.{at}")
    turns = _merged(messages)
    _order(turns)
    if thinking:
        _begins_with_thinking(turns)
    return _heard(turns)


def _thinking(body: dict[str, Any]) -> bool:
    thinking = body.get("thinking") or {}
    kind = thinking.get("type", "disabled")
    if kind not in ("enabled", "adaptive"):
        return False
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if budget is None:
            raise Refused(400, "thinking.enabled.budget_tokens: Field required")
        if budget < _LEAST_BUDGET:
            said = "thinking.enabled.budget_tokens: Input should be greater than or "
            raise Refused(400, said + f"equal to {_LEAST_BUDGET}")
        if body.get("max_tokens", budget + 1) <= budget:
            said = "`max_tokens` must be greater than `thinking.budget_tokens`. Please "
            said += "consult our documentation at https://docs.claude.com/en/docs/"
            raise Refused(400, said + "build-with-claude/extended-thinking")
    if body.get("temperature", 1) != 1:
        said = "`temperature` may only be set to 1 when thinking is enabled."
        raise Refused(400, said)
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        said = "Thinking may not be enabled when tool_choice forces tool use."
        raise Refused(400, said)
    return True


def _marks(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_marks, value))
    if not isinstance(value, dict):
        return 0
    inner = sum(_marks(value[key]) for key in value if key not in ("input", "metadata"))
    return inner + (value.get("cache_control") is not None)


def _message(message: Any, where: str) -> None:
    role = message.get("role")
    if role not in ("user", "assistant"):
        said = "Input should be 'user' or 'assistant'"
        if role == "system":
            said = 'Unexpected role "system". The Messages API accepts a top-level '
            said += '`system` parameter, not "system" as an input message role.'
        raise Refused(400, f"{where}.role: {said}" if role != "system" else said)
    content = message.get("content")
    if content is None:
        raise Refused(400, f"{where}.content: Field required")
    name = stranger(message, ("role", "content"))
    if name:
        raise Refused(400, f"{where}.{name}: Extra inputs are not permitted")
    if isinstance(content, str):
        return
    for number, held in enumerate(content):
        block(held, role, f"{where}.content.{number}")


def _merged(messages: list[Any]) -> list[tuple[int, str, list[Any]]]:
    """Place, role and blocks of each turn: consecutive messages of a role are one."""
    turns: list[tuple[int, str, list[Any]]] = []
    for at, message in enumerate(messages):
        content = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if turns and turns[-1][1] == message["role"]:
            turns[-1][2].extend(content)
        else:
            turns.append((at, message["role"], list(content)))
    return turns


def _order(turns: list[tuple[int, str, list[Any]]]) -> None:
    if turns and turns[0][1] != "user":
        raise Refused(400, 'messages: first message must use the "user" role')
    asked: dict[str, int] = {}
    for at, _, content in turns:
        results = _ids(content, "tool_result", "tool_use_id")
        for number, held in enumerate(content):
            if held["type"] == "tool_result" and held["tool_use_id"] not in asked:
                raise Refused(
                    400,
                    f"messages.{at}.content.{number}: unexpected `tool_use_id` found "
                    f"in `tool_result` blocks: {held['tool_use_id']}. Each "
                    "`tool_result` block must have a corresponding `tool_use` block in "
                    "the previous message.",
                )
        _missing(asked, results)
        asked = dict.fromkeys(_ids(content, "tool_use", "id"), at)
        if len(asked) != len(_ids(content, "tool_use", "id")):
            said = f"messages.{at}.content: `tool_use` ids must be unique"
            raise Refused(400, said)
    _missing(asked, [])


def _missing(asked: dict[str, int], results: list[str]) -> None:
    lost = [id for id in asked if id not in results]
    if lost:
        raise Refused(
            400,
            f"messages.{asked[lost[0]]}: `tool_use` ids were found without "
            f"`tool_result` blocks immediately after: {', '.join(lost)}. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the "
            "next message.",
        )


def _ids(content: list[Any], kind: str, key: str) -> list[str]:
    return [held[key] for held in content if held["type"] == kind]


def _begins_with_thinking(turns: list[tuple[int, str, list[Any]]]) -> None:
    """Where a turn with tools is under way, its thinking must stand before them."""
    if len(turns) < 2 or not _ids(turns[-1][2], "tool_result", "tool_use_id"):
        return
    at, _, content = turns[-2]
    if content[0]["type"] not in ("thinking", "redacted_thinking"):
        raise Refused(
            400,
            f"messages.{at}.content.0.type: Expected `thinking` or "
            f"`redacted_thinking`, but found `{content[0]['type']}`. When `thinking` "
            "is enabled, a final `assistant` message must start with a thinking block "
            "(preceeding the lastmost set of `tool_use` and `tool_result` blocks). We "
            "recommend you include thinking blocks from previous turns. To avoid this "
            "requirement, disable `thinking`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
        )


def _heard(turns: list[tuple[int, str, list[Any]]]) -> Heard:
    heard = Heard()
    names = {
        held["id"]: held["name"]
        for _, _, content in turns
        for held in content
        if held["type"] == "tool_use"
    }
    for _, role, content in turns:
        for held in content:
            if role == "assistant" and "thinking" in held["type"]:
                heard.reasoned()
    if not turns or turns[-1][1] != "user":
        return heard
    for held in turns[-1][2]:
        if held["type"] == "tool_result":
            heard.result(names[held["tool_use_id"]], text_of(held.get("content")))
            inner = held.get("content")
            for part in inner if isinstance(inner, list) else ():
                _tell(heard, part)
        _tell(heard, held)
    return heard


def _tell(heard: Heard, held: Any) -> None:
    if held["type"] not in ("image", "document"):
        return
    source = held["source"]
    if source["type"] == "url":
        heard.linked(source["url"])
    elif source["type"] == "base64":
        heard.encoded(source["media_type"], source["data"])
