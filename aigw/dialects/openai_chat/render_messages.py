"""The messages of a neutral call as chat completions have them."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects.google import signed, turn_under_way, wants_signed
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
from aigw.model.rendered import Target

from .details import encrypted, entry_of, extra_of, numbered
from .media import write_media
from .words import CALL_ID


class Messages:
    """
    Renders the messages of one call.

    Content is a string wherever that says the same: servers that imitate the API take
    strings everywhere, arrays not. Only what came as chat completions keeps the cut of
    its parts.
    """

    def __init__(self, call: Call, target: Target, ledger: Ledger) -> None:
        self._call = call
        self._ledger = ledger
        self._details = ledger.native or "reasoning_details" in target.extensions
        self._reasoning = ledger.native or "reasoning_content" in target.extensions
        self._files = ledger.native or "file" in target.extensions
        self._extra = "extra_content" in target.extensions and not ledger.native
        #: The place from which calls must be signed.
        self._current = len(call.messages)
        model = target.model or call.model  # which may be another vendor's, at Google
        if self._extra and "gemini" in model and wants_signed(model):
            self._current = turn_under_way(call.messages)
        self._texts = "text_results" in target.extensions and not ledger.native
        #: What results hold beside text, to be told behind all of them.
        self._shown: list[dict[str, Any]] = []
        self._rendered: list[dict[str, Any]] = []

    def rendered(self) -> list[dict[str, Any]]:
        for place, message in enumerate(self._call.messages):
            if message.cache is not None:
                self._ledger.drop(f"{message.at}.cache_control")
            if message.role not in ("tool", "user"):
                self._show()
            if message.role == "assistant":
                signs = place >= self._current
                self._assistant(message, signs)
            elif message.role == "tool" or message.role == "user":
                self._user(message)
            else:
                self._system(message)
        self._show()
        return self._rendered

    def _show(self) -> None:
        if self._shown:
            self._rendered.append({"role": "user", "content": self._shown})
            self._shown = []

    def _add(self, message: Message, rendered: dict[str, Any]) -> None:
        if message.name:
            rendered["name"] = message.name
        graft(rendered, self._ledger.rider(message.at, message.rider))
        self._rendered.append(rendered)

    def _system(self, message: Message) -> None:
        content = self._content(message, message.parts)
        if content or self._ledger.native:
            self._add(message, {"role": message.role, "content": content})

    def _user(self, message: Message) -> None:
        """Results first, each a message of its own; then what else was said."""
        others: list[Part] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, ToolResult):
                self._result(message, part, f"{message.at}.content[{index}]")
            else:
                others.append(part)
        if message.role == "user" and (others or not message.parts):
            content = self._content(message, tuple(others))
            if not content and not self._ledger.native:
                if len(others) < len(message.parts) and not _has_text(others):
                    return  # all that stood beside the results was dropped
                content = ""
            self._show()
            self._add(message, {"role": "user", "content": content})

    def _result(self, message: Message, result: ToolResult, at: str) -> None:
        ledger = self._ledger
        if result.error:
            ledger.drop(f"{at}.is_error")
        if result.cache is not None:
            ledger.drop(f"{at}.cache_control")
        content = self._content(message, result.parts, f"{at}.content")
        if self._texts and not isinstance(content, str):
            ledger.clamp(f"{at}.content")
            content = self._parted(result, content)
        rendered: dict[str, Any] = {
            "role": "tool",
            "tool_call_id": CALL_ID(result.id),
            "content": content,
        }
        if result.name:
            rendered["name"] = TOOL_NAME(result.name)
        graft(rendered, ledger.rider(at, result.rider))
        if message.role == "tool":
            graft(rendered, ledger.rider(message.at, message.rider))
        self._rendered.append(rendered)

    def _parted(self, result: ToolResult, content: list[dict[str, Any]]) -> str:
        """The text of a result; what else it holds is told later."""
        texts = [part["text"] for part in content if part["type"] == "text"]
        media = [part for part in content if part["type"] != "text"]
        if not media:
            return "".join(texts)
        text = f"The result of {CALL_ID(result.id)} holds:"
        self._shown += [{"type": "text", "text": text}, *media]
        return "".join(texts) or "The result stands behind all results."

    def _assistant(self, message: Message, signs: bool) -> None:
        """
        :param signs: whether its first call must be signed.
        """
        said: list[Part] = []
        calls: list[dict[str, Any]] = []
        reasoned: list[Thinking | Redacted] = []
        details: list[dict[str, Any]] = []
        parts = signed(message.parts, self._ledger) if signs else message.parts
        for index, part in enumerate(parts):
            at = f"{message.at}.content[{index}]"
            if isinstance(part, Thinking | Redacted):
                if self._carries(part):
                    reasoned.append(part)
                else:
                    self._ledger.drop(f"{at}.{type(part).__name__.lower()}")
            elif isinstance(part, ToolCall):
                calls.append(self._called(part, at, details))
            else:
                said.append(part)
                if isinstance(part, Text) and part.signature and self._details:
                    details.append(encrypted(part.signature))
        content = self._content(message, tuple(said))
        if not content and (not said if self._ledger.native else calls):
            content = None
        rendered: dict[str, Any] = {"role": "assistant", "content": content}
        self._reasoned(rendered, reasoned, details)
        if calls:
            rendered["tool_calls"] = calls
            if self._reasoning and not self._details:
                # Who wants it with calls refuses them without, were it empty.
                rendered.setdefault("reasoning_content", "")
        self._add(message, rendered)

    def _carries(self, part: Thinking | Redacted) -> bool:
        signature = part.signature
        if signature is not None and self._details:
            return ":" not in signature.vendor  # it signs a call that is not there
        return isinstance(part, Thinking) and self._reasoning

    def _reasoned(
        self,
        rendered: dict[str, Any],
        reasoned: list[Thinking | Redacted],
        details: list[dict[str, Any]],
    ) -> None:
        """Plain text to show; with a signature in it, details of all of it besides."""
        texts = [part.text for part in reasoned if isinstance(part, Thinking)]
        if texts:
            rendered["reasoning_content"] = "".join(texts)
        if self._details and any(part.signature is not None for part in reasoned):
            entries = [entry_of(part) for part in reasoned]
            details = [*entries, *details]
        if details:
            rendered["reasoning_details"] = numbered(details)

    def _called(
        self, call: ToolCall, at: str, details: list[dict[str, Any]]
    ) -> dict[str, Any]:
        ledger = self._ledger
        if call.cache is not None:
            ledger.drop(f"{at}.cache_control")
        id = CALL_ID(call.id)
        extra: dict[str, Any] = {}
        if call.signature is not None:
            if self._extra and call.signature.vendor == "gemini":
                extra = extra_of(call.signature)
            elif self._details:
                details.append({**encrypted(call.signature), "id": id})
            else:
                ledger.drop(f"{at}.signature")
        if call.kind == "custom":
            kind, key, text = "custom", "input", call.arguments
        else:
            kind, key, text = "function", "arguments", call.arguments
            if not text and not ledger.native:
                text = "{}"
        given = {"name": TOOL_NAME(call.name), key: text}
        rendered: dict[str, Any] = {"id": id, "type": kind, kind: given, **extra}
        graft(rendered, ledger.rider(at, call.rider))
        return rendered

    def _content(self, message: Message, parts: tuple[Part, ...], at: str = "") -> Any:
        """A string where that says the same, else an array of content parts."""
        path = at or f"{message.at}.content"
        if self._ledger.native:
            plain = len(parts) == 1 and isinstance(parts[0], Text) and parts[0].plain
        else:
            plain = not any(isinstance(part, Media) for part in parts)
            if message.role == "user" and not at and len(parts) > 1:
                plain = False
        rendered = [
            content
            for index, part in enumerate(parts)
            if (content := self._part(part, f"{path}[{index}]")) is not None
        ]
        return "".join([one["text"] for one in rendered]) if plain else rendered

    def _part(self, part: Part, at: str) -> Any:
        ledger = self._ledger
        if isinstance(part, Text):
            if part.citations:
                ledger.drop(f"{at}.citations")
            if part.signature is not None and not self._details:
                ledger.drop(f"{at}.signature")
            text = {"type": "text", "text": part.text}
            return marked(text, part.cache, part.rider, at, ledger)
        if isinstance(part, Refusal):
            if not ledger.native:
                return {"type": "text", "text": part.text}
            refusal = {"type": "refusal", "refusal": part.text}
            return marked(refusal, None, part.rider, at, ledger)
        if isinstance(part, Media):
            media = write_media(part, at, ledger, self._files)
            if media is None:
                return None
            return marked(media, part.cache, part.rider, at, ledger)
        if isinstance(part, Opaque):
            if ledger.native:
                return msgspec.Raw(part.raw)
            ledger.drop(f"{at} ({part.type[:40]})")
            return None
        ledger.drop(f"{at} ({type(part).__name__.lower()})")
        return None


def _has_text(parts: list[Part]) -> bool:
    return any(isinstance(part, Text) for part in parts)
