"""A neutral answer as a whole response."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import foreign
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import BlockKind
from aigw.model.finish import Finish
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)

from .item import Item, annotation_of
from .logprobs import content_of
from .response import Response
from .words import NAME, encrypted, image_format


def body_of(answer: Answer, response: Response) -> bytes:
    """The first choice; there is no place for others."""
    response.started(
        events.Started(answer.id, answer.model, answer.created, answer.tier)
    )
    choice = answer.choices[0] if answer.choices else None
    items: list[Item] = []
    for part in choice.parts if choice is not None else ():
        item = _item(part, len(items), response.id)
        if item is not None:
            items.append(item)
        if isinstance(part, ToolCall) and part.signature is not None:
            loose = Redacted(foreign.of_call(part.signature, part.id))
            items += filter(None, [_item(loose, len(items), response.id)])
    if choice is not None and choice.logprobs is not None:
        for item in [item for item in items if item.kind == "text"][:1]:
            item.logprobs = content_of(choice.logprobs)
    output = [item.body("completed") for item in items]
    finish = choice.finish if choice is not None else Finish.STOP
    return msgspec.json.encode(response.body(finish, output, answer.usage))


def _item(part: Part, index: int, response: str) -> Item | None:
    def item(kind: BlockKind, said: str, *more: Any) -> Item:
        made = Item(kind, index, response, *more)
        made.pieces.append(said)
        return made

    if isinstance(part, Text):
        made = item("text", part.text)
        cited = [annotation_of(citation) for citation in part.citations]
        made.annotations = [one for one in cited if one is not None]
        return made
    if isinstance(part, Refusal):
        return item("refusal", part.text)
    if isinstance(part, ToolCall):
        custom = part.kind == "custom"
        return item("tool", part.arguments, part.id, part.name, custom)
    if isinstance(part, Thinking | Redacted):
        made = item("thinking", part.text if isinstance(part, Thinking) else "")
        if part.signature is not None:
            redacted = isinstance(part, Redacted)
            made.encrypted = encrypted(part.signature, redacted)
        return made
    if isinstance(part, Media) and part.kind == "image" and part.source == "base64":
        made = item("image", part.value)
        made.name = image_format(part.type)
        return made
    if isinstance(part, Opaque) and part.dialect == NAME:
        made = item("opaque", "")
        made.raw = part.raw
        return made
    return None
