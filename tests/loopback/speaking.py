"""Clients of every chat dialect: how each asks for a stream, and knows a whole one."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from aigw import framing

from .client import post

USER = [{"role": "user", "content": "hi"}]
TEXTS = [{"role": "user", "content": [{"text": "hi"}]}]
PARTS = [{"role": "user", "parts": [{"text": "hi"}]}]


class Asking(NamedTuple):
    """
    How a dialect's clients ask.

    :ivar begins: what stands once in a stream, at its beginning.
    :ivar ends: what stands once, at its end.
    :ivar fails: what tells an error in it.
    """

    path: str
    body: dict[str, Any]
    fields: tuple[str, ...]
    begins: bytes
    ends: bytes
    fails: bytes

    def request(self, **more: Any) -> bytes:
        body = json.dumps({**self.body, **more}, separators=(",", ":")).encode()
        return post(body, *self.fields, path=self.path)


DIALECTS = {
    "openai-chat": Asking(
        "/v1/chat/completions",
        {"model": "any", "messages": USER, "stream": True},
        (),
        b'"role":"assistant"',
        b"data: [DONE]",
        b'"error"',
    ),
    "openai-responses": Asking(
        "/v1/responses",
        {"model": "any", "input": "hi", "stream": True},
        (),
        b"event: response.created",
        b"event: response.completed",
        b"event: error",
    ),
    "anthropic-messages": Asking(
        "/v1/messages",
        {"model": "any", "max_tokens": 99, "messages": USER, "stream": True},
        ("anthropic-version: 2023-06-01",),
        b"event: message_start",
        b"event: message_stop",
        b"event: error",
    ),
    "bedrock-converse": Asking(
        "/model/any/converse-stream",
        {"messages": TEXTS},
        (),
        b"messageStart",
        b"messageStop",
        b"xception",
    ),
    "gemini": Asking(
        "/v1beta/models/any:streamGenerateContent?alt=sse",
        {"contents": PARTS},
        (),
        b"",
        b'"finishReason"',
        b'"error"',
    ),
}


def text_of(dialect: str, body: bytes) -> str:
    """The text a client's parser makes of a stream's body."""
    if dialect == "bedrock-converse":
        frames = framing.get("aws-eventstream").decode(body)
        told = [json.loads(frame.payload) for frame in frames]
        return "".join(each.get("delta", {}).get("text", "") for each in told)
    events = framing.get("sse").decode(body)
    told = [
        json.loads(event.data)
        for event in events
        if event.data and event.data != b"[DONE]"
    ]
    return "".join(_TEXT[dialect](each) for each in told)


def _chat(told: Any) -> str:
    return "".join(one["delta"].get("content") or "" for one in told["choices"])


def _responses(told: Any) -> str:
    return told["delta"] if told["type"] == "response.output_text.delta" else ""


def _messages(told: Any) -> str:
    return told["delta"]["text"] if told["type"] == "content_block_delta" else ""


def _gemini(told: Any) -> str:
    (candidate,) = told.get("candidates") or ({},)
    parts = candidate.get("content", {}).get("parts", ())
    return "".join(part.get("text", "") for part in parts)


_TEXT = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
