"""What Anthropic refuses of a content block (https://docs.claude.com/en/api/messages)."""

from __future__ import annotations

import re
from typing import Any, Final

from .fixtures import every
from .heard import contradicted, decoded
from .script import Refused

_IDENTIFIER: Final = re.compile(r"[a-zA-Z0-9_-]+\Z")
_PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
#: The fields of each type, and which of them it cannot be without.
_FIELDS: Final = {
    "text": ("text", "citations"),
    "image": ("source",),
    "document": ("source", "title", "context", "citations"),
    "tool_use": ("id", "name", "input", "caller"),
    "tool_result": ("tool_use_id", "content", "is_error"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
_NEEDED: Final = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
_OF_USER: Final = ("image", "document", "tool_result")
_OF_MODEL: Final = ("tool_use", "thinking", "redacted_thinking")
#: What the vendor's own tools leave in a conversation is taken as it is.
_SERVER: Final = ("server_tool_use", "search_result", "container_upload")


def block(held: Any, role: str, where: str) -> None:
    """
    Take one block of a message.

    :param where: of the request it is, as Anthropic's errors say it.
    :raises Refused: it is none that Anthropic takes.
    """
    kind = held.get("type") if isinstance(held, dict) else None
    if kind in _SERVER or str(kind).endswith("_tool_result"):
        return
    if kind not in _FIELDS:
        tags = ", ".join(f"'{name}'" for name in _FIELDS)
        raise Refused(
            400,
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the "
            f"expected tags: {tags}",
        )
    for name in _NEEDED[kind]:
        if name not in held:
            raise Refused(400, f"{where}.{kind}.{name}: Field required")
    for name in held:
        if name not in ("type", "cache_control", *_FIELDS[kind]):
            said = f"{where}.{kind}.{name}: Extra inputs are not permitted"
            raise Refused(400, said)
    if (kind in _OF_USER and role != "user") or (
        kind in _OF_MODEL and role != "assistant"
    ):
        owner = "user" if kind in _OF_USER else "assistant"
        said = f"{where}: `{kind}` blocks can only be in `{owner}` messages"
        raise Refused(400, said)
    _CHECKS[kind](held, where)


def text_of(content: Any) -> str:
    """The text of a tool's result."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or () if part["type"] == "text")


def _text(held: dict[str, Any], where: str) -> None:
    if not held["text"]:
        raise Refused(400, "messages: text content blocks must be non-empty")


def _media(held: dict[str, Any], where: str) -> None:
    source, here = held["source"], f"{where}.{held['type']}.source"
    kind = source.get("type") if isinstance(source, dict) else None
    if kind in ("url", "file", "text", "content"):
        return
    if kind != "base64":
        said = f"{here}: Input tag '{kind}' found using 'type' does not match any of "
        raise Refused(400, said + "the expected tags: 'base64', 'url', 'file'")
    for name in ("media_type", "data"):
        if name not in source:
            raise Refused(400, f"{here}.base64.{name}: Field required")
    media = source["media_type"]
    if held["type"] == "image" and media not in _PICTURES:
        listed = ", ".join(f"'{name}'" for name in _PICTURES)
        raise Refused(400, f"{here}.base64.media_type: Input should be {listed}")
    data = decoded(source["data"])
    if data is None:
        raise Refused(400, f"{here}.base64: invalid base64 data")
    found = contradicted(media, data)
    if found:
        raise Refused(
            400,
            f"{here}.base64.data: The image was specified using the {media} media "
            f"type, but the image appears to be a {found} image",
        )


def _tool_use(held: dict[str, Any], where: str) -> None:
    _identifier(held["id"], f"{where}.tool_use.id")
    if not isinstance(held["input"], dict):
        said = f"{where}.tool_use.input: Input should be a valid dictionary"
        raise Refused(400, said)


def _tool_result(held: dict[str, Any], where: str) -> None:
    _identifier(held["tool_use_id"], f"{where}.tool_result.tool_use_id")
    content = held.get("content")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        block(part, "user", f"{where}.tool_result.content.{number}")


def _identifier(id: str, where: str) -> None:
    if not _IDENTIFIER.match(id):
        pattern = "^[a-zA-Z0-9_-]+$"
        raise Refused(400, f"{where}: String should match pattern '{pattern}'")


def _thinking(held: dict[str, Any], where: str) -> None:
    if (held["thinking"], held["signature"]) not in _own("thinking", "signature"):
        raise Refused(400, f"{where}: Invalid `signature` in `thinking` block")


def _redacted(held: dict[str, Any], where: str) -> None:
    if (held["data"],) not in _own("data"):
        raise Refused(400, f"{where}: Invalid `data` in `redacted_thinking` block")


def _own(*names: str) -> set[tuple[str, ...]]:
    """Those of the blocks of our answers."""
    return {
        tuple(held[name] for name in names)
        for answer in every("anthropic-messages")
        for held in answer["content"]
        if all(name in held for name in names)
    }


_CHECKS: Final = {
    "text": _text,
    "image": _media,
    "document": _media,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
