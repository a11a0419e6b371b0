"""Reads answers of chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from zope.interface import implementer

from aigw.dialects import failures, openai_error, openai_usage
from aigw.dialects.tokens import Counts
from aigw.dialects.unread import unread
from aigw.interfaces import IReader
from aigw.model import event as events
from aigw.model.answer import Answer
from aigw.model.event import Event, Failed
from aigw.model.frame import SSEFrame
from aigw.model.headers import Headers
from aigw.model.part import Signature
from aigw.model.rendered import Rendered

from . import chunk as chunks
from .blocks import Blocks
from .chunk import Chunk, Delta
from .citation import citation_of
from .details import extra_signature
from .images import images_of
from .reader_whole import answer_of
from .words import finish_of, vendor_of

#: ``{``, looked for as an int.
_BRACE: Final = 0x7B


@implementer(IReader)
class OpenAIChatReader:
    """See :class:`aigw.interfaces.IReader`."""

    def __init__(self, rendered: Rendered) -> None:
        self._names: Mapping[str, str] = rendered.names
        self._counts = Counts()
        self._choices: dict[int, Blocks] = {}
        self._started = False
        self._over = False

    def feed(self, frame: SSEFrame) -> list[Event]:
        data, kind = frame.data, frame.type
        if not data or self._over:
            return []
        if kind != "message" and kind != "error":
            return [events.Unknown(f"event {kind}", data)]
        if data[0] != _BRACE:  # the mark of the end, most likely
            data = data.strip()
            if data == b"[DONE]":
                return self._done()
        chunk = chunks.decode(data)
        if chunk is None:
            return self._unread(data)
        if chunk.error is not None or chunk.object == "error" or kind == "error":
            self._over = True
            return [_failure(chunk)]
        out: list[Event] = []
        if not self._started and (chunk.choices or isinstance(chunk.usage, dict)):
            self._started = True
            out.append(
                events.Started(
                    id=chunks.text(chunk.id),
                    model=chunks.text(chunk.model),
                    created=chunks.seconds(chunk.created),
                    tier=chunks.text(chunk.service_tier),
                )
            )
        for choice in chunk.choices or ():
            index = choice.index if type(choice.index) is int else 0
            blocks = self._choices.get(index)
            if blocks is None:
                blocks = self._choices[index] = Blocks(index)
            if blocks.finished:
                continue
            if type(choice.logprobs) is dict:
                raw = msgspec.json.encode(choice.logprobs)
                out.append(events.LogProbs(index, raw))
            if choice.delta is not None:
                self._delta(index, blocks, choice.delta, out)
            finish = choice.finish_reason
            if finish is not None and (word := chunks.finish_word_of(finish)):
                blocks.finished = True
                blocks.close_all(out)
                reason = finish_of(word, blocks.called)
                out.append(events.Finished(index, reason, word))
        if type(chunk.usage) is dict:
            self._counts.merge(chunk.usage, openai_usage.PATHS)
            out.append(events.UsageReport(openai_usage.usage_of(self._counts)))
        return out

    def end(self) -> list[Event]:
        if self._over:
            return []
        out: list[Event] = []
        for blocks in self._choices.values():
            if not blocks.finished:
                blocks.close_all(out)
        if any(blocks.finished for blocks in self._choices.values()):
            out.append(events.Ended())
        self._over = True
        return out

    def whole(self, body: bytes) -> Answer | Failed:
        chunk = chunks.decode(body)
        if chunk is not None and (chunk.error is not None or chunk.object == "error"):
            return _failure(chunk)
        if chunk is None or not chunk.choices:
            return Failed("upstream", 502, "no choices in response")
        return answer_of(chunk, self._names)

    def problem(self, status: int, headers: Headers, body: bytes) -> Failed:
        return openai_error.failed(status, headers, failures.decoded(body))

    # -- one delta

    def _delta(
        self, choice: int, blocks: Blocks, delta: Delta, out: list[Event]
    ) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought and isinstance(thought, str):
            blocks.thought = True
            block = blocks.speak("thinking", out)
            out.append(events.Thinking(choice, block, thought))
        if delta.reasoning_details:
            for entry in chunks.dicts(delta.reasoning_details):
                self._detail(choice, blocks, entry, out)
        if delta.content:
            text = chunks.spoken(delta.content)
            if text:
                block = blocks.speak("text", out)
                out.append(events.Text(choice, block, text))
        if delta.refusal and isinstance(delta.refusal, str):
            block = blocks.speak("refusal", out)
            out.append(events.Refusal(choice, block, delta.refusal))
        if delta.annotations:
            for annotation in chunks.dicts(delta.annotations):
                citation = citation_of(annotation)
                if citation is not None:
                    block = blocks.speak("text", out)
                    out.append(events.Citation(choice, block, citation))
        if delta.audio and isinstance(delta.audio, dict):
            self._audio(choice, blocks, delta.audio, out)
        if delta.images:
            for type, data in images_of(delta.images):
                block = blocks.alone("image", out)
                out.append(events.Media(choice, block, type, data))
                out.append(events.BlockClosed(choice, block))
        if delta.tool_calls:
            for call in chunks.dicts(delta.tool_calls):
                self._call(choice, blocks, call, out)

    def _call(
        self, choice: int, blocks: Blocks, call: dict[str, Any], out: list[Event]
    ) -> None:
        id = chunks.text(call.get("id"))
        index = call.get("index")
        if type(index) is not int:
            # Servers that give no index send a call whole, or go on with the last one.
            index = id or blocks.last_call()
            if index is None:
                return
        custom = "custom" in call
        given = call.get("custom" if custom else "function")
        name = chunks.text(chunks.member(given, "name"))
        name = self._names.get(name, name)
        block = blocks.call(index, id, name, custom, out)
        piece = chunks.text(chunks.member(given, "input" if custom else "arguments"))
        if piece:
            blocks.argue(index, piece)
            out.append(events.Arguments(choice, block, piece))
        if "extra_content" in call:
            signature = extra_signature(call)
            if signature is not None:
                blocks.sign_call(index, signature, out)

    def _detail(
        self, choice: int, blocks: Blocks, entry: dict[str, Any], out: list[Event]
    ) -> None:
        """
        An entry of ``reasoning_details``. Its text stands in ``reasoning`` too, and
        counts only where it does not.
        """
        vendor = vendor_of(entry.get("format"))
        if entry.get("type") == "reasoning.encrypted":
            data = chunks.text(entry.get("data"))
            if not data:
                return
            signature = Signature(vendor, data)
            id = chunks.text(entry.get("id"))
            if vendor == "gemini" and id:
                blocks.sign(id, signature, out)
                return
            if vendor == "gemini":
                block = blocks.speak("text", out)
                out.append(events.Signature(choice, block, signature))
                return
            block = blocks.alone("redacted", out)
            out.append(events.Redacted(choice, block, signature))
            out.append(events.BlockClosed(choice, block))
            return
        text = chunks.text(entry.get("text")) or chunks.text(entry.get("summary"))
        value = chunks.text(entry.get("signature"))
        if text and not blocks.thought:
            block = blocks.speak("thinking", out)
            out.append(events.Thinking(choice, block, text))
        if value:
            block = blocks.speak("thinking", out)
            out.append(events.Signature(choice, block, Signature(vendor, value)))
            blocks.close_spoken(out)  # what is signed is complete
            blocks.thought = False

    def _audio(
        self, choice: int, blocks: Blocks, audio: dict[str, Any], out: list[Event]
    ) -> None:
        block = blocks.speak("audio", out)
        out.append(
            events.Media(
                choice,
                block,
                "audio",
                data=chunks.text(audio.get("data")),
                transcript=chunks.text(audio.get("transcript")),
                id=chunks.text(audio.get("id")),
            )
        )

    def _unread(self, data: bytes) -> list[Event]:
        event = unread("data", data)
        self._over = isinstance(event, Failed)
        return [event] if data else []

    def _done(self) -> list[Event]:
        self._over = True
        if not self._started:
            return [Failed("upstream", 502, "no choices in response")]
        out: list[Event] = []
        for blocks in self._choices.values():
            blocks.close_all(out)
        out.append(events.Ended())
        return out


def _failure(chunk: Chunk) -> Failed:
    told = chunk.error
    if told is None:
        told = {"message": chunk.message}
    return openai_error.failed(0, [], {"error": told})
