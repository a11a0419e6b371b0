"""The messages of a neutral call as items of a Responses request."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import data_uri
from aigw.dialects.json_object import graft
from aigw.dialects.ledger import Ledger
from aigw.dialects.openai_request import TOOL_NAME, marked
from aigw.model.call import Call, Message
from aigw.model.part import (
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from .words import CALL_ID, NAME, VENDOR, own


class Items:
    """
    Renders the messages of one call.

    :ivar instructions: the system text in front, None where there is none of one text.
    :ivar reasoned: whether OpenAI's own signed reasoning is among the items.
    """

    def __init__(self, call: Call, ledger: Ledger) -> None:
        self._ledger = ledger
        self._items: list[Any] = []
        self._messages = list(call.messages)
        self.instructions: str | None = None
        self.reasoned = False
        first = self._messages[0] if self._messages else None
        if first is not None and self._instructs(first):
            self._messages.pop(0)
            self.instructions = "".join(
                part.text for part in first.parts if isinstance(part, Text)
            )
            for part in first.parts:
                if isinstance(part, Text) and part.cache is not None:
                    ledger.drop(f"{first.at}.cache_control")

    def _instructs(self, message: Message) -> bool:
        if self._ledger.native:
            return message.at == "instructions"
        only_text = all(isinstance(part, Text) for part in message.parts)
        return message.role == "system" and only_text and bool(message.parts)

    def rendered(self) -> list[Any]:
        for message in self._messages:
            if message.name:
                self._ledger.drop(f"{message.at}.name")
            if message.role == "assistant":
                self._assistant(message)
            else:
                self._other(message)
        return self._items

    def _other(self, message: Message) -> None:
        said: list[Part] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, ToolResult):
                self._result(part, f"{message.at}.content[{index}]")
            else:
                said.append(part)
        if message.role != "tool" and (said or not message.parts):
            self._say(message, message.role, said)

    def _say(self, message: Message, role: str, said: list[Part]) -> None:
        content = self._content(said, f"{message.at}.content", role)
        if role == "assistant":
            if isinstance(content, str) and message.rider:
                # With an id it is an output item, whose content is always an array.
                content = [{"type": "output_text", "text": content}]
            if not self._ledger.native:
                content = _joined(content)
                if not content:
                    return
        item: dict[str, Any] = {"role": role, "content": content}
        rider = self._ledger.rider(message.at, message.rider)
        graft(item, rider)
        self._items.append(item)

    def _assistant(self, message: Message) -> None:
        """Each kind of part is an item; texts next to each other share one."""
        said: list[Part] = []
        for index, part in enumerate(message.parts):
            at = f"{message.at}.content[{index}]"
            if isinstance(part, Text | Refusal | Media):
                said.append(part)
                continue
            if said:
                self._say(message, "assistant", said)
                said = []
            if isinstance(part, ToolCall):
                self._call(part, at)
            elif isinstance(part, Thinking | Redacted):
                self._reasoned(part, at)
            elif isinstance(part, Opaque) and self._ledger.native:
                self._items.append(msgspec.Raw(part.raw))
            else:
                self._ledger.drop(f"{at} ({type(part).__name__.lower()})")
        if said:
            self._say(message, "assistant", said)

    def _reasoned(self, part: Thinking | Redacted, at: str) -> None:
        ledger = self._ledger
        signature = part.signature
        foreign = signature is not None and signature.vendor != VENDOR
        if foreign or (signature is None and not ledger.native):
            ledger.drop(f"{at}.{type(part).__name__.lower()}")
            return
        text = part.text if isinstance(part, Thinking) else ""
        summary = [{"type": "summary_text", "text": text}] if text else []
        item: dict[str, Any] = {"type": "reasoning", "summary": summary}
        if signature is not None:
            id, value = own(signature)
            if id:
                item["id"] = id
            item["encrypted_content"] = value
            self.reasoned = True
        if isinstance(part, Thinking):
            graft(item, ledger.rider(at, part.rider))
        self._items.append(item)

    def _call(self, call: ToolCall, at: str) -> None:
        ledger = self._ledger
        if call.signature is not None:
            ledger.drop(f"{at}.signature")
        if call.cache is not None:
            ledger.drop(f"{at}.cache_control")
        custom = call.kind == "custom"
        text = call.arguments
        if not custom and not text and not ledger.native:
            text = "{}"
        item: dict[str, Any] = {
            "type": "custom_tool_call" if custom else "function_call",
            "call_id": CALL_ID(call.id),
            "name": TOOL_NAME(call.name),
            "input" if custom else "arguments": text,
        }
        graft(item, ledger.rider(at, call.rider))
        self._items.append(item)

    def _result(self, result: ToolResult, at: str) -> None:
        ledger = self._ledger
        if result.error:
            ledger.drop(f"{at}.is_error")
        if result.cache is not None:
            ledger.drop(f"{at}.cache_control")
        kind = "custom_tool_call_output" if result.custom else "function_call_output"
        item: dict[str, Any] = {
            "type": kind,
            "call_id": CALL_ID(result.id),
            "output": self._content(list(result.parts), f"{at}.content", "tool"),
        }
        if result.name and ledger.native:
            item["name"] = result.name
        graft(item, ledger.rider(at, result.rider))
        self._items.append(item)

    def _content(self, parts: list[Part], path: str, role: str) -> Any:
        """A string where that says the same, else an array of parts."""
        only = parts[0] if len(parts) == 1 else None
        if isinstance(only, Text) and only.plain:
            return only.text
        rendered: list[Any] = []
        for index, part in enumerate(parts):
            one = self._part(part, f"{path}[{index}]", role)
            if one is not None:
                rendered.append(one)
        if not rendered and not self._ledger.native:
            return ""
        return rendered

    def _part(self, part: Part, at: str, role: str) -> Any:
        ledger = self._ledger
        if isinstance(part, Text):
            kind = "output_text" if role == "assistant" else "input_text"
            text: dict[str, Any] = {"type": kind, "text": part.text}
            cited = [msgspec.Raw(c.raw) for c in part.citations if c.dialect == NAME]
            if len(cited) < len(part.citations):
                ledger.drop(f"{at}.citations")
            if part.signature is not None:
                ledger.drop(f"{at}.signature")
            if cited:
                text["annotations"] = cited
            return marked(text, part.cache, part.rider, at, ledger)
        if isinstance(part, Refusal):
            return marked(
                {"type": "refusal", "refusal": part.text}, None, part.rider, at, ledger
            )
        if isinstance(part, Media):
            media = self._media(part, at)
            return media and marked(media, part.cache, part.rider, at, ledger)
        if isinstance(part, Opaque) and ledger.native:
            return msgspec.Raw(part.raw)
        ledger.drop(f"{at} ({type(part).__name__.lower()})")
        return None

    def _media(self, media: Media, at: str) -> dict[str, Any] | None:
        ledger = self._ledger
        if media.source == "file" and not ledger.native:
            ledger.refuse(at, "the file id is another provider's")
        if not media.value and not ledger.native:
            return None
        if media.kind == "image" and media.source != "text":
            image = {"type": "input_image", "detail": media.detail or "auto"}
            if ledger.native and not media.detail:
                del image["detail"]
            if media.source == "file":
                image["file_id"] = media.value
            elif media.source == "url":
                image["image_url"] = media.value
            else:
                type = media.type or ("" if ledger.native else "image/png")
                image["image_url"] = data_uri.join(type, media.value)
            return image
        if media.kind == "document":
            return self._document(media)
        ledger.refuse(at, f"{media.kind} input")

    def _document(self, media: Media) -> dict[str, Any]:
        if media.source == "text":
            return {"type": "input_text", "text": media.value}
        file = {"type": "input_file"}
        if media.name:
            file["filename"] = media.name
        if media.source == "url":
            file["file_url"] = media.value
        elif media.source == "file":
            file["file_id"] = media.value
        elif media.type or not self._ledger.native:
            if not self._ledger.native:
                file.setdefault("filename", "document.pdf")
            type = media.type or "application/pdf"
            file["file_data"] = data_uri.join(type, media.value)
        else:
            file["file_data"] = media.value
        return file


def _joined(content: Any) -> Any:
    """
    What a model of another vendor said, as one string: an array is an output item's,
    and servers that check it want the item's id too. Texts of one turn follow on each
    other; a refusal cannot stand in a string.
    """
    if isinstance(content, str):
        return content
    if all(one["type"] == "output_text" for one in content):
        return "".join(one["text"] for one in content)
    return content
