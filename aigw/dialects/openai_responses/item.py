"""An output item of a response being written."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.event import BlockKind
from aigw.model.part import Citation, Signature

from .words import NAME

_PREFIXES = {
    "text": "msg",
    "refusal": "msg",
    "thinking": "rs",
    "tool": "fc",
    "image": "ig",
}


def annotation_of(citation: Citation) -> Any:
    """Its own annotations as they came, others as URLs; None where there is no URL."""
    if citation.dialect == NAME:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }


class Item:
    """
    One block as an item. Its id is made from the response's and its place.

    :ivar name: of the tool called; of an image, its format.
    :ivar pieces: what was said in it so far.
    :ivar logprobs: those of its text so far.
    :ivar encrypted: ``encrypted_content`` of a reasoning item.
    :ivar raw: the whole item where only this dialect knows it.
    :ivar signature: of the call it is.
    """

    __slots__ = (
        "annotations",
        "call_id",
        "closed",
        "custom",
        "encoded_id",
        "encrypted",
        "id",
        "index",
        "kind",
        "logprobs",
        "name",
        "pieces",
        "raw",
        "signature",
    )

    def __init__(
        self,
        kind: BlockKind,
        index: int,
        response: str,
        call_id: str = "",
        name: str = "",
        custom: bool = False,
    ) -> None:
        prefix = "ctc" if custom else _PREFIXES.get(kind, "it")
        self.id = f"{prefix}_{response.removeprefix('resp_')}_{index}"
        self.encoded_id = msgspec.json.encode(self.id)
        self.kind = kind
        self.index = index
        self.call_id = call_id
        self.name = name
        self.custom = custom
        self.pieces: list[str] = []
        self.annotations: list[Any] = []
        self.logprobs: list[Any] = []
        self.encrypted = ""
        self.raw = b""
        self.closed = False
        self.signature: Signature | None = None

    @property
    def deltas(self) -> str:
        """What its events are called after."""
        return "custom_tool_call_input" if self.custom else "function_call_arguments"

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def part(self, text: str) -> dict[str, Any]:
        """The one content part of a message."""
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": text}
        told = {"type": "output_text", "text": text, "annotations": self.annotations}
        if self.logprobs:
            told["logprobs"] = self.logprobs
        return told

    def body(self, status: str) -> Any:
        """
        :param status: ``added``: empty, as it begins; or its status.
        """
        added = status == "added"
        text = "" if added else self.text
        status = "in_progress" if added else status
        if self.kind == "opaque":
            return msgspec.Raw(self.raw)
        if self.kind == "thinking":
            summary = [{"type": "summary_text", "text": text}] if text else []
            body: dict[str, Any] = {
                "id": self.id,
                "type": "reasoning",
                "summary": summary,
            }
            if self.encrypted:
                body["encrypted_content"] = self.encrypted
            return body
        if self.kind == "image":
            image = {
                "id": self.id,
                "type": "image_generation_call",
                "status": status,
                "result": text or None,
            }
            if self.name:
                image["output_format"] = self.name
            return image
        if self.kind == "tool":
            return {
                "id": self.id,
                "type": "custom_tool_call" if self.custom else "function_call",
                "status": status,
                "call_id": self.call_id,
                "name": self.name,
                "input" if self.custom else "arguments": text,
            }
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [] if added else [self.part(text)],
        }

    def closing(self) -> list[tuple[str, dict[str, Any]]]:
        """The events that close it, by name and without their numbers."""
        whole = self.text
        where: dict[str, Any] = {"item_id": self.id, "output_index": self.index}
        inner = {**where, "content_index": 0}
        summary = {**where, "summary_index": 0}
        told: list[tuple[str, dict[str, Any]]] = []
        if self.kind == "text":
            said = {**inner, "text": whole, "logprobs": self.logprobs}
            told.append(("response.output_text.done", said))
        elif self.kind == "refusal":
            told.append(("response.refusal.done", {**inner, "refusal": whole}))
        elif self.kind == "tool" and self.custom:
            told.append((f"response.{self.deltas}.done", {**where, "input": whole}))
        elif self.kind == "tool":
            said = {**where, "name": self.name, "arguments": whole}
            told.append((f"response.{self.deltas}.done", said))
        elif self.kind == "image":
            told.append(("response.image_generation_call.completed", where))
        elif self.kind == "thinking" and self.pieces:
            part = {"type": "summary_text", "text": whole}
            told += [
                ("response.reasoning_summary_text.done", {**summary, "text": whole}),
                ("response.reasoning_summary_part.done", {**summary, "part": part}),
            ]
        if self.kind == "text" or self.kind == "refusal":
            done = {**inner, "part": self.part(whole)}
            told.append(("response.content_part.done", done))
        item = {"output_index": self.index, "item": self.body("completed")}
        told.append(("response.output_item.done", item))
        return told
