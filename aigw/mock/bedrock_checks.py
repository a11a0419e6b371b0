"""
What Bedrock's Converse refuses, in its words, and what is left to tell of what it takes
(Amazon Bedrock Runtime API reference, ``Converse``, ``ContentBlock``).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .fixtures import every
from .heard import Heard, contradicted, decoded
from .script import Refused
from .shape import shaped

_NAME: Final = "[a-zA-Z0-9_-]+"
_CALL: Final = "[a-zA-Z0-9_.:-]+"
_PICTURES: Final = ("png", "jpeg", "gif", "webp")
_ROLES: Final = ("user", "assistant")
#: Exactly one of these is in a block.
_KINDS: Final = frozenset(
    "text image document video audio toolUse toolResult guardContent cachePoint "
    "reasoningContent citationsContent searchResult".split()
)
_MODEL_SAID: Final = "The model returned the following errors: "


@shaped
def checked(body: dict[str, Any]) -> Heard:
    """
    What a request has for the model.

    :raises Refused: Bedrock would refuse it.
    """
    messages = body["messages"]
    tools = body.get("toolConfig")
    for place, tool in enumerate((tools or {}).get("tools", ())):
        if "toolSpec" in tool:
            where = f"toolConfig.tools.{place + 1}.member.toolSpec.name"
            _identifier(tool["toolSpec"].get("name"), where, _NAME)
    for at, message in enumerate(messages):
        _message(message, at)
    _order(messages)
    used = any(
        "toolUse" in held or "toolResult" in held
        for message in messages
        for held in message["content"]
    )
    if used and not tools:
        raise Refused(
            400,
            "The toolConfig field must be defined when using toolUse and toolResult "
            "content blocks.",
        )
    _thinking(body, messages)
    return _heard(messages)


def _message(message: Any, at: int) -> None:
    if message.get("role") not in _ROLES:
        where = f"messages.{at + 1}.member.role"
        said = "Member must satisfy enum value set: [user, assistant]"
        raise _constraint(message.get("role"), where, said)
    if not message.get("content"):
        said = f"The content field in the Message object at messages.{at} is empty. "
        raise Refused(400, said + "Add a ContentBlock object to the content field.")
    for number, held in enumerate(message["content"]):
        _block(held, f"messages.{at}.content.{number}")


def _block(held: Any, where: str) -> None:
    kinds = _KINDS.intersection(held)
    if len(kinds) != 1 or len(held) != 1:
        said = (
            f"The ContentBlock object at {where} must set one of the following keys: "
        )
        raise Refused(400, said + ", ".join(sorted(_KINDS)) + ".")
    if "text" in held and not held["text"].strip():
        said = f"The text field in the ContentBlock object at {where} is blank. Add "
        raise Refused(400, said + "text to the text field, and try again.")
    if "image" in held:
        _image(held["image"], where)
    if "toolUse" in held:
        use = held["toolUse"]
        _identifier(use.get("toolUseId"), f"{where}.toolUse.toolUseId", _CALL)
        _identifier(use.get("name"), f"{where}.toolUse.name", _NAME)
    if "toolResult" in held:
        result = held["toolResult"]
        _identifier(result.get("toolUseId"), f"{where}.toolResult.toolUseId", _CALL)
        for number, inner in enumerate(result.get("content") or ()):
            if "image" in inner:
                _image(inner["image"], f"{where}.toolResult.content.{number}")
    if "reasoningContent" in held:
        own = [
            block["reasoningContent"]
            for answer in every("bedrock-converse")
            for block in answer["output"]["message"]["content"]
            if "reasoningContent" in block
        ]
        if held["reasoningContent"] not in own:
            said = f"{where}: Invalid `signature` in `thinking` block"
            raise Refused(400, _MODEL_SAID + said)


def _image(image: dict[str, Any], where: str) -> None:
    if image.get("format") not in _PICTURES:
        said = "Member must satisfy enum value set: [gif, jpeg, png, webp]"
        raise _constraint(image.get("format"), f"{where}.image.format", said)
    source = image.get("source") or {}
    if "s3Location" in source:
        return
    data = decoded(source.get("bytes"))
    if data is None:
        raise Refused(400, f"The image source at {where} has no readable bytes.")
    if contradicted(f"image/{image['format']}", data):
        said = f"{where}: Could not process image"
        raise Refused(400, _MODEL_SAID + said)


def _identifier(value: object, where: str, pattern: str) -> None:
    """Patterns and lengths are those of botocore's model of the API."""
    fits = isinstance(value, str) and len(value) <= 64 and re.fullmatch(pattern, value)
    if not fits:
        said = f"Member must satisfy regular expression pattern: {pattern}"
        raise _constraint(value, where, said)


def _constraint(value: object, where: str, said: str) -> Refused:
    return Refused(
        400,
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy "
        f"constraint: {said}",
    )


def _order(messages: list[Any]) -> None:
    asked: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] != _ROLES[at % 2]:
            if at == 0:
                raise Refused(
                    400,
                    "A conversation must start with a user message. Try again with a "
                    "conversation that starts with a user message.",
                )
            raise Refused(
                400,
                "A conversation must alternate between user and assistant roles. Make "
                "sure the conversation alternates between user and assistant roles and "
                "try again.",
            )
        content = message["content"]
        results = [
            held["toolResult"]["toolUseId"] for held in content if "toolResult" in held
        ]
        if len(results) > len(asked):
            raise Refused(
                400,
                f"The number of toolResult blocks at messages.{at}.content exceeds the "
                "number of toolUse blocks of previous turn.",
            )
        _answered(asked, results, at)
        asked = [held["toolUse"]["toolUseId"] for held in content if "toolUse" in held]
    _answered(asked, [], len(messages))


def _answered(asked: list[str], results: list[str], at: int) -> None:
    lost = [id for id in asked if id not in results]
    if lost:
        raise Refused(
            400,
            f"Expected toolResult blocks at messages.{at}.content for the following "
            f"Ids: {', '.join(lost)}",
        )


def _thinking(body: dict[str, Any], messages: list[Any]) -> None:
    """Where a turn with tools is under way, its thinking must stand before them."""
    more = body.get("additionalModelRequestFields") or {}
    kind = (more.get("thinking") or {}).get("type")
    if kind not in ("enabled", "adaptive") or len(messages) < 2:
        return
    if not any("toolResult" in held for held in messages[-1]["content"]):
        return
    if "reasoningContent" not in messages[-2]["content"][0]:
        raise Refused(
            400,
            f"{_MODEL_SAID}messages.{len(messages) - 2}.content.0.type: Expected "
            "`thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` "
            "is enabled, a final `assistant` message must start with a thinking block.",
        )


def _heard(messages: list[Any]) -> Heard:
    heard = Heard()
    names = {
        held["toolUse"]["toolUseId"]: held["toolUse"]["name"]
        for message in messages
        for held in message["content"]
        if "toolUse" in held
    }
    for message in messages:
        if any("reasoningContent" in held for held in message["content"]):
            heard.reasoned()
    if not messages or messages[-1]["role"] != "user":
        return heard
    for held in messages[-1]["content"]:
        if "toolResult" in held:
            result = held["toolResult"]
            heard.result(names[result["toolUseId"]], _text(result["content"]))
            for inner in result["content"]:
                _tell(heard, inner)
        _tell(heard, held)
    return heard


def _text(content: list[Any]) -> str:
    texts = (
        part["text"] if "text" in part else json.dumps(part["json"])
        for part in content
        if "text" in part or "json" in part
    )
    return "".join(texts)


def _tell(heard: Heard, held: dict[str, Any]) -> None:
    if "image" in held:
        source = held["image"]["source"]
        if "bytes" in source:
            heard.encoded(f"image/{held['image']['format']}", source["bytes"])
        else:
            heard.linked(source["s3Location"]["uri"])
